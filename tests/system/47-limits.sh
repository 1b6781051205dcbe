# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Limits by control groups: of version 1 where the host's controllers are bound
# to it, and of version 2, as in the virtual machine.

# limited: the test needs limits, which on version 1 are root's
limited() {
    [ "$mode" = root ] || ! bound_to_v1 memory || exit 78
}
bound_to_v1() { grep -q ":\([a-z]*,\)*$1\(,[a-z]*\)*:" /proc/self/cgroup; }
# in_group NAME V1CONTROLLER V1FILE [V2FILE]: a file of the group of the container of that name
in_group() {
    local file=${4:-}
    ! bound_to_v1 "$2" || file=$3
    find /sys/fs/cgroup -path "*/mayfly-$1-*/$file" -exec cat {} +
}
eats_memory='x=0123456789; while :; do x=$x$x; done'

test_a_step_that_runs_out_of_memory() {
    limited
    run "$mayfly" -i "$busybox" -m 16m --json run.json -S 'echo before' -S "$eats_memory" -S 'echo after'
    expect_status 137
    expect_out before
    expect_err '^mayfly: .*step 2 ran out of memory: limit 16 MiB$'
    expect_err '^mayfly: \[2/3\] .*  out of memory  '
    expect_err '^mayfly: used  .* of 16 MiB memory, .* processes, .* of processor time$'
    grep -q '"out_of_memory":true' run.json || fail "the report does not say so"
    grep -q '"exit_status":137' run.json || fail "the report has another status"
    grep -q '"oom_kills":[1-9]' run.json || fail "the report counts no kill"
}

test_other_kills_are_told_apart() {
    limited
    run "$mayfly" -i "$busybox" -m 16m --json run.json -S 'kill -KILL $$'
    expect_status 137
    expect_err 'killed by SIGKILL'
    expect_no_err 'out of memory'
    grep -q '"out_of_memory":false' run.json || fail "the report says it was"
    grep -q '"oom_kills":0' run.json || fail "the report counts a kill"
}

test_a_step_that_outlives_its_child_out_of_memory() {
    limited
    runs "$mayfly" -i "$busybox" -m 16m -S "sh -c '$eats_memory'; echo went on" -S 'echo next'
    expect_out $'went on\nnext'
    expect_err 'step 1 went on, but a process of it ran out of memory: limit 16 MiB'
    expect_no_err 'step 2'
    # The status is the step's own.
    run "$mayfly" -i "$busybox" -m 16m -S "sh -c '$eats_memory' || exit 3"
    expect_status 3
    expect_err 'step 1 ran out of memory'
}

test_files_in_memory_count_too() {
    limited
    run "$mayfly" -i "$busybox" -m 16m --tmpfs /t:64m -S 'dd if=/dev/zero of=/t/file bs=1M count=48 2>/dev/null'
    expect_status 137
    expect_err 'step 1 ran out of memory'
    runs "$mayfly" -q -i "$busybox" -m 64m --tmpfs /t:64m -S 'dd if=/dev/zero of=/t/file bs=1M count=48 2>/dev/null'
}

test_a_limit_of_processes() {
    limited
    run "$mayfly" -i "$busybox" --pids 16 --json run.json \
        -S 'n=0; while [ $n -lt 40 ]; do sleep 1000 & n=$((n+1)); done'
    expect_err "can't fork"
    expect_err 'used  .*1[0-9] of 16 processes'
    # Docker's spelling, and steps after a full house.
    runs "$mayfly" -q -i "$busybox" --pids-limit 16 -S '(n=0; while [ $n -lt 40 ]; do sleep 1000 & n=$((n+1)); done) 2>/dev/null; killall sleep' -S 'echo next'
    expect_out next
}

test_a_set_of_processors() {
    limited
    runs "$mayfly" -q -i "$busybox" --cpuset 0 -S 'sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status'
    expect_out 0
    runs "$mayfly" -q -i "$busybox" --cpuset-cpus 0 -S nproc
    expect_out 1
    run "$mayfly" -i "$busybox" --cpuset 4000 -S true
    expect_complaint 125 'cpuset 4000' 'there are 0'
}

