# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What a container's programs may have that no control group is needed for.

test_limits_of_each_program() {
    runs "$mayfly" -q -i "$busybox" --ulimit nofile=100:120 --ulimit core=0 -S 'ulimit -Sn; ulimit -Hn; ulimit -c' -S 'ulimit -Sn'
    expect_out $'100\n120\n0\n100'
    # Fewer than PID 1 has itself: it does not take them on.
    runs "$mayfly" -q -i "$busybox" --ulimit nofile=8 -S 'ulimit -n' -S 'echo next'
    expect_out $'8\nnext'
    run "$mayfly" -q -i "$busybox" --ulimit fsize=1024 -S 'dd if=/dev/zero of=/file bs=1024 count=4 2>/dev/null'
    [ "$status" != 0 ] || fail "a file grew beyond its limit"
    runs "$mayfly" -q -i "$busybox" --ulimit nofile=100 -u 1 -S "ulimit -n"
    expect_out 100
}

test_a_limit_above_the_hosts() {
    local hard
    hard=$(ulimit -Hn)
    [ "$hard" != unlimited ] || skip "no limit here"
    run "$mayfly" -i "$busybox" --ulimit "nofile=$((hard + 1))" -S 'ulimit -n'
    if [ "$status" = 0 ]; then
        expect_out $((hard + 1))
    else
        expect_complaint 125 'ulimit nofile' "hard limit is $hard" 'CAP_SYS_RESOURCE'
    fi
    run "$mayfly" -i "$busybox" --ulimit 'files=1' -S true
    expect_complaint 2 "ulimit 'files=1'"
}

test_size_of_shared_memory() {
    runs "$mayfly" -q -i "$busybox" -S 'df -k /dev/shm | awk "NR == 2 { print \$2 }"'
    expect_out 65536
    runs "$mayfly" -q -i "$busybox" --shm-size 5m -S 'df -k /dev/shm | awk "NR == 2 { print \$2 }"; ! dd if=/dev/zero of=/dev/shm/f bs=1M count=8 2>/dev/null'
    expect_out 5120
    run "$mayfly" -i "$busybox" --shm-size 0 -S true
    expect_complaint 2 'shm-size'
}

test_switches_of_the_containers_own() {
    local before
    before=$(cat /proc/sys/net/ipv4/ip_default_ttl)
    runs "$mayfly" -q -i "$busybox" -n none --sysctl net.ipv4.ip_default_ttl=33 -S 'cat /proc/sys/net/ipv4/ip_default_ttl; ! (echo 34 >/proc/sys/net/ipv4/ip_default_ttl) 2>/dev/null'
    expect_out 33
    expect_same "$(cat /proc/sys/net/ipv4/ip_default_ttl)" "$before"
    run "$mayfly" -i "$busybox" --sysctl kernel.core_pattern=x -S true
    expect_complaint 2 'kernel.core_pattern' "whole host's"
    run "$mayfly" -i "$busybox" -n host --sysctl net.ipv4.ip_default_ttl=33 -S true
    expect_complaint 2 'net host'
    run "$mayfly" -i "$busybox" -n none --sysctl net.ipv4.no_such_switch=1 -S true
    expect_complaint 125 'no_such_switch'
    run "$mayfly" -i "$busybox" -n none --sysctl net.ipv4.ip_default_ttl=many -S true
    expect_complaint 125 'ip_default_ttl=many'
}

test_who_is_killed_first() {
    runs "$mayfly" -q -i "$busybox" --oom-score-adj 500 -S 'cat /proc/self/oom_score_adj'
    expect_out 500
    run "$mayfly" -i "$busybox" --oom-score-adj 2000 -S true
    expect_complaint 2 'oom-score-adj'
    [ "$mode" != root ] || return 0 # who may be able to
    run "$mayfly" -i "$busybox" --oom-score-adj -900 -S true
    expect_complaint 125 'oom-score-adj -900' 'CAP_SYS_RESOURCE'
}

test_doctor_tries_the_limits() {
    runs "$mayfly" doctor
    if [ "$mode" != root ] && grep -q ':memory:' /proc/self/cgroup; then
        grep -q '^note .*limits .*--memory cannot be enforced' "$TEST_DIR/out" || fail "nothing of limits"
    else
        grep -q '^ok .*limits .*--memory, --cpus, --cpuset, --pids' "$TEST_DIR/out" || fail "no limits"
    fi
}
