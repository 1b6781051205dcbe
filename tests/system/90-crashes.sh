# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# mayfly killed at any moment, and each of its system calls failing.

# What a run can leave, beside processes, which the runner looks for at the end.
nothing_left() {
    local left
    left=$(store_leavings)
    [ -z "$left" ] || fail "after $1: $left"
    expect_same "$(list_all_mounts)" "$mounts_at_first"
    # Nor half a download beside the files that are meant to be there.
    left=$(find . -mindepth 1 -maxdepth 1 ! -name v ! -name c ! -name x ! -name out ! -name image.tar)
    [ -z "$left" ] || fail "after $1: $left"
}
list_all_mounts() { cut -d' ' -f4- /proc/self/mountinfo; }
seed() {
    RANDOM=${MAYFLY_SEED:-$$}
    echo "seed ${MAYFLY_SEED:-$$}"
    mounts_at_first=$(list_all_mounts)
}
crashes=${MAYFLY_CRASHES:-200}

test_killed_at_200_random_moments() {
    seed
    local i killed=0 began moment
    mkdir -p v c/d
    echo kept >c/d/f
    local run=("$mayfly" -q -i "$busybox" -v "$PWD/v:/v" -v "$PWD/c:/c:cow" --tmpfs /t -W /job
        -S 'echo x >/job/x; echo y >/c/d/y; setsid sleep 1000 & mkdir -p /job/deep/er' -D /job/x -S 'rm /c/d/f; true')
    runs "${run[@]}"
    began=${EPOCHREALTIME/./}
    runs "${run[@]}"
    runs "${run[@]}"
    local usual=$(((${EPOCHREALTIME/./} - began) / 2))
    for ((i = 0; killed < crashes && i < crashes * 10; i++)); do
        moment=$(((RANDOM * 32768 + RANDOM) % usual))
        # How long a run takes changes with what else the machine does: follow it.
        if "$helpers/killer" $moment "${run[@]}" >/dev/null 2>&1; then
            killed=$((killed + 1))
            usual=$((usual * 51 / 50))
        else
            usual=$((usual * 9 / 10 + 500))
        fi
        # As whoever comes next: every fifth time, so that leavings of several pile up too.
        if ((i % 5 == 4 || i < 50)); then
            runs "$mayfly" -q -i "$busybox" -S true
            nothing_left "a kill after $moment microseconds"
        fi
    done
    runs "$mayfly" -q -i "$busybox" -S true
    nothing_left "the last kill"
    expect_same "$(find c -type f -exec cat {} +)" kept
    expect_same "$killed" "$crashes"
}

test_killed_while_an_image_is_unpacked() {
    fresh_store
    seed
    local i began moment
    cp "$images/busybox-docker.tar" image.tar
    began=${EPOCHREALTIME/./}
    runs "$mayfly" -q -i docker-archive:image.tar -S true
    local usual=$((${EPOCHREALTIME/./} - began))
    for ((i = 0; i < crashes / 5; i++)); do
        rm -rf "$MAYFLY_STORE" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$MAYFLY_STORE"
        moment=$(((RANDOM * 32768 + RANDOM) % usual))
        "$helpers/killer" $moment "$mayfly" -q -i docker-archive:image.tar -S true >/dev/null 2>&1
        runs "$mayfly" -q -i docker-archive:image.tar -S 'cat /etc/first /etc/second'
        expect_out $'from the first layer\nfrom the second layer'
        nothing_left "a kill after $moment microseconds"
    done
}

test_killed_while_a_step_runs() {
    local i pids=()
    make_fifos
    mounts_at_first=$(list_all_mounts)
    for i in 1 2 3; do
        "$mayfly" -q -i "$busybox" "${fifos[@]}" -S 'setsid sleep 1000 & trap "" TERM HUP INT; echo ready >/told; while :; do sleep 1000; done' &
        pids+=($!)
        await ready
    done
    kill -KILL "${pids[@]}"
    wait
    runs "$mayfly" -q -i "$busybox" -S true
    nothing_left "three kills"
}

test_the_living_are_left_alone() {
    make_fifos
    "$mayfly" -q -i "$busybox" "${fifos[@]}" -S 'echo mine >/tmp/x; echo ready >/told; read x </go; cat /tmp/x' >out &
    await ready
    "$helpers/killer" 3000 "$mayfly" -q -i "$busybox" -S 'sleep 1000' >/dev/null 2>&1
    runs "$mayfly" -q -i "$busybox" -S true
    expect_same "$(store_leavings | grep -c .)" 1
    let_go
    ends_with 0 $!
    expect_same "$(cat out)" mine
}

# The run whose calls fail: everything that makes or removes something.
faulty() {
    MAYFLY_FAULT=$1 timeout -s KILL 60 "$mayfly_fault" -q -i "$busybox" -v "$PWD/v:/v" -v "$PWD/c:/c:cow" --tmpfs /t -W /job \
        -S 'echo x >/job/x' -D /job/x -U c:/up -S true
}

count_calls() {
    mkdir -p v c
    echo kept >c/f
    runs "$mayfly" -q -i "$busybox" -S true
    runs faulty "count:$TEST_DIR/calls"
    n_calls=$(tr -d '\0' <"$TEST_DIR/calls" | wc -l)
    [ "$n_calls" -gt 20 ] || fail "only $n_calls calls"
    mounts_at_first=$(list_all_mounts)
}
call() { tr -d '\0' <"$TEST_DIR/calls" | sed -n "${1}s/ *$//p"; }

