# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# What a container's program writes: shown, kept, and never in its way.

both='i=0; while [ $i -lt 10000 ]; do i=$((i+1)); echo "out $i"; echo "err $i" >&2; done'
in_order() { seq 1 10000 | sed "s/^/$1 /" | cmp -s - "$2"; }

test_ten_thousand_lines_in_order() {
    fresh_store
    runs "$mayfly" run --name it "$busybox" sh -c "$both"
    in_order out "$TEST_DIR/out" || fail "standard output of run"
    in_order err "$TEST_DIR/err" || fail "standard error of run"
    runs "$mayfly" logs it
    in_order out "$TEST_DIR/out" || fail "standard output in the log"
    in_order err "$TEST_DIR/err" || fail "standard error in the log"
    runs "$mayfly" rm it
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    runs "$mayfly" exec it sh -c "$both"
    in_order out "$TEST_DIR/out" || fail "standard output of exec"
    in_order err "$TEST_DIR/err" || fail "standard error of exec"
    runs "$mayfly" rm -f it
}

test_logs_from_when_and_how_many() {
    fresh_store
    runs "$mayfly" run --name it "$busybox" sh -c 'seq 1 100; printf unfinished'
    runs "$mayfly" logs --tail 3 it
    expect_out $'99\n100\nunfinished'
    runs "$mayfly" logs --tail 0 it
    expect_out ''
    runs "$mayfly" logs --since 2030-01-01 it
    expect_out ''
    runs "$mayfly" logs --until 2000-01-01T00:00:00Z it
    expect_out ''
    runs "$mayfly" logs --since 10m -t -n 1 it
    grep -Eq '^[0-9-]+T[0-9:.]+Z unfinished$' "$TEST_DIR/out" || fail "no moment"
    run "$mayfly" logs --since yesterday it
    expect_complaint 2 "'yesterday' is no moment"
    runs "$mayfly" rm it
}

test_logs_follow_until_the_end() {
    fresh_store
    make_fifos
    runs "$mayfly" run -d --name it "${fifos[@]}" "$busybox" sh -c 'echo one; echo ready >/told; read x </go; echo two; exit 0'
    await ready
    "$mayfly" logs -f it >followed &
    let_go
    ends_with 0 $!
    expect_same "$(cat followed)" $'one\ntwo'
    runs "$mayfly" rm -f it
}

test_logs_are_bytes() {
    fresh_store
    head -c 100000 /dev/urandom >bytes
    runs "$mayfly" run --name it -v "$PWD/bytes:/bytes:ro" "$busybox" cat /bytes
    cmp "$TEST_DIR/out" bytes || fail "run changed them"
    runs "$mayfly" logs it
    cmp "$TEST_DIR/out" bytes || fail "the log changed them"
    runs "$mayfly" rm it
}

test_logs_begin_anew_when_full() {
    fresh_store
    runs "$mayfly" run --name it --log-opt max-size=64k "$busybox" seq 1 100000
    runs "$mayfly" logs it
    expect_same "$(tail -n 1 "$TEST_DIR/out")" 100000
    [ "$(du -cb "$MAYFLY_STORE"/*/containers/*/log* | tail -n 1 | cut -f1)" -lt 200000 ] || fail "too large"
    runs "$mayfly" rm it
    runs "$mayfly" run --name it --log-driver none "$busybox" echo shown
    expect_out shown
    runs "$mayfly" logs it
    expect_out ''
    runs "$mayfly" rm it
}

test_a_full_disk_drops_lines_and_says_so() {
    only root
    mkdir store
    mount -t tmpfs -o size=8m none store
    export MAYFLY_STORE=$PWD/store
    make_fifos
    runs "$mayfly" run -d --name it "${fifos[@]}" "$busybox" sh -c \
        'echo ready >/told; read x </go; seq 1 20000; echo written >/told; read x </go; echo again; echo last >/told; read x </go'
    await ready
    head -c 16m /dev/zero >store/filler 2>/dev/null
    let_go
    await written
    rm store/filler
    let_go
    await last
    runs "$mayfly" logs it
    expect_err 'mayfly: [0-9]+ bytes of output are missing here: No space left on device'
    grep -q again "$TEST_DIR/out" || fail "what came later is missing"
    runs "$mayfly" rm -f it
    umount store
}

test_health_is_looked_at_and_waited_for() {
    fresh_store
    runs "$mayfly" run -d --name it --health-cmd 'test -e /well' --health-interval 50ms --health-retries 2 \
        "$busybox" sleep 1000
    "$mayfly" wait --condition healthy it &
    runs "$mayfly" exec it touch /well
    ends_with 0 $!
    runs "$mayfly" inspect -f '{{.State.Health.Status}}' it
    expect_out healthy
    runs "$mayfly" ps -q --filter health=healthy
    [ -s "$TEST_DIR/out" ] || fail "not found by its health"
    runs "$mayfly" exec it rm /well
    local i
    for ((i = 0; i < 3000; i++)); do
        [ "$("$mayfly" inspect -f '{{.State.Health.Status}}' it)" != unhealthy ] || break
        sleep 0.01
    done
    runs "$mayfly" inspect -f '{{.State.Health.Status}}' it
    expect_out unhealthy
    runs "$mayfly" rm -f it
}

test_a_thousand_programs_leave_a_supervisor_as_it_was() {
    fresh_store
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    local supervisor init before after i
    supervisor=$("$mayfly" inspect -f '{{.State.SupervisorPid}}' it)
    init=$("$mayfly" inspect -f '{{.State.Pid}}' it)
    measure() { ls "/proc/$supervisor/fd" | wc -l; sed -n 's/^VmData://p' "/proc/$supervisor/status" "/proc/$init/status"; }
    for ((i = 0; i < 20; i++)); do "$mayfly" exec it true; done
    before=$(measure)
    for ((i = 0; i < 1000; i++)); do "$mayfly" exec it true || fail "program $i"; done
    after=$(measure)
    expect_same "$after" "$before"
    runs "$mayfly" rm -f it
}

test_fifty_containers_by_eight_processes() {
    fresh_store
    runs "$mayfly" run --rm "$busybox" true
    local i pids=()
    for ((i = 0; i < 8; i++)); do
        (
            for ((j = i; j < 50; j += 8)); do
                "$mayfly" run -d --name "c$j" "$busybox" sleep 1000 >/dev/null || exit 1
            done
        ) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do ends_with 0 "$i"; done
    expect_same "$("$mayfly" ps -q | wc -l)" 50
    pids=()
    for ((i = 0; i < 8; i++)); do
        (for ((j = i; j < 50; j += 8)); do "$mayfly" rm -f "c$j" >/dev/null || exit 1; done) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do ends_with 0 "$i"; done
    expect_same "$("$mayfly" ps -aq | wc -l)" 0
    expect_same "$(find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1)" ''
}
