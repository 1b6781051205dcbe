%% SPDX-License-Identifier: Apache-2.0
%% A distributed Erlang node in a container on an isolated bridge:  node MAYFLY IMAGE NETWORK
%%
%% The network is one with --host-access: this node reaches the container by the address that
%% DHCP gave it, and the container reaches nothing but this connection.
-module(node).
-export([main/1]).

main([Program, Image, Network]) ->
    F = mayfly:open(Program),
    Options = #{net => list_to_binary(Network)},
    {ok, Name} = mayfly:start(F, list_to_binary(Image), Options),
    {ok, Node} = boot(F, Name, <<"erl">>, 60000),
    true = net_kernel:connect_node(Node),
    Node = rpc:call(Node, erlang, node, []),
    %% And back: what runs there calls here.
    Here = node(),
    Here = rpc:call(Node, rpc, call, [Here, erlang, node, []]),
    spawn(Node, erlang, send, [self(), {greetings, from, there}]),
    receive {greetings, from, there} -> ok end,
    %% Its end is seen.
    true = monitor_node(Node, true),
    {ok, true} = mayfly:destroy(F, Name),
    receive {nodedown, Node} -> ok end,
    %% A node that does not come up is given up, and its container with it.
    {ok, Other} = mayfly:start(F, list_to_binary(Image), Options),
    {failed, <<"timed out">>} = boot(F, Other, <<"false">>, 500),
    {ok, true} = mayfly:destroy(F, Other),
    ok = mayfly:close(F),
    io:format("all well~n").

%% Starts a node in a container and waits until it says that it is there.
boot(F, Name, Erl, Timeout) ->
    {ok, #{<<"status">> := 0, <<"output">> := Out}} =
        mayfly:exec(F, Name, <<"mkfifo /up && hostname -I">>),
    [Address | _] = string:lexemes(Out, " \n"),
    Node = <<"fly@", Address/binary>>,
    Start = [Erl, " -noshell -name ", Node, " -setcookie ", atom_to_list(erlang:get_cookie()),
             " -eval 'ok = file:write_file(\"/up\", \"up\").'"],
    spawn_link(fun() -> mayfly:exec(F, Name, iolist_to_binary(Start)) end),
    case mayfly:request(F, exec, #{container => Name, shell => <<"cat /up">>, timeout_ms => Timeout}) of
        {ok, #{<<"end">> := <<"exited">>}} -> {ok, binary_to_atom(Node)};
        {ok, #{<<"end">> := End}} -> {failed, End}
    end.