test_limits_stand_in_the_group() {
    limited
    make_fifos
    "$mayfly" -q -i "$busybox" --name "limits$$" -m 64m --memory-swap 80m --cpus 0.5 --cpu-shares 512 --pids 50 \
        "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    await ready
    expect_same "$(in_group limits$$ memory memory.limit_in_bytes memory.max)" 67108864
    expect_same "$(in_group limits$$ pids pids.max pids.max)" 50
    if bound_to_v1 cpu; then
        expect_same "$(in_group limits$$ cpu cpu.cfs_quota_us)/$(in_group limits$$ cpu cpu.cfs_period_us)" 50000/100000
        expect_same "$(in_group limits$$ cpu cpu.shares)" 512
    else
        expect_same "$(in_group limits$$ cpu '' cpu.max)" '50000 100000'
        expect_same "$(in_group limits$$ cpu '' cpu.weight)" 50
        expect_same "$(in_group limits$$ memory '' memory.swap.max)" 16777216
    fi
    let_go
    ends_with 0 $!
    expect_same "$(find /sys/fs/cgroup -name "mayfly-limits$$-*")" ''
}

test_a_group_is_the_top_inside() {
    limited
    runs "$mayfly" -q -i "$busybox" -m 64m -S 'cut -d: -f3 /proc/self/cgroup | sort -u'
    expect_out /
    if bound_to_v1 memory; then
        runs "$mayfly" -q -i "$busybox" -m 64m -S 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes; ! (echo -1 >/sys/fs/cgroup/memory/memory.limit_in_bytes) 2>/dev/null; ! mkdir /sys/fs/cgroup/x /sys/fs/cgroup/memory/x 2>/dev/null'
        expect_out 67108864
    else
        runs "$mayfly" -q -i "$busybox" -m 64m -S 'cat /sys/fs/cgroup/memory.max; ! (echo max >/sys/fs/cgroup/memory.max) 2>/dev/null'
        expect_out 67108864
    fi
}

test_a_container_of_a_killed_run_with_limits() {
    limited
    fresh_store
    make_fifos
    "$mayfly" -q -i "$busybox" --name "killed$$" -m 64m --pids 50 "${fifos[@]}" -S 'sleep 1000 & echo ready >/told; read x </go' &
    await ready
    [ -n "$(find /sys/fs/cgroup -name "mayfly-killed$$-*")" ] || fail "there is no group"
    kill -KILL $!
    ends_with 137 $!
    runs "$mayfly" -q -i "$busybox" -S true
    expect_same "$(find /sys/fs/cgroup -name "mayfly-killed$$-*")" ''
    # The same name is free again.
    runs "$mayfly" -q -i "$busybox" --name "killed$$" -m 64m -S true
}

test_runs_with_limits_beside_each_other() {
    limited
    local i pids=()
    for i in 1 2 3 4 5 6; do
        "$mayfly" -q -i "$busybox" -m 32m --pids 20 -S "echo $i" >"out$i" &
        pids+=($!)
    done
    for i in 1 2 3 4 5 6; do
        ends_with 0 "${pids[i - 1]}"
        expect_same "$(cat "out$i")" "$i"
    done
}

test_a_timeout_ends_a_limited_container() {
    limited
    run "$mayfly" -q -i "$busybox" --pids 30 --cpus 0.2 --timeout 0.5 -S 'n=0; while [ $n -lt 20 ]; do (while :; do :; done) & n=$((n+1)); done; wait'
    expect_status 124
}

