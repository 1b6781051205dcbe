# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Profiles of AppArmor's, of which the machine has one: tests/vm/apparmor.

test_a_profile_of_apparmor() {
    local look='cat /proc/self/attr/current; cat /etc/passwd >/dev/null && echo passwd; cat /etc/group >/dev/null && echo group; true'
    runs "$mayfly" -q -n none -i "$busybox" -S "$look"
    expect_out $'unconfined\npasswd\ngroup'
    runs "$mayfly" -q -n none -i "$busybox" --security-opt apparmor=mayfly-test -S "$look" -S "$look"
    expect_out $'mayfly-test (enforce)\npasswd\nmayfly-test (enforce)\npasswd'
    # With what else there is.
    runs "$mayfly" -q -n none -i "$busybox" --security-opt apparmor=mayfly-test --security-opt no-new-privileges --privileged -u app -S "$look"
    expect_out $'mayfly-test (enforce)\npasswd'
    runs "$mayfly" -q -n none -i "$busybox" --security-opt apparmor=unconfined -S "$look"
    expect_out $'unconfined\npasswd\ngroup'
}

test_a_profile_that_is_not_there() {
    run "$mayfly" -n none -i "$busybox" --security-opt apparmor=nowhere -S true
    expect_err '^mayfly: .*--security-opt apparmor=nowhere: the kernel has no such profile'
    expect_status 125
}
