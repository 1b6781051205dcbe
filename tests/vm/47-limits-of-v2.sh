# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Limits where cgroups are of version 2 alone, as root and as a user whom some
# are delegated to: what would harm a machine if it got through, and what it
# takes to measure them.

# usage KEY: a number of the last report
usage() { sed -n "s/.*\"usage\":{[^}]*\"$1\":\([0-9.]*\).*/\1/p" run.json; }

test_out_of_memory_leaves_the_supervisor_alone() {
    run "$mayfly" -i "$busybox" -m 32m --json run.json -S 'echo before' -S 'tail /dev/zero' -S 'echo after'
    expect_status 137
    expect_out before
    expect_err 'step 2 ran out of memory: limit 32 MiB'
    [ "$(usage memory_peak_bytes)" -le $((32 << 20)) ] || fail "it had more: $(usage memory_peak_bytes)"
    expect_same "$(dmesg 2>/dev/null | grep -c 'Out of memory')" 0
}

test_a_fork_bomb_ends_with_its_container() {
    run "$mayfly" -i "$busybox" --pids 64 --timeout 5 --json run.json -S 'bomb() { bomb | bomb & }; bomb; sleep 1000'
    # The shell may have failed to fork before the time was up.
    [ "$status" = 124 ] || [ "$status" = 2 ] || fail "expected 124 or 2"
    # The machine has not noticed: another container starts, and few processes are about.
    runs "$mayfly" -q -i "$busybox" -S 'echo responsive'
    expect_out responsive
    [ "$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)" -lt 500 ] || fail "processes everywhere"
}

test_half_a_processor() {
    # Both counted by the guest's kernel: what was used, and the time it took.
    runs "$mayfly" -q -i "$busybox" --cpus 0.5 --timeout 100 \
        -S 'look() { read now rest </proc/uptime; read key used </sys/fs/cgroup/cpu.stat; }
            look; echo $now $used; end=$((${now%.*} + 6)); while [ ${now%.*} -lt $end ]; do look; done; echo $now $used'
    awk 'NR == 1 { now = $1; used = $2 }
        NR == 2 { share = ($2 - used) / 1e6 / ($1 - now); printf "share %.3f in %.2f s\n", share, $1 - now }
        END { exit !(share > 0.45 && share < 0.55) }' "$TEST_DIR/out" || fail "not half a processor"
}

test_shares_and_sets_of_processors() {
    runs "$mayfly" -q -i "$busybox" --cpu-shares 2048 --cpuset 0 -S 'nproc'
    expect_out 1
    run "$mayfly" -i "$busybox" --cpuset 0-63 -S true
    expect_complaint 125 'cpuset 0-63'
}

test_limits_on_the_hosts_network() {
    # There the host's /sys is shown, and in it the container's own group.
    runs "$mayfly" -q -n host -i "$busybox" -m 32m --pids 20 -S 'cat /sys/fs/cgroup/memory.max; ! (echo max >/sys/fs/cgroup/memory.max) 2>/dev/null; cat /proc/self/cgroup'
    expect_out $'33554432\n0::/'
    runs "$mayfly" -q -n host --privileged -i "$busybox" -m 32m -S 'cat /sys/fs/cgroup/memory.max; mkdir /sys/fs/cgroup/own'
    expect_out 33554432
    runs "$mayfly" -q -n host --privileged -i "$busybox" -S true
}

test_limits_of_a_disk() {
    only root
    mkfs.ext4 -q /dev/vdc && mkdir disk && mount /dev/vdc disk
    # Both ways, past the page cache, for a length of time that the guest's kernel tells; the kernel
    # lets a little through at first.
    local what seconds=5 limit=$((1 << 20)) bytes
    dd if=/dev/zero of=disk/file bs=1M count=64 2>/dev/null
    sync
    for what in read write; do
        local dd='dd if=/d/file of=/dev/null bs=64k iflag=direct'
        [ $what = read ] || dd='dd if=/dev/zero of=/d/new bs=64k oflag=direct'
        run "$mayfly" -q -i "$busybox" -v "$PWD/disk:/d" --json run.json \
            --io-max "$PWD/disk:rbps=1m,wbps=1m" --step-timeout ${seconds}s -S "$dd"
        expect_status 124
        bytes=$(usage io_${what}_bytes)
        [ "$bytes" -gt 0 ] || fail "nothing was $what"
        [ "$bytes" -le $(((seconds + 3) * limit)) ] || fail "$bytes bytes of $what in $seconds s"
    done
    umount disk
}

