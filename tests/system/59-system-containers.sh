# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
#
# System containers: an image's own init.

# make_box: an image "box.tar" that boots with busybox's init
make_box() {
    mkdir -p box/sbin box/etc
    ln -s ../bin/busybox box/sbin/init
    printf '%s\n' '::sysinit:/bin/echo up and running' 'console::respawn:/bin/getty -L 0 console vt100' \
        '::shutdown:/bin/sh -c "echo going down; echo yes >/stopped"' '::ctrlaltdel:/bin/reboot' >box/etc/inittab
    echo root::0:0:root:/root:/bin/sh >box/etc/passwd
    cp "$busybox" box.tar
    tar -C box --owner=0 --group=0 -rf box.tar ./sbin ./etc/inittab ./etc/passwd
}
# logged WORD: whether container "it" has said it
logged() { "$mayfly" logs it 2>&1 | grep -q "$1"; }

test_busybox_init_boots_to_a_login() {
    fresh_store
    make_box
    tty 'expect:login: ' 'send:root\r' 'expect:# ' \
        'send:tty; cat /proc/1/comm; echo $((6*7))\r' 'expect:/dev/console' 'expect:init' 'expect:42' \
        'send:poweroff\r' 'expect:going down' -- "$mayfly" run -it --rm --init-system box.tar
    expect_status 0
    [ -z "$(find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1)" ] || fail "left in the store"
}

test_busybox_init_is_stopped_in_order() {
    fresh_store
    make_box
    runs "$mayfly" run -d --name it --init-system box.tar
    until_true logged 'up and running'
    # It is process 1 to all that is in it, and those see nothing else of what is around it.
    runs "$mayfly" exec it sh -c 'cat /proc/1/comm; ps -o pid,comm'
    expect_same "$(head -n 1 "$TEST_DIR/out")" init
    ! grep -q mayfly "$TEST_DIR/out" || fail "it sees the supervisor's side"
    runs "$mayfly" exec it sh -c 'mount | grep " /run "'
    grep -q tmpfs "$TEST_DIR/out" || fail "no tmpfs"
    runs "$mayfly" stop -t 60 it
    expect_same "$(kept_state it exit-code)" 0
    logged 'going down' || fail "it was not asked"
    # What it has done then is still there, and it boots again.
    runs "$mayfly" start it
    runs "$mayfly" exec it cat /stopped
    expect_out yes
    runs "$mayfly" rm -f it
}

test_an_init_that_reboots_begins_anew() {
    fresh_store
    make_box
    # A relative path of an image is that of the directory where it was given.
    mkdir dir && tar -C dir -xf box.tar 2>/dev/null
    runs "$mayfly" run -d --name it --init-system ./dir
    until_true logged 'up and running'
    runs "$mayfly" exec it sh -c 'echo mark >/mark; echo boot >/run/boot'
    local init
    init=$(kept_state it pid)
    run "$mayfly" exec it reboot
    until_true eval '[ "$(kept_state it pid)" != 0 ] && [ "$(kept_state it pid)" != "'"$init"'" ]'
    runs "$mayfly" exec it sh -c 'cat /mark; ls /run'
    grep -q mark "$TEST_DIR/out" || fail "its changes are gone"
    ! grep -q boot "$TEST_DIR/out" || fail "/run is the old one"
    expect_same "$(kept_state it restarts)" 0
    runs "$mayfly" stop -t 60 it
    runs "$mayfly" rm it
}

test_a_killed_supervisor_takes_an_init_along() {
    fresh_store
    make_box
    runs "$mayfly" run -d --name it --init-system box.tar
    until_true logged 'up and running'
    local init
    init=$(kept_state it pid)
    runs "$mayfly" top it
    [ "$(grep -c init "$TEST_DIR/out")" -ge 1 ] || fail "top shows no init"
    kill -9 "$(kept_state it supervisor)"
    until_true dead "$init"
    runs "$mayfly" rm it
}

# runs_inside WORD: a program of container "it" has it as its last argument
runs_inside() { "$mayfly" exec it sh -c 'cat /proc/[0-9]*/cmdline' | tr '\0' ' ' | grep -q "sleep $1 "; }
test_programs_beside_an_init() {
    fresh_store
    make_box
    make_fifos
    runs "$mayfly" run -d --name it --init-system "${fifos[@]}" -v "$PWD:/here:ro" box.tar
    until_true logged 'up and running'
    tty 'send:echo $((6*7)); exit 7\r' 'expect:42' -- "$mayfly" exec -it it sh
    expect_status 7
    echo words >file
    runs "$mayfly" cp file it:/copied
    runs "$mayfly" exec it cat /copied
    expect_out words
    runs "$mayfly" exec --privileged it sh -c 'cat /proc/1/comm; grep Seccomp: /proc/self/status'
    expect_out $'init\nSeccomp:\t0'
    # Neither a program nor root in it reaches the process that holds it.
    run "$mayfly" exec it sh -c 'kill -9 -1; sleep 0'
    runs "$mayfly" exec it true
    "$mayfly" exec it sh -c 'sleep 4000 & echo ready >/told; exec sleep 2000' &
    await ready
    until_true runs_inside 4000
    kill -9 $!
    until_true eval '! runs_inside 2000 && ! runs_inside 4000'
    runs "$mayfly" rm -f it
}

test_what_an_init_cannot_be_given() {
    fresh_store
    run "$mayfly" run --rm --init-system "$busybox"
    expect_complaint 127 'no program /sbin/init'
    run "$mayfly" run --rm --init-system -u 1000 "$busybox"
    expect_complaint '2|125' '--init-system' '-u'
    # Another program than the image's init has its place, and its signal is the one that was said.
    runs "$mayfly" run -d --name it --init-system --stop-signal USR1 "$busybox" sh -c \
        'trap "exit 5" USR1; echo "process $$"; while :; do sleep 0.05; done'
    until_true logged 'process 1$'
    runs "$mayfly" stop -t 60 it
    expect_same "$(kept_state it exit-code)" 5
    runs "$mayfly" rm it
}

test_systemd_boots_and_is_stopped_in_order() {
    needs_debian
    not_sanitized "systemd's seconds are too long"
    run "$mayfly" run -dit --name it --init-system "$debian"
    if [ "$status" != 0 ] && [ "$mode" != root ]; then
        expect_complaint 125 'systemd' 'needs a cgroup'
        run "$mayfly" rm it
        return
    fi
    expect_status 0
    until_true logged 'login: '
    tty 'send:\r' 'expect:login: ' 'send:\x10\x11' -- "$mayfly" attach it
    expect_status 0
    runs "$mayfly" exec it systemctl is-system-running --wait
    expect_out running
    runs "$mayfly" exec it systemd-detect-virt --container
    # Groups of its own, which mayfly's side is not in the way of.
    runs "$mayfly" exec it sh -c 'systemd-run -q --wait -p MemoryMax=64M true; cd /sys/fs/cgroup; ls -d system.slice init.scope; cat cgroup.subtree_control cgroup.procs cgroup.controllers'
    if grep -q memory "$TEST_DIR/out"; then
        runs "$mayfly" exec it cat /sys/fs/cgroup/cgroup.subtree_control
        grep -q memory "$TEST_DIR/out" || fail "it could not hand the memory controller on"
    fi
    runs "$mayfly" stop -t 100 it
    expect_same "$(kept_state it exit-code)" 0
    logged 'System Shutdown' || fail "it was not asked"
    runs "$mayfly" rm it
}
