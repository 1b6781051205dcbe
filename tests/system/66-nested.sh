# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# mayfly inside mayfly.

# nested OPTION... -- INNER ARGUMENT...: a container in a container; its store is in memory
nested() {
    local outer=()
    while [ "$1" != -- ]; do
        outer+=("$1")
        shift
    done
    shift
    [ -d img ] || { mkdir img && tar -C img --no-same-owner -xf "$busybox" 2>/dev/null; }
    run "$mayfly" -q -n none -i "$debian" "${outer[@]}" -v "$mayfly:/mayfly:ro" -v "$PWD/img:/img:ro" --tmpfs /store \
        -e MAYFLY_STORE=/store -X /mayfly -q -n none -i /img "$@" ';'
}

test_a_container_in_a_container() {
    needs_debian
    local options
    for options in --privileged '--security-opt unmask=ALL'; do
        # shellcheck disable=SC2086
        nested $options -- -S 'echo $PPID; ls -d /proc/[0-9]* | wc -l; grep Seccomp: /proc/self/status; chown 1:1 /etc/group; id -u' \
            -u root -U /etc/hostname:/up -D /up:/tmp/down
        expect_status 0
        expect_same "$(sed -n 1p "$TEST_DIR/out")" 1
        [ "$(sed -n 2p "$TEST_DIR/out")" -le 6 ] || fail "processes of the outer container are seen"
        expect_same "$(awk '/Seccomp/ { print $2 }' "$TEST_DIR/out")" 2
        expect_same "$(tail -n 1 "$TEST_DIR/out")" 0
    done
}

test_where_it_cannot_be_the_mend_is_named() {
    needs_debian
    nested -- -S true
    expect_complaint 125 '/proc' 'unmask=ALL'
}

# Version 1 is not handed on to whoever is in a user namespace, which is said.
test_limits_in_a_limited_container() {
    needs_debian
    only root
    grep -q ':memory:' /proc/self/cgroup || exit 78
    nested --privileged -m 256m --pids 200 -- -m 32m --pids 20 -S true
    expect_complaint 125 'cannot be enforced: cgroups of version 1 are mounted read-only' 'set the limit on the outer container'
}
