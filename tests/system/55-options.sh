# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2016
#
# Options of the commands about containers that live longer, as people know them from docker and podman.

test_options_of_the_environment() {
    fresh_store
    printf '%s\n' '# a comment' '' 'A=1 and 2' '  B="kept"' $'C=cr\r' FROM_HOST NOT_SET >file
    FROM_HOST=yes runs "$mayfly" run --rm --env-file file -e A=over --env D "$busybox" env
    for line in 'A=over' 'B="kept"' C=cr FROM_HOST=yes; do
        grep -qxF "$line" "$TEST_DIR/out" || fail "no $line"
    done
    ! grep -Eq '^(NOT_SET|D)' "$TEST_DIR/out" || fail "what the host has not is set"
    run "$mayfly" run --rm --env-file none "$busybox" env
    expect_complaint 2 '--env-file none: No such file'
}

test_options_of_names() {
    fresh_store
    local first i digit
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    first=$(cat "$TEST_DIR/out")
    runs "$mayfly" run -d --replace --name it --init -q "$busybox" sleep 1000
    [ "$(cat "$TEST_DIR/out")" != "$first" ] || fail "not another one"
    run "$mayfly" inspect "$first"
    expect_status 125
    runs "$mayfly" ps -aq
    expect_same "$(wc -l <"$TEST_DIR/out")" 1
    runs "$mayfly" rm -f it
    # Of seventeen two begin alike.
    for ((i = 0; i < 17; i++)); do runs "$mayfly" create "$busybox" true; done
    digit=$("$mayfly" ps -aq | cut -c 1 | sort | uniq -d | head -n 1)
    run "$mayfly" start "$digit"
    expect_complaint 125 "containers' ids begin with '$digit'"
    # The newest, and the newest few.
    runs "$mayfly" ps -aq --no-trunc
    cp "$TEST_DIR/out" all
    runs "$mayfly" ps -lq --no-trunc
    expect_out "$(head -n 1 all)"
    runs "$mayfly" ps -n 3 -q --no-trunc
    expect_out "$(head -n 3 all)"
    runs "$mayfly" ps --last 2 --noheading
    expect_same "$(wc -l <"$TEST_DIR/out")" 2
    # What is not there is no failure when that is said.
    run "$mayfly" rm nothing
    expect_complaint 125 "no container 'nothing'"
    runs "$mayfly" rm -i nothing
    runs "$mayfly" rm --all -v -t 3
    runs "$mayfly" ps -a --format table
    expect_same "$(wc -l <"$TEST_DIR/out")" 1
}

test_options_of_lists() {
    fresh_store
    local id
    cp "$busybox" other.tar
    run "$mayfly" run --name three -l a=b "$busybox" sh -c 'exit 3'
    expect_status 3
    runs "$mayfly" run --name none -l a=c other.tar true
    runs "$mayfly" create --name made "$busybox" true
    runs "$mayfly" run -d --name runs "$busybox" sleep 1000
    id=$("$mayfly" inspect -f '{{.Id}}' three)
    for line in 'exited=3:three' 'status=exited:none three' 'status=created:made' "ancestor=$PWD/other.tar:none" \
        "id=${id:0:20}:three" 'name=^ma:made' 'name=^e$:' 'name=e:made none three' 'label=a:none three' 'label=a=c:none' 'health=none:made none runs three'; do
        runs "$mayfly" ps -a --filter "${line%:*}" --format '{{.Names}}'
        expect_same "$(sort "$TEST_DIR/out" | xargs)" "${line##*:}"
    done
    # Of one name any, of different names all.
    runs "$mayfly" ps -a -f name=three -f name=none -f exited=0 --format '{{.Names}}'
    expect_out none
    runs "$mayfly" ps --noheading --no-trunc
    grep -Eq '^[0-9a-f]{64}  ' "$TEST_DIR/out" || fail "not in full"
    run "$mayfly" ps --format nothing
    expect_complaint 2 "'nothing'"
    # What has ended goes with all else that nobody needs.
    runs "$mayfly" prune -f
    expect_same "$(grep -c '^Deleted container: ' "$TEST_DIR/out")" 3
    runs "$mayfly" ps -a --format '{{.Names}}'
    expect_out runs
    runs "$mayfly" image prune -af
    runs "$mayfly" rm -f runs
}

test_options_of_notes() {
    fresh_store
    runs "$mayfly" create --name it --annotation a=b --annotation long=x=y -l c --stop-timeout 7 --no-healthcheck "$busybox" true
    runs "$mayfly" inspect -s -f '{{index .Config.Annotations "a"}} {{index .Config.Annotations "long"}} {{.Config.StopTimeout}}' it
    expect_out 'b x=y 7'
    runs "$mayfly" ps -a --filter label=c --format '{{.Names}}'
    expect_out it
    run "$mayfly" create --annotation =b "$busybox" true
    expect_complaint 2 "--annotation '=b'"
    runs "$mayfly" rm it
}

