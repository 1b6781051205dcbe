%% SPDX-License-Identifier: Apache-2.0
%% Containers from Erlang, by `mayfly serve --stdio`.
%%
%%   F = mayfly:open("mayfly"),
%%   {ok, Name} = mayfly:start(F, <<"debian:12">>, #{<<"net">> => <<"none">>}),
%%   {ok, #{<<"output">> := Text}} = mayfly:exec(F, Name, <<"uname -a">>),
%%   ok = mayfly:close(F).
%%
%% Everything ends with the process that has opened it.
-module(mayfly).
-export([open/1, close/1, request/3, request/4, start/3, exec/3, exec/4, stream/4, call/4, call/5, pipe/3]).
-export([copy_in/4, copy_out/4, commit/3, signal/3, freeze/2, thaw/2, list/1, destroy/2]).
-export([encode/1, decode/1]).

open(Program) ->
    Owner = self(),
    spawn(fun() ->
        link(Owner),
        Port = open_port({spawn_executable, Program},
                         [{args, ["serve", "--stdio"]}, {packet, 4}, binary, exit_status]),
        loop(Port, 1, #{})
    end).

%% When it returns nothing is left of any container.
close(Flies) ->
    {ok, Names} = list(Flies),
    [destroy(Flies, Name) || Name <- Names],
    unlink(Flies),
    Flies ! close,
    ok.

request(Flies, Method, Params) -> request(Flies, Method, Params, fun(_Stream, _Data) -> ok end).

%% Output(Stream, Data) takes what comes before the answer.
request(Flies, Method, Params, Output) ->
    Monitor = monitor(process, Flies),
    Flies ! {request, self(), Monitor, Method, Params},
    await(Flies, Monitor, Output).

await(Flies, Monitor, Output) ->
    receive
        {Monitor, output, Stream, Data} -> Output(Stream, Data), await(Flies, Monitor, Output);
        {Monitor, Answer} -> demonitor(Monitor, [flush]), Answer;
        {'DOWN', Monitor, process, Flies, Reason} -> {error, Reason}
    end.

start(Flies, Image, Options) ->
    case request(Flies, start, #{image => Image, options => Options}) of
        {ok, #{<<"container">> := Name}} -> {ok, Name};
        Error -> Error
    end.

exec(Flies, Name, Command) -> exec(Flies, Name, Command, <<>>).
exec(Flies, Name, Command, Input) ->
    request(Flies, exec, #{container => Name, shell => Command, input => Input}).

%% Output(<<"output">> or <<"errors">>, Data) is called while it writes.
stream(Flies, Name, Command, Output) ->
    request(Flies, exec, #{container => Name, shell => Command, stream => true}, Output).

%% A command in a container of its own.
call(Flies, Image, Options, Command) -> call(Flies, Image, Options, Command, <<>>).
call(Flies, Image, Options, Command, Input) ->
    request(Flies, call, #{image => Image, options => Options, shell => Command, input => Input}).

%% Data through containers, one after the other, until one fails.
pipe(_Flies, [], Data) -> {ok, Data};
pipe(Flies, [{Image, Options, Command} | Rest], Data) ->
    case call(Flies, Image, Options, Command, Data) of
        {ok, #{<<"end">> := <<"exited">>, <<"status">> := 0, <<"output">> := Output}} -> pipe(Flies, Rest, Output);
        {ok, Result} -> {failed, Command, Result};
        Error -> Error
    end.

copy_in(Flies, Name, Source, Target) ->
    request(Flies, copy_in, #{container => Name, source => Source, target => Target}).
copy_out(Flies, Name, Source, Target) ->
    request(Flies, copy_out, #{container => Name, source => Source, target => Target}).

%% An image of what it is now.
commit(Flies, Name, Image) -> request(Flies, commit, #{container => Name, name => Image}).

%% To all that runs in it; frozen it stands still.
signal(Flies, Name, Number) -> request(Flies, signal, #{container => Name, signal => Number}).
freeze(Flies, Name) -> request(Flies, freeze, #{container => Name}).
thaw(Flies, Name) -> request(Flies, thaw, #{container => Name}).

list(Flies) -> request(Flies, list, #{}).
destroy(Flies, Name) -> request(Flies, destroy, #{container => Name}).

%% --- the conversation: who waits for which number ----------------------------------

loop(Port, Number, Waiting) ->
    receive
        {request, From, Ref, Method, Params} ->
            port_command(Port, encode(#{jsonrpc => <<"2.0">>, id => Number, method => Method, params => Params})),
            loop(Port, Number + 1, Waiting#{Number => {From, Ref}});
        {Port, {data, Text}} ->
            {Message, <<>>} = decode(Text),
            case Message of
                #{<<"id">> := Id} ->
                    {{From, Ref}, Left} = maps:take(Id, Waiting),
                    From ! {Ref, answer(Message)},
                    loop(Port, Number, Left);
                #{<<"method">> := <<"output">>, <<"params">> := #{<<"id">> := Id, <<"stream">> := Stream} = Params} ->
                    {From, Ref} = maps:get(Id, Waiting),
                    From ! {Ref, output, Stream, data(Params)},
                    loop(Port, Number, Waiting)
            end;
        {Port, {exit_status, Status}} -> exit({mayfly, Status});
        close -> port_close(Port)
    end.

data(#{<<"data">> := Text}) -> Text;
data(#{<<"data_base64">> := Coded}) -> base64:decode(Coded).

answer(#{<<"result">> := Result}) -> {ok, Result};
answer(#{<<"error">> := #{<<"message">> := Text}}) -> {error, Text}.

%% --- JSON (RFC 8259): maps, lists, binaries, numbers, true, false, null ----------------

encode(Map) when is_map(Map) ->
    [${, lists:join($,, [[encode(key(K)), $:, encode(V)] || {K, V} <- maps:to_list(Map)]), $}];
encode(List) when is_list(List) -> [$[, lists:join($,, [encode(V) || V <- List]), $]];
encode(Text) when is_binary(Text) -> [$", [escape(C) || <<C/utf8>> <= Text], $"];
encode(Number) when is_integer(Number) -> integer_to_binary(Number);
encode(Atom) when Atom == true; Atom == false; Atom == null -> atom_to_binary(Atom);
encode(Atom) when is_atom(Atom) -> encode(atom_to_binary(Atom)).

key(K) when is_atom(K) -> atom_to_binary(K);
key(K) -> K.

escape($") -> <<"\\\"">>;
escape($\\) -> <<"\\\\">>;
escape(C) when C < 32 -> io_lib:format("\\u~4.16.0b", [C]);
escape(C) -> <<C/utf8>>.

decode(<<C, Rest/binary>>) when C == $\s; C == $\n; C == $\t; C == $\r -> decode(Rest);
decode(<<"true", Rest/binary>>) -> {true, Rest};
decode(<<"false", Rest/binary>>) -> {false, Rest};
decode(<<"null", Rest/binary>>) -> {null, Rest};
decode(<<$", Rest/binary>>) -> text(Rest, <<>>);
decode(<<$[, Rest/binary>>) -> list(skip(Rest), []);
decode(<<${, Rest/binary>>) -> map(skip(Rest), #{});
decode(Number) -> number(Number, <<>>).

skip(<<C, Rest/binary>>) when C == $\s; C == $\n; C == $\t; C == $\r; C == $, -> skip(Rest);
skip(Rest) -> Rest.

list(<<$], Rest/binary>>, Items) -> {lists:reverse(Items), Rest};
list(Text, Items) ->
    {Item, Rest} = decode(Text),
    list(skip(Rest), [Item | Items]).

map(<<$}, Rest/binary>>, Map) -> {Map, Rest};
map(<<$", Text/binary>>, Map) ->
    {Key, Rest} = text(Text, <<>>),
    <<$:, More/binary>> = skip(Rest),
    {Value, Left} = decode(More),
    map(skip(Left), Map#{Key => Value}).

text(<<$", Rest/binary>>, Text) -> {Text, Rest};
text(<<"\\u", Hex:4/binary, Rest/binary>>, Text) -> text(Rest, <<Text/binary, (binary_to_integer(Hex, 16))/utf8>>);
text(<<$\\, C, Rest/binary>>, Text) ->
    Plain = proplists:get_value(C, [{$n, $\n}, {$t, $\t}, {$r, $\r}, {$b, $\b}, {$f, $\f}], C),
    text(Rest, <<Text/binary, Plain>>);
text(<<C, Rest/binary>>, Text) -> text(Rest, <<Text/binary, C>>).

number(<<C, Rest/binary>>, Digits) when C >= $0, C =< $9; C == $-; C == $.; C == $e; C == $E; C == $+ ->
    number(Rest, <<Digits/binary, C>>);
number(Rest, Digits) ->
    {case binary:match(Digits, [<<".">>, <<"e">>, <<"E">>]) of
         nomatch -> binary_to_integer(Digits);
         _ -> binary_to_float(Digits)
     end, Rest}.
