# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# How runs end, and that they end whole.  What is left afterwards is looked for
# by the runner, after each test.

test_a_failing_step_gives_its_status() {
    run "$mayfly" -i "$busybox" -S 'exit 37' -S 'echo never'
    expect_status 37
    expect_out ''
}

test_a_step_killed_by_a_signal() {
    run "$mayfly" -i "$busybox" -S 'kill -SEGV $$'
    expect_status 139
    expect_err 'killed by SIGSEGV'
    run "$mayfly" -q -i "$busybox" -S 'kill -KILL $$'
    expect_status 137
}

test_a_step_that_kills_everything_it_can() {
    run "$mayfly" -q -i "$busybox" -S 'kill -KILL -1; kill -KILL 1; kill -TERM 1; echo still here'
    [ "$status" = 0 ] || [ "$status" = 137 ] || fail "expected 0 or 137"
}

test_timeout_of_the_run() {
    run "$mayfly" -i "$busybox" --timeout 3 -S 'echo before' -S 'echo early; sleep 1000' -S 'echo never'
    expect_status 124
    expect_out $'before\nearly'
    expect_err 'timed out'
}

test_timeout_of_a_step() {
    run "$mayfly" -q -i "$busybox" --step-timeout 500ms -S 'echo early; sleep 1000'
    expect_status 124
    expect_out early
    runs "$mayfly" -q -i "$busybox" --step-timeout 100s --timeout 100s -S 'echo all'
}

test_timeout_of_a_step_that_ignores_sigterm() {
    run "$mayfly" -q -i "$busybox" --timeout 0.5 -S 'trap "" TERM INT HUP; echo early; while :; do sleep 1000; done'
    expect_status 124
    expect_out early
}

# signalled SIGNAL STATUS STEP
signalled() {
    make_fifos
    env --default-signal "$mayfly" -q -i "$busybox" "${fifos[@]}" -S "$3" -S 'echo never' >out 2>err </dev/null &
    await ready
    kill "-$1" $!
    ends_with "$2" $!
    ! grep -q never out || fail "went on after a signal"
}

test_signals_to_mayfly_end_the_run() {
    signalled INT 130 'echo ready >/told; sleep 1000'
    signalled TERM 143 'echo ready >/told; sleep 1000'
    signalled HUP 129 'echo ready >/told; sleep 1000'
}

test_signals_reach_the_step() {
    make_fifos
    "$mayfly" -q -i "$busybox" "${fifos[@]}" -S 'trap "echo caught >/told; exit 5" TERM; echo ready >/told; while :; do sleep 0.1; done' &
    await ready
    kill -TERM $!
    await caught
    ends_with 143 $!
}

test_a_step_that_ignores_the_signal() {
    signalled TERM 143 'trap "" TERM INT HUP; echo ready >/told; while :; do sleep 1000; done'
    signalled INT 130 'trap "" TERM INT HUP; echo ready >/told; while :; do sleep 1000; done'
}

test_daemons_end_with_the_run() {
    runs "$mayfly" -q -i "$busybox" -S 'setsid sleep 1000 & sleep 1001 & (trap "" TERM; sleep 1002) & echo done'
    expect_out 'done'
    runs "$mayfly" -q -i "$busybox" -S '(setsid sh -c "(sleep 1003 &) & trap \"\" TERM HUP; sleep 1004" </dev/null >/dev/null 2>&1 &)'
}

test_daemons_do_not_hold_a_pipeline() {
    "$mayfly" -q -i "$busybox" -S 'sleep 1000 & echo done' | cat >out
    expect_same "$(cat out)" 'done'
}

test_daemons_live_until_the_last_step() {
    runs "$mayfly" -q -i "$busybox" -S 'sleep 1000 & echo $! >/tmp/pid' -S 'kill -0 $(cat /tmp/pid) && echo alive'
    expect_out alive
}

test_a_fork_storm_ends() {
    run "$mayfly" -q -i "$busybox" --timeout 1 -S 'i=0; while [ $i -lt 100 ]; do (setsid sh -c "while :; do (sleep 1000 &); sleep 0.01; done" &); i=$((i + 1)); done; sleep 1000'
    expect_status 124
}

test_a_failing_step_leaves_daemons_no_more_than_a_good_one() {
    run "$mayfly" -q -i "$busybox" -S 'sleep 1000 & exit 9'
    expect_status 9
}

test_stopped_processes_end_too() {
    run "$mayfly" -q -i "$busybox" --timeout 0.5 -S 'kill -STOP $$'
    expect_status 124
}

test_orphaned_by_its_parent() {
    # Whoever started mayfly goes away first; nothing waits for it any more.
    make_fifos
    bash -c '"$@" & exit' - "$mayfly" -q -i "$busybox" "${fifos[@]}" -S 'echo ready >/told; read x </go; echo ended >/told' </dev/null
    await ready
    let_go
    await ended
    # The reaper adopts it; this waits for its end.
    local pid
    for pid in $(grep -lsaF -- "$TEST_DIR/told:/told" /proc/[0-9]*/cmdline | sed 's/[^0-9]//g'); do
        tail --pid="$pid" -f /dev/null
    done
}

test_a_command_that_is_not_there() {
    run "$mayfly" -q -i "$busybox" -S 'no-such-command'
    expect_status 127
    run "$mayfly" -q -i "$busybox" -S '/etc/passwd'
    expect_status 126
}

test_timeout_while_an_image_is_brought_in() {
    # A tarball that never ends: the writer keeps the FIFO open.
    mkfifo endless.tar
    exec 7<>endless.tar
    run "$mayfly" -i tar:- --timeout 0.5s -S true <&7
    exec 7>&-
    expect_status 124
}