test_disk_limits() {
    limited
    local device
    run "$mayfly" -i "$busybox" --io-max /dev/shm:rbps=1m -S true
    expect_complaint 125 'io-max /dev/shm' 'no disk of its own'
    run "$mayfly" -i "$busybox" --io-max /nowhere:rbps=1m -S true
    expect_complaint 125 'io-max /nowhere' 'No such file'
    [ "$mode" = root ] || return 0
    device=$(findmnt -no SOURCE -T /)
    [ -b "$device" ] || skip "/ is on no block device"
    make_fifos
    "$mayfly" -q -i "$busybox" --name "disk$$" --io-max "/:rbps=8m,wiops=100" "${fifos[@]}" -S 'echo ready >/told; read x </go' 2>err &
    await ready
    if bound_to_v1 blkio; then
        in_group disk$$ blkio blkio.throttle.read_bps_device '' | grep -q ' 8388608$' || fail "no limit of bytes"
        in_group disk$$ blkio blkio.throttle.write_iops_device '' | grep -q ' 100$' || fail "no limit of operations"
    else
        in_group disk$$ blkio '' io.max | grep -q 'rbps=8388608 wbps=max riops=max wiops=100' || fail "no limits"
    fi
    let_go
    ends_with 0 $!
}

test_wrong_limits() {
    local words
    for words in '-m 1' '-m lots' '--cpus 0' '--cpus two' '--cpu-shares 1' '--pids many' '--cpuset 3-1' \
        '--memory-swap 64m' '-m 64m --memory-swap 32m' '--io-max /:speed=1' '--io-max /'; do
        # shellcheck disable=SC2086
        run "$mayfly" -i "$busybox" $words -S true
        expect_complaint 2 '(memory|cpus|cpu-shares|pids|cpuset|memory-swap|io-max)'
    done
}

test_limits_that_cannot_be_enforced() {
    only subuid single
    bound_to_v1 memory || exit 78
    local words
    for words in '--memory 64m' '--cpus 1' '--cpuset 0' '--pids 50' '--io-max /:rbps=1m'; do
        # shellcheck disable=SC2086
        run "$mayfly" -i "$busybox" $words -S 'echo never'
        expect_complaint 125 "${words%% *} cannot be enforced" 'controller' 'run as root'
        expect_out ''
    done
}

test_without_limits_no_group_is_looked_for() {
    not_sanitized "strace"
    command -v strace >/dev/null || promised "strace"
    strace -f -qq -o trace -e trace=%file,clone3 "$mayfly" -q -i "$busybox" -S true || fail "strace: $?"
    grep -q clone3 trace || fail "nothing was traced"
    ! grep -i cgroup trace | grep -v CLONE_NEWCGROUP || fail "cgroups were looked at"
}

# Those that make, change or remove a group; the others are tried by 90-crashes.sh.
test_each_call_about_a_group_failing() {
    limited
    [ -x "$mayfly_fault" ] || exit 78
    fresh_store
    local name=faults$$
    local limited_run=("$mayfly_fault" -q -i "$busybox" --name $name -m 64m --pids 50 --cpus 1 -S true) plain=("$mayfly_fault" -q -i "$busybox" -S true)
    runs "${plain[@]}"
    MAYFLY_FAULT=count:$TEST_DIR/plain runs "${plain[@]}"
    MAYFLY_FAULT=count:$TEST_DIR/calls runs "${limited_run[@]}"
    local n n_calls first
    n_calls=$(tr -d '\0' <"$TEST_DIR/calls" | wc -l)
    [ "$n_calls" -gt "$(tr -d '\0' <"$TEST_DIR/plain" | wc -l)" ] || fail "no calls are about groups"
    # Groups come right before the clone and go at the end.
    first=$(tr -d '\0' <"$TEST_DIR/calls" | grep -n -m 1 cgroup_write | cut -d: -f1)
    for ((n = first > 3 ? first - 3 : 1; n <= n_calls; n++)); do
        MAYFLY_FAULT=fail:12:$n run "${limited_run[@]}"
        [ "$status" = 0 ] || [ "$status" = 125 ] || fail "call $n failing"
        { MAYFLY_FAULT=kill:$n run "${limited_run[@]}"; } 2>/dev/null
        runs "$mayfly" -q -i "$busybox" -S true
        expect_same "$(find /sys/fs/cgroup -name "mayfly-$name-*")" ''
    done
}
