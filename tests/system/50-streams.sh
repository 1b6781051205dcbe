# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Pipes and terminals.

test_a_filter_in_a_pipeline() {
    echo hello | run "$mayfly" -q -i "$busybox" -S 'tr a-z A-Z'
    expect_out HELLO
    expect_silence
    "$mayfly" -q -i "$busybox" -S 'echo hello' 2>err | "$mayfly" -q -i "$busybox" -S 'tr a-z A-Z' >out 2>>err
    expect_same "$(cat out err)" HELLO
}

test_64_mib_through_two_containers() {
    head -c 67108864 /dev/urandom >data
    "$mayfly" -q -i "$busybox" -S cat <data | "$mayfly" -q -i "$busybox" -S cat >copy
    expect_same "${PIPESTATUS[*]}" "0 0"
    cmp data copy || fail "they differ"
}

test_standard_error_stays_apart() {
    runs "$mayfly" -q -i "$busybox" -S 'echo out; echo err >&2'
    expect_out out
    expect_same "$(cat "$TEST_DIR/err")" err
}

test_standard_input_goes_from_step_to_step() {
    printf 'one\ntwo\nthree\n' | run "$mayfly" -q -i "$busybox" -S 'read a; echo 1 $a' -S 'read b; echo 2 $b' -S 'cat'
    expect_out $'1 one\n2 two\nthree'
}

test_an_early_end_of_the_reader() {
    "$mayfly" -q -i "$busybox" -S 'yes' 2>err | head -n 1 >out
    expect_same "${PIPESTATUS[0]} $(cat out)" "141 y"
}

test_an_early_end_of_the_writer() {
    : | run "$mayfly" -q -i "$busybox" -S 'cat; echo end'
    expect_out end
}

test_closed_descriptors() {
    local closing
    for closing in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
        bash -c "exec \"\$@\" $closing" - "$mayfly" -i "$busybox" -S 'echo x; echo y >&2; true' >out 2>err ||
            fail "with $closing: $(cat out err)"
    done
}

test_files_and_devices_as_streams() {
    runs "$mayfly" -q -i "$busybox" -S 'cat; echo more' </etc/hostname
    expect_out "$(cat /etc/hostname)"$'\nmore'
    echo first >file
    "$mayfly" -q -i "$busybox" -S 'echo second' >>file </dev/null
    expect_same "$(cat file)" $'first\nsecond'
    "$mayfly" -q -i "$busybox" -S 'echo x' >/dev/full 2>err && fail "a full device went unnoticed"
    true
}

test_window_size_and_its_change() {
    size=30x91 tty 'expect:30 91' resize:41x102 'send:\r' 'expect:41 102' -- \
        "$mayfly" -i "$busybox" -S 'test -t 0 && test -t 1 && test -t 2 && stty size; read x; stty size'
    expect_status 0
}

test_resize_reaches_the_program() {
    size=20x20 tty 'expect:ready' resize:33x44 'expect:33 44' -- \
        "$mayfly" -q -i "$busybox" -S 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.1; done'
    expect_status 0
}

test_control_c_on_a_terminal() {
    tty 'expect:ready' 'send:\x03' -- "$mayfly" -i "$busybox" -S 'echo ready; sleep 1000' -S 'echo never'
    expect_status 130
    ! grep -q '^never' "$TEST_DIR/out" || fail "went on"
}

test_control_c_with_pipes_for_output() {
    tty 'expect:ready' 'send:\x03' -- bash -c '"$@" >"$TEST_DIR/file" ; exit $?' - "$mayfly" -q -i "$busybox" -S 'echo ready >/dev/tty; sleep 1000'
    expect_status 130
}

test_control_c_that_the_program_handles() {
    tty 'expect:ready' 'send:\x03' 'expect:caught' -- \
        "$mayfly" -q -i "$busybox" -S 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done'
    [ "$status" = 3 ] || [ "$status" = 130 ] || fail "expected 3 or 130"
}

test_hangup_of_the_terminal() {
    tty 'expect:ready' hangup -- "$mayfly" -i "$busybox" -S 'trap "" HUP; echo ready; sleep 1000'
    expect_status 129
}

test_a_terminal_is_typed_on() {
    tty 'expect:name?' 'send:Ada\r' 'expect:hello Ada' 'send:\x04' 'expect:end' -- \
        "$mayfly" -q -i "$busybox" -S 'echo "name?"; read n; echo hello $n; cat; echo end'
    expect_status 0
}

test_a_terminal_for_input_and_a_pipe_for_output() {
    tty -- bash -c '"$@" | cat >"$TEST_DIR/file"' - "$mayfly" -q -i "$busybox" -S 'test -t 0 && ! test -t 1 && test -t 2 && echo right'
    expect_same "$(cat "$TEST_DIR/file")" right
}

test_a_pipe_for_input_and_a_terminal_for_output() {
    tty -- bash -c 'echo in | "$@"' - "$mayfly" -q -i "$busybox" -S '! test -t 0 && test -t 1 && read x && echo "$x right"'
    grep -q 'in right' "$TEST_DIR/out" || fail "wrong"
}

test_the_terminal_is_left_as_it_was() {
    tty -- bash -c 'stty -g >"$TEST_DIR/a"; "$@"; stty -g >"$TEST_DIR/b"; exit 0' - "$mayfly" -q -i "$busybox" -S 'stty raw -echo; exit 1'
    expect_same "$(cat "$TEST_DIR/b")" "$(cat "$TEST_DIR/a")"
    tty 'expect:ready' 'send:\x03' -- bash -c 'trap : INT; stty -g >"$TEST_DIR/a"; "$@"; stty -g >"$TEST_DIR/b"; exit 0' - "$mayfly" -q -i "$busybox" -S 'echo ready; sleep 1000'
    expect_same "$(cat "$TEST_DIR/b")" "$(cat "$TEST_DIR/a")"
}

test_the_terminal_belongs_to_the_container() {
    tty -- "$mayfly" -q -i "$busybox" -S 'test -c "$(tty)" && ls -l "$(tty)" >/dev/null && echo x >/dev/tty && echo right'
    grep -q '^right' "$TEST_DIR/out" || fail "wrong"
}

test_much_output_on_a_terminal_arrives() {
    tty -- "$mayfly" -q -i "$busybox" -S 'seq 1 20000; echo end'
    expect_same "$(grep -c . "$TEST_DIR/out")" 20001
    expect_same "$(tail -n 1 "$TEST_DIR/out" | tr -d '\r')" end
}

test_shell_on_failure() {
    tty 'expect:#' 'send:cat /tmp/made; exit 0\r' 'expect:by the step' -- \
        "$mayfly" -i "$busybox" --on-failure shell -W /tmp -S 'echo by the step >made; exit 6' -S 'echo never'
    expect_status 6
    ! grep -q '^never' "$TEST_DIR/out" || fail "went on"
    run "$mayfly" -q -i "$busybox" --on-failure shell -S 'exit 6' </dev/null
    expect_status 6
}