test_each_system_call_failing() {
    [ -x "$mayfly_fault" ] || exit 78
    count_calls
    local n error
    for ((n = 1; n <= n_calls; n++)); do
        error=$((n % 2 ? 12 : 28)) # out of memory, out of space
        run faulty "fail:$error:$n"
        if [ "$status" != 0 ]; then
            expect_complaint 125
        fi
        runs "$mayfly" -q -i "$busybox" -S true
        nothing_left "call $n, $(call $n), failing with $error"
    done
    expect_same "$(cat c/f)" kept
}

test_killed_at_each_system_call() {
    [ -x "$mayfly_fault" ] || exit 78
    count_calls
    local n
    for ((n = 1; n <= n_calls; n++)); do
        run faulty "kill:$n"
        [ "$status" = 137 ] || [ "$status" = 125 ] || [ "$status" = 0 ] || fail "expected 137, 125 or 0"
        runs "$mayfly" -q -i "$busybox" -S true
        nothing_left "a kill at call $n, $(call $n)"
    done
    expect_same "$(cat c/f)" kept
}

test_each_system_call_of_an_import_failing() {
    [ -x "$mayfly_fault" ] || exit 78
    fresh_store
    mounts_at_first=$(list_all_mounts)
    cp "$images/noshell.tar" image.tar
    MAYFLY_FAULT=count:$TEST_DIR/calls runs "$mayfly_fault" -q -i image.tar -X /bin/busybox true
    n_calls=$(tr -d '\0' <"$TEST_DIR/calls" | wc -l)
    local n
    for ((n = 1; n <= n_calls; n++)); do
        rm -rf "$MAYFLY_STORE" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$MAYFLY_STORE"
        MAYFLY_FAULT=fail:28:$n run "$mayfly_fault" -q -i image.tar -X /bin/busybox true
        if [ "$status" != 0 ]; then
            expect_complaint 125
        fi
        runs "$mayfly" -q -i image.tar -X /bin/busybox true
        nothing_left "call $n, $(call $n), failing"
        MAYFLY_FAULT=kill:$n run "$mayfly_fault" -q -i "$images/noshell.tar" -X /bin/busybox true
        runs "$mayfly" -q -i image.tar -X /bin/busybox true
        nothing_left "a kill at call $n, $(call $n)"
    done
}

# --- containers that live longer ------------------------------------------------

# verb NAME: one of the commands, on container "it"
verb() {
    case $1 in
    create) "$mayfly_fault" create --name it --net none "$busybox" sleep 1000 ;;
    run) "$mayfly_fault" run -d --name it --net none "$busybox" sleep 1000 ;;
    start | rm) "$mayfly_fault" "$1" it ;;
    exec) "$mayfly_fault" exec it sh -c 'echo x >/x' ;;
    enter) "$mayfly_fault" exec --privileged it sh -c 'echo x >/x' ;;
    cp) "$mayfly_fault" cp "$TEST_DIR/calls" it:/ ;;
    stop) "$mayfly_fault" stop -t 0 it ;;
    esac
}
# before NAME: how container "it" is when that is called; of what an earlier one has left nothing is
before() {
    "$mayfly" rm -f it >/dev/null 2>&1
    case $1 in
    create | run) ;;
    start | rm | cp) "$mayfly" create --name it --net none "$busybox" sleep 1000 >/dev/null || fail "cannot create" ;;
    exec | enter | stop) "$mayfly" run -d --name it --net none "$busybox" sleep 1000 >/dev/null || fail "cannot run" ;;
    esac
}
# whole_after WHAT: the container is there and can be used, or it is not there
whole_after() {
    local state
    # Half of one that was being made goes with the next command that looks at all of them.
    runs "$mayfly" ps -aq
    state=$("$mayfly" inspect --format '{{.State.Status}}' it 2>/dev/null)
    case $state in
    '') ;;
    running)
        runs "$mayfly" exec it true
        ;;
    created | exited)
        runs "$mayfly" start it
        runs "$mayfly" exec it true
        ;;
    *) fail "after $1 it is '$state'" ;;
    esac
    run "$mayfly" rm -f it
    [ "$status" = 0 ] || [ -z "$state" ] || fail "after $1 it cannot be removed"
    state=$(find "$MAYFLY_STORE"/*/{containers,names,runs,tmp} -mindepth 1 2>/dev/null)
    [ -z "$state" ] || fail "after $1: $state"
}
# each_call WAY: of each of the commands
each_call() {
    [ -x "$mayfly_fault" ] || exit 78
    fresh_store
    local name n n_calls
    runs "$mayfly" -q -i "$busybox" -S true
    for name in create run start exec enter cp stop rm; do
        before "$name"
        MAYFLY_FAULT=count:$TEST_DIR/calls runs verb "$name"
        n_calls=$(tr -d '\0' <"$TEST_DIR/calls" | wc -l)
        for ((n = 1; n <= n_calls; n++)); do
            # Those by which a container is built are tried above.
            [[ $(call "$n") != @(mount|mknodat) ]] || continue
            before "$name"
            MAYFLY_FAULT=$1:$n run verb "$name"
            if [ "${1%%:*}" = fail ] && [ "$status" != 0 ]; then
                expect_complaint 125
            fi
            whole_after "$name: $1 at call $n of $n_calls, $(call $n)"
        done
    done
}
test_each_system_call_of_a_longer_life_failing() { each_call fail:28; }
test_killed_at_each_system_call_of_a_longer_life() { each_call kill; }
