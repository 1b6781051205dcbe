# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# `mayfly serve --stdio`: programs in other languages, tests/examples.

test_python_drives_machines() {
    command -v python3 >/dev/null || promised "no python3"
    PYTHONDONTWRITEBYTECODE=1 runs timeout 120 python3 "$scratch/examples/machines.py" "$mayfly" "$busybox"
    expect_out 'all well'
}

# Erlang's own helper ends a moment after it, an orphan by then: a child of the test's parent.
await_erlang() {
    local pid name state
    for pid in $(cat "/proc/$PPID/task/$PPID/children"); do
        while read -r _ name state _ <"/proc/$pid/stat" && [ "$name" = '(erl_child_setup)' ] && [ "$state" != Z ]; do :; done
    done 2>/dev/null
}

test_erlang_pipes_through_containers() {
    command -v erlc >/dev/null || promised "no erlang-base"
    erlc -o . "$scratch/examples/mayfly.erl" "$scratch/examples/pipeline.erl" || fail "erlc"
    HOME=$PWD runs timeout 120 erl -noshell -run pipeline main "$mayfly" "$busybox" -s init stop
    await_erlang
    expect_out 'all well'
}

# frame TEXT: one message behind its length
frame() {
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' 0 0 $((${#1} / 256)) $((${#1} % 256)))"
    printf %s "$1"
}

# The texts of answers without their lengths, a line each.
answers() { tr -d '\000-\037\200-\377' <"$TEST_DIR/out" | sed 's/[^}]*{"jsonrpc"/\n{"jsonrpc"/g'; }

test_serve_says_what_is_wrong_with_a_message() {
    { frame '{'; frame '{"jsonrpc":"2.0","id":7}'; frame '{"id":"x","method":"fly"}'; frame '[]'; } | run "$mayfly" serve --stdio
    expect_status 0
    answers >said
    grep -q '"id":null,"error":{"code":-32700' said || fail "no parse error: $(cat said)"
    grep -q '"id":7,"error":{"code":-32600' said || fail "no invalid request: $(cat said)"
    grep -q '"id":"x","error":{"code":-32601' said || fail "no unknown method: $(cat said)"
    expect_silence
    printf 'GET / HTTP/1.0' | run "$mayfly" serve --stdio
    expect_complaint 125 'too long' 'four bytes'
    printf '\0\0\0\011{"id"' | run "$mayfly" serve --stdio
    expect_complaint 125 'ended within one'
    run "$mayfly" serve
    expect_complaint 2 -- '--stdio'
}

test_the_death_of_who_is_served_ends_its_containers() {
    mkfifo requests answers never
    exec 4<>answers
    "$mayfly" serve --stdio <requests >answers 4>&- &
    server=$!
    frame "{\"id\":1,\"method\":\"start\",\"params\":{\"image\":\"$busybox\",\"options\":{\"name\":\"mine\",\"net\":\"none\"}}}" >frame
    bash -c 'exec 3>requests; cat frame >&3; read -r x <>never' 4>&- &
    client=$!
    # Its answer is that the container runs.
    head -c 40 <&4 | grep -aq '"result"' || fail "no container"
    kill -9 $client
    wait $client
    wait $server || fail "serve ended with $?"
    # Its name is free.
    runs "$mayfly" -q -n none --name mine -i "$busybox" -S true
}

test_erlang_nodes_in_containers_join_this_one() {
    only root # an image with Erlang is this machine itself, and the host's way to the bridge root's
    command -v erlc >/dev/null || promised "no erlang-base"
    erlc -o . "$scratch/examples/mayfly.erl" "$scratch/examples/node.erl" || fail "erlc"
    runs "$mayfly" network create --host-access erl
    epmd -address 127.0.0.1 &
    epmd=$!
    HOME=$PWD run timeout 200 erl -noshell -name "host@127.0.0.1" -setcookie secret -run node main "$mayfly" host: erl -s init stop
    kill $epmd
    wait $epmd
    expect_status 0
    expect_out 'all well'
    await_erlang
    runs "$mayfly" network rm erl
}
