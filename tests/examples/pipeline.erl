%% SPDX-License-Identifier: Apache-2.0
%% A machine's name asked for in one container and changed in the next; a chain of functions from
%% machine to machine; what goes wrong:  pipeline MAYFLY IMAGE
-module(pipeline).
-export([main/1]).

main([Program, Image]) ->
    F = mayfly:open(Program),
    Ref = list_to_binary(Image),
    None = #{net => <<"none">>},
    {ok, <<"MAYFLY-1\n">>} = mayfly:pipe(F, [
        {Ref, None#{hostname => <<"mayfly-1">>}, <<"hostname">>},
        {Ref, None, <<"tr a-z A-Z">>}
    ], <<>>),
    {failed, <<"exit 3">>, #{<<"status">> := 3}} =
        mayfly:pipe(F, [{Ref, None, <<"exit 3">>}, {Ref, None, <<"cat">>}], <<>>),
    %% The same machine from function to function.
    {ok, Name} = mayfly:start(F, Ref, None),
    Chain = [fun(M) -> {ok, _} = mayfly:exec(F, M, <<"echo one >/file">>), M end,
             fun(M) -> {ok, _} = mayfly:exec(F, M, <<"cat >>/file">>, <<"\"zwei\"\n">>), M end],
    Name = lists:foldl(fun(Function, M) -> Function(M) end, Name, Chain),
    {ok, #{<<"output">> := <<"one\n\"zwei\"\n">>}} = mayfly:exec(F, Name, <<"cat /file">>),
    %% What begins is signalled as soon as it says so.
    {ok, #{<<"end">> := <<"exited">>, <<"status">> := 9}} =
        mayfly:stream(F, Name, <<"trap 'exit 9' USR1; echo up; while :; do sleep 0.1; done">>,
                      fun(<<"output">>, <<"up\n">>) -> {ok, true} = mayfly:signal(F, Name, 10);
                         (<<"errors">>, _Text) -> ok % the shell's, about its sleep
                      end),
    {ok, #{<<"status">> := 0}} = mayfly:stream(F, Name, <<"printf '\\377' >&2">>, fun(<<"errors">>, <<255>>) -> ok end),
    %% Files in and out, and an image of it all.
    {ok, Here} = file:get_cwd(),
    File = fun(N) -> list_to_binary(filename:join(Here, N)) end,
    ok = file:write_file("in.txt", <<"carried">>),
    {ok, true} = mayfly:copy_in(F, Name, File("in.txt"), <<"/carried">>),
    {ok, _} = mayfly:exec(F, Name, <<"tr a-z A-Z </carried >/out.txt">>),
    {ok, true} = mayfly:copy_out(F, Name, <<"/out.txt">>, File("out.txt")),
    {ok, <<"CARRIED">>} = file:read_file("out.txt"),
    {ok, #{<<"id">> := _}} = mayfly:commit(F, Name, <<"changed:1">>),
    {ok, #{<<"output">> := <<"CARRIED">>}} = mayfly:call(F, <<"changed:1">>, None, <<"cat /out.txt">>),
    %% It stands still, where this host has a control group for it.
    case mayfly:freeze(F, Name) of
        {ok, true} ->
            {error, _} = mayfly:exec(F, Name, <<"true">>),
            {ok, true} = mayfly:thaw(F, Name);
        {error, Why} -> {_, _} = binary:match(Why, <<"cgroup">>)
    end,
    {ok, [Name]} = mayfly:list(F),
    {ok, true} = mayfly:destroy(F, Name),
    {error, Text} = mayfly:exec(F, Name, <<"true">>),
    true = is_binary(Text),
    %% Twenty at once, each in a container of its own.
    Parent = self(),
    Numbers = lists:seq(1, 20),
    [spawn_link(fun() ->
         {ok, #{<<"output">> := Out}} =
             mayfly:call(F, Ref, None, <<"read n; echo $((n * n))">>, <<(integer_to_binary(N))/binary, "\n">>),
         Parent ! {square, N, binary_to_integer(string:trim(Out))}
     end) || N <- Numbers],
    [receive {square, N, Square} -> Square = N * N end || N <- Numbers],
    ok = mayfly:close(F),
    io:format("all well~n").