test_alone_in_a_group_that_is_ones_own() {
    # mayfly moves to a leaf of it, and back.
    local own parent
    own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
    parent=${own%/*}
    mkdir "$parent/alone"
    (
        echo $BASHPID >"$parent/alone/cgroup.procs" || exit 9
        exec "$mayfly" -q -i "$busybox" -m 32m --pids 20 -S 'cat /proc/self/cgroup'
    ) >out 2>err || fail "$(cat err)"
    expect_same "$(cat out)" 0::/
    expect_same "$(cat "$parent/alone/cgroup.procs")" ''
    expect_same "$(find "$parent/alone" -mindepth 1 -type d)" ''
    # Killed, the next command takes the leaf away.
    fresh_store
    make_fifos
    (
        echo $BASHPID >"$parent/alone/cgroup.procs" || exit 9
        exec "$mayfly" -q -i "$busybox" -m 32m "${fifos[@]}" -S 'echo ready >/told; read x </go'
    ) &
    await ready
    [ -d "$parent/alone/mayfly.supervisor" ] || fail "there is no leaf"
    kill -KILL $!
    ends_with 137 $!
    runs "$mayfly" -q -i "$busybox" -S true
    expect_same "$(find "$parent/alone" -mindepth 1 -type d)" ''
    rmdir "$parent/alone"
}

test_a_limit_without_its_controller() {
    # A group whose children have no memory controller.
    local own parent
    own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
    parent=${own%/*}
    only subuid single
    mkdir "$parent/without" "$parent/without/session"
    echo +pids >"$parent/without/cgroup.subtree_control"
    (
        echo $BASHPID >"$parent/without/session/cgroup.procs" || exit 9
        exec "$mayfly" -q -i "$busybox" --pids 30 -S 'echo held'
    ) >out 2>err || fail "$(cat err)"
    expect_same "$(cat out)" held
    rmdir "$parent/without/session" "$parent/without"
}

test_nothing_is_left_of_killed_runs_with_limits() {
    fresh_store
    local i
    for i in 1 2 3 4 5 6 7 8; do
        "$helpers/killer" $((i * 4000)) "$mayfly" -q -i "$busybox" -m 64m --pids 30 -S 'sleep 1000 & sleep 1000' >/dev/null 2>&1 || true
    done
    runs "$mayfly" -q -i "$busybox" -m 64m -S true
    # Other modes' runs are at work meanwhile.
    expect_same "$(find "/sys/fs/cgroup/tests-$mode" -name 'mayfly-*')" ''
}

test_mayfly_inside_mayfly_with_limits() {
    # The inner one makes a group in the outer one's, and has no hand in the outer one's limits.
    runs "$mayfly" -q -n none --privileged -m 256m --pids 200 -i host: -v "$mayfly:/tmp/mayfly:ro" \
        --tmpfs /inner --tmpfs /rootfs -e MAYFLY_STORE=/inner/store -e MAYFLY_NET=none \
        -S 'mkdir /rootfs/bin && cp /bin/busybox /rootfs/bin/busybox && ln -s busybox /rootfs/bin/sh' \
        -S '/tmp/mayfly -q -i /rootfs -m 32m --pids 20 -S "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max"' \
        -S '! (echo max >/sys/fs/cgroup/memory.max) 2>/dev/null; find /sys/fs/cgroup -name "mayfly-*"'
    expect_out $'33554432\n20'
}
