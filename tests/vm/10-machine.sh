# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What the virtual machine is; the other tests here rest on it.

test_cgroups_are_of_version_2_alone() {
    expect_same "$(grep -c ' - cgroup ' /proc/self/mountinfo)" 0
    expect_same "$(wc -l </proc/self/cgroup)" 1
    local controller
    for controller in cpu cpuset io memory pids; do
        grep -qw $controller /sys/fs/cgroup/cgroup.controllers || fail "no $controller"
    done
}

test_cgroups_are_delegated() {
    local own parent
    own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
    parent=${own%/*}
    mkdir "$parent/mine"
    grep -qw memory "$parent/mine/cgroup.controllers" || fail "no memory controller for one's own cgroup"
    echo 64M >"$parent/mine/memory.max"
    (echo $BASHPID >"$parent/mine/cgroup.procs") || fail "cannot move into one's own cgroup"
    rmdir "$parent/mine"
}

test_root_may_do_everything() {
    only root
    expect_same "$(awk '/^CapEff/ { print $2 }' /proc/self/status)" 000001ffffffffff
    [ -b /dev/vdc ] || fail "no empty disk"
}

test_the_clock_runs() {
    runs "$mayfly" -q -i "$busybox" -S 'uname -r; date +%Y'
    [ "$(tail -n 1 "$TEST_DIR/out")" -ge 2024 ] || fail "the machine does not know the year"
}