test_options_of_an_end() {
    fresh_store
    make_fifos
    local stubborn='trap "" TERM; echo ready >/told; while :; do sleep 0.05; done'
    # Of one that does not hear.
    runs "$mayfly" run -d --name it --stop-timeout 0 "${fifos[@]}" "$busybox" sh -c "$stubborn"
    await ready
    runs "$mayfly" stop it
    expect_same "$(kept_state it exit-code)" 137
    runs "$mayfly" rm it
    # All that run; two are waited for.
    runs "$mayfly" run -d --name one "$busybox" sh -c 'trap "exit 3" TERM; while :; do sleep 0.05; done'
    runs "$mayfly" run -d --name two "$busybox" sleep 1000
    runs "$mayfly" kill --all --signal KILL
    runs "$mayfly" wait one two
    expect_out $'137\n137'
    run "$mayfly" kill one
    expect_complaint 125 'one is not running'
    runs "$mayfly" start one two
    runs "$mayfly" stop --all --time 0
    runs "$mayfly" ps -q
    expect_out ''
    runs "$mayfly" rm -a
}

test_options_of_health() {
    fresh_store
    make_fifos
    local looks='echo look >/told; read x </go; exit 1' i
    # Failures before its time do not count.
    runs "$mayfly" run -d --name it --health-cmd "$looks" --health-interval 10ms --health-retries 1 \
        --health-start-period 1h "${fifos[@]}" "$busybox" sleep 1000
    for ((i = 0; i < 3; i++)); do
        await look
        let_go
    done
    await look
    runs "$mayfly" ps --format '{{.Status}}' --filter health=starting
    grep -q '(health: starting)' "$TEST_DIR/out" || fail "ps does not say so"
    "$mayfly" wait --condition healthy it 2>waited &
    runs "$mayfly" kill it
    ends_with 125 $!
    # As it was already waiting, or came too late for that.
    grep -Eq 'the container has ended|container it is not running' waited || fail "why is not said: $(cat waited)"
    runs "$mayfly" rm -f it
    # A look that takes too long is a failure.
    runs "$mayfly" run -d --name it --health-cmd 'sleep 1000' --health-interval 10ms --health-retries 2 \
        --health-timeout 50ms "$busybox" sleep 1000
    until_true eval '[ "$("$mayfly" inspect -f "{{.State.Health.Status}}" it)" = unhealthy ]'
    runs "$mayfly" exec it sh -c 'ps | grep -c "sleep 100[0]"'
    [ "$(cat "$TEST_DIR/out")" -le 2 ] || fail "looks are left"
    runs "$mayfly" rm -f it
    runs "$mayfly" run -d --name it --health-cmd false --no-healthcheck "$busybox" sleep 1000
    run "$mayfly" wait --condition healthy it
    expect_complaint 125 'no --health-cmd'
    run "$mayfly" wait --condition well it
    expect_complaint 2 "'well'"
    runs "$mayfly" rm -f it
}

test_options_of_detaching() {
    fresh_store
    tty 'expect:# ' 'send:\x01d' -- "$mayfly" run -it --name it --detach-keys ctrl-a,d "$busybox" sh
    expect_status 0
    tty 'send:echo on-$((6*7))\r' 'expect:on-42' 'send:x' -- "$mayfly" attach --detach-keys x it
    expect_status 0
    tty 'expect:# ' 'send:\x1d' -- "$mayfly" exec -it --detach-keys 'ctrl-]' it sh
    expect_status 0
    # None at all: what was typed arrives.
    tty 'expect:ready' 'send:\x10\x11' 'expect:10 11' -- "$mayfly" exec -it --detach-keys '' it \
        sh -c 'stty raw -echo; echo ready; dd bs=1 count=2 2>/dev/null | od -An -tx1; exit 7'
    expect_status 7
    runs "$mayfly" stop -t 0 it
    tty 'expect:# ' 'send:q' -- "$mayfly" start -ai --detach-keys q it
    expect_status 0
    runs "$mayfly" exec it true
    run "$mayfly" attach --detach-keys ctrl-1 it
    expect_complaint 2 "'ctrl-1'"
    runs "$mayfly" rm -f it
}

test_options_of_input() {
    fresh_store
    runs "$mayfly" create -i --name it "$busybox" sh -c 'while read x; do echo "<$x>"; done; exit 4'
    printf 'a\nb\n' | run "$mayfly" start --attach --interactive it
    expect_out $'<a>\n<b>'
    expect_status 4
    make_fifos
    runs "$mayfly" run -di --name two "${fifos[@]}" "$busybox" \
        sh -c 'exec 3<>/go; echo ready >/told; until [ "$w" = go ]; do read w <&3; echo "$w"; done; read x; echo "got $x"'
    await ready
    : >looked
    echo not this | "$mayfly" attach --no-stdin two >looked &
    # Until it is there, and sees what the container says.
    until_true eval 'echo look >"$TEST_DIR/go"; [ -s looked ]'
    let_go
    echo this | run "$mayfly" attach two
    expect_same "$(grep -vx 'look\|go' "$TEST_DIR/out")" 'got this'
    ends_with 0 $!
    expect_same "$(grep -vx 'look\|go' looked)" 'got this'
    runs "$mayfly" rm it two
}

test_a_description_that_is_damaged() {
    fresh_store
    runs "$mayfly" create --name it "$busybox" true
    runs "$mayfly" create --name well "$busybox" true
    truncate -s 20 "$(kept it config)"
    runs "$mayfly" ps -a --format '{{.Names}}'
    expect_out well
    expect_err '^mayfly: warning: container it: .* damaged.*mayfly rm'
    run "$mayfly" start it
    expect_complaint 125 'container it: the container.s description is damaged'
    expect_no_err 'it: container it'
    runs "$mayfly" rm it well
    runs "$mayfly" ps -aq
    expect_out ''
    expect_silence
}
