# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# A system container of somebody who is not root: it takes a cgroup of version 2 that is delegated.

logged() { "$mayfly" logs it 2>&1 | grep -q "$1"; }

test_systemd_boots_without_root() {
    only subuid
    needs_debian
    local patience=240
    fresh_store
    runs "$mayfly" run -dit --name it --init-system --memory 256m "$debian"
    until_true logged 'login: '
    # It divides the group that it was given, and is held by its limit all the same.
    runs "$mayfly" exec it sh -c 'cat /proc/1/comm; cd /sys/fs/cgroup; ls -d system.slice init.scope; cat cgroup.subtree_control'
    grep -qx systemd "$TEST_DIR/out" || fail "it is not process 1"
    grep -qx system.slice "$TEST_DIR/out" || fail "no groups of its own"
    grep -qw memory "$TEST_DIR/out" || fail "it could not hand the memory controller on"
    runs "$mayfly" exec --privileged it sh -c 'cat /proc/1/comm; cat /proc/self/cgroup'
    expect_out $'systemd\n0::/mayfly'
    runs "$mayfly" stop -t 200 it
    expect_same "$(kept_state it exit-code)" 0
    logged 'System Shutdown' || fail "it was not asked"
    runs "$mayfly" rm it
}
