# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Ways out that would harm the machine if one of them were open; the others are
# in tests/system/65-escapes*.sh.

# As it is given, and with all that can be asked for.
most='--privileged'
some='--cap-add ALL --security-opt unmask=ALL --security-opt seccomp=unconfined'

# with_inside ARGUMENT...: a container that has the helper tests/support/inside.c as /inside
with_inside() { "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" "$@"; }

# Panics, programs that the kernel runs as the host's root, sleep.
switches='switch() {
        umount "$1"; mount -o remount,rw,bind "${1%/*}"; mount -o remount,rw /proc; mount -o remount,rw /sys
        if [ -e "$1" ] && echo "$2" >"$1"; then echo "wrote $1" >>/tmp/wrote; fi
    } 2>/dev/null
    for key in b c o; do switch /proc/sysrq-trigger $key; done
    switch /proc/sys/kernel/sysrq 1
    switch /proc/sys/kernel/core_pattern "|/evil"
    switch /proc/sys/kernel/modprobe /evil
    switch /proc/sys/kernel/hotplug /evil
    switch /proc/sys/kernel/panic 1
    switch /proc/sys/vm/panic_on_oom 2
    switch /proc/sys/fs/binfmt_misc/register :x:M::x::/evil:
    switch /sys/kernel/uevent_helper /evil
    switch /sys/power/state mem
    switch /sys/devices/system/cpu/cpu1/online 0
    switch /sys/block/vda/device/reset 1
    switch /sys/fs/cgroup/release_agent /evil
    touch /tmp/wrote; cat /tmp/wrote; echo tried'

test_switches_that_harm_the_machine() {
    local options before
    before=$(cat /proc/sys/kernel/{core_pattern,modprobe,sysrq,panic})
    for options in '' "$most" "$some"; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" $options -S "$switches"
        expect_out tried
    done
    expect_same "$(cat /proc/sys/kernel/{core_pattern,modprobe,sysrq,panic})" "$before"
}

# Where mounts cannot be ID-mapped the container's root has the number of the host's.
test_switches_with_the_ids_of_the_host() {
    only root
    mkdir ramfs img
    mount -t ramfs none ramfs
    tar -C img -xf "$busybox"
    MAYFLY_STORE=$PWD/ramfs/store runs "$mayfly" -n none -i ./img -S 'cat /proc/self/uid_map' -S "$switches"
    umount ramfs
    expect_err "ids mapped as 'identity'"
    expect_same "$(awk 'NR == 1 { print $1, $2 }' "$TEST_DIR/out")" '0 0'
    expect_same "$(tail -n +2 "$TEST_DIR/out")" tried
}

test_the_disks_of_the_machine() {
    local options major minor
    IFS=: read -r major minor </sys/block/vda/dev
    for options in '' '--cap-add MKNOD' "$most" "$some"; do
        # shellcheck disable=SC2086
        run with_inside $options -S "/inside mknod /tmp/disk $major $minor; /inside mknod /dev/disk $major $minor
            /inside mknod /dev/shm/disk $major $minor; mknod /dev/mem2 c 1 1 2>/dev/null && head -c 1 /dev/mem2 && echo let through; true"
        [ -s "$TEST_DIR/out" ] || fail "nothing was tried"
        ! grep -q 'let through' "$TEST_DIR/out" || fail "a disk can be opened"
    done
    # One that is there: in a volume, in an image, brought in.
    [ "$mode" = root ] || return 0
    mkdir img v
    tar -C img -xf "$busybox"
    mknod -m 666 img/disk b "$major" "$minor"
    mknod -m 666 v/disk b "$major" "$minor"
    for options in '' "$most" "$some"; do
        # shellcheck disable=SC2086
        run "$mayfly" -q -n none -i ./img -v "$PWD/v:/v" -v "$PWD/v:/cow:cow" -v "$PWD/v/disk:/one" $options \
            -S 'for disk in /disk /v/disk /cow/disk /one; do test -b $disk && echo there; cat $disk | head -c 1 >/dev/null; done' \
            -U v/disk:/up -S 'test ! -b /up'
        expect_same "$(cat "$TEST_DIR/out")" $'there\nthere\nthere\nthere'
        expect_same "$(grep -c 'cat: .*\(Permission denied\|not permitted\)' "$TEST_DIR/err")" 4
    done
}

# CVE-2022-0492: a hierarchy of version 1 whose release_agent the host's root runs.
test_a_release_agent() {
    only root
    local options
    mkdir hierarchy
    mount -t cgroup -o none,name=mayfly-test none hierarchy
    for options in "$most" "$some"; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" $options -S 'mkdir /h
            for how in "" "unshare -Urm" "unshare -UrmC"; do
                $how sh -c "mount -t cgroup -o none,name=mayfly-test none /h 2>/dev/null; mkdir /h/x; echo 1 >/h/x/notify_on_release
                    echo /evil >/h/release_agent && test ! -f /h/x && echo \"\$(cat /h/release_agent)\" | grep evil && mount | grep -q \" /h \" && echo wrote" 2>/dev/null
                umount /h 2>/dev/null; rm -rf /h; mkdir -p /h
            done; echo tried'
        ! grep -q wrote "$TEST_DIR/out" || fail "a release agent was set"
        expect_same "$(cat hierarchy/release_agent)" ''
    done
    rmdir hierarchy/* 2>/dev/null
    umount hierarchy
}

# Calls about the whole machine.
test_the_machine_goes_on() {
    local before options
    before=$(cat /proc/sys/kernel/random/boot_id)
    for options in '' "$most" "$some"; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" $options -S 'exec 2>/dev/null
            date -s 2001-01-01 >/dev/null && [ $(date +%Y) = 2001 ] && echo clock
            head -c 65536 /dev/zero >/swap; mkswap /swap >/dev/null; swapon /swap && echo swap
            insmod /swap 2>&1 | grep -v "Operation not permitted\|Function not implemented"
            mkdir /m; for type in tracefs debugfs securityfs bpf pstore; do mount -t $type none /m && ls /m | grep -q . && echo $type; done
            cat /proc/kcore | head -c 1 | grep -q . && echo kcore; head -c 1 /dev/kmsg && echo kmsg; echo tried'
        expect_out tried
        # Whoever may restart a machine ends a container.
        # shellcheck disable=SC2086
        run "$mayfly" -q -n none -i "$busybox" $options -S 'reboot -f; echo stayed'
        [ "$status" = 125 ] || [ "$(cat "$TEST_DIR/out")" = stayed ] || fail "neither ended nor stayed"
    done
    expect_same "$(cat /proc/sys/kernel/random/boot_id)" "$before"
    [ "$(date +%Y)" -gt 2001 ] || fail "the clock was set"
}

# A root who has CAP_SYS_RESOURCE gives nothing of it away.
test_limits_cannot_be_raised_inside() {
    local options
    for options in '' "$most" "$some"; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" --ulimit nofile=100 --oom-score-adj 100 $options \
            -S '(ulimit -Hn 101) 2>/dev/null && echo raised; (echo -1 >/proc/self/oom_score_adj) 2>/dev/null && echo spared
                (echo -1000 >/proc/1/oom_score_adj) 2>/dev/null && echo spared; ulimit -Hn'
        expect_out 100
    done
    [ "$mode" = root ] || return 0
    # It can give more than it has itself.
    ulimit -Hn 5000
    runs "$mayfly" -q -n none -i "$busybox" --ulimit nofile=6000 --oom-score-adj -500 -S 'ulimit -Hn; cat /proc/self/oom_score_adj'
    expect_out $'6000\n-500'
}

# Without the filter a container types into a terminal: its own.
test_what_is_typed_stays_in_its_terminal() {
    tty -- bash -c '"$0" -q -n none -i "$1" -v "$2/inside:/inside:ro" --security-opt seccomp=unconfined -S "/inside sti 0; true"
        stty -icanon min 0 time 5; echo "came:$(head -c 1)"' "$mayfly" "$busybox" "$helpers"
    expect_status 0
    grep -q 'TIOCSTI let through' "$TEST_DIR/out" || fail "nothing was typed"
    grep -q 'came:.\?$' "$TEST_DIR/out" || fail "it came to the caller's terminal"
    ! grep -q 'came:!' "$TEST_DIR/out" || fail "it came to the caller's terminal"
}

# A container whose root is the host's: of the host's own nodes it keeps its hands off.
test_nodes_of_the_host_are_left_alone() {
    only root
    local before options
    mkdir ramfs img
    mount -t ramfs none ramfs
    tar -C img -xf "$busybox"
    before=$(stat -c '%n %a %u' /dev/null /dev/zero /dev/full)
    for options in '--userns host' '--userns host --security-opt mask=/etc/passwd' "-e MAYFLY_STORE=x"; do
        # The last one's root has the number alone: a ramfs cannot be ID-mapped.
        # shellcheck disable=SC2086
        MAYFLY_STORE=$PWD/ramfs/store runs "$mayfly" -n none -i ./img $options --device /dev/full:/dev/filled \
            -S 'cat /proc/self/uid_map' -S 'for f in /dev/null /dev/zero /dev/full /dev/filled /proc/keys /etc/passwd; do
                chmod 600 $f; chown 1:1 $f; touch -d 2001-01-01 $f; done 2>/dev/null; echo x >/dev/null && head -c 1 /dev/zero | wc -c'
        expect_same "$(awk 'NR == 1 { print $1, $2 }' "$TEST_DIR/out")" '0 0'
        expect_same "$(tail -n 1 "$TEST_DIR/out")" 1
        expect_same "$(stat -c '%n %a %u' /dev/null /dev/zero /dev/full)" "$before"
        [ "$(stat -c %Y /dev/null)" -gt 1000000000 ] || fail "its time was changed"
    done
    umount ramfs
}

test_without_a_user_namespace() {
    only root
    local before
    before=$(cat /proc/sys/kernel/{core_pattern,modprobe,sysrq,panic})
    runs "$mayfly" -q -n none -i "$busybox" --userns host -S "$switches"
    expect_out tried
    expect_same "$(cat /proc/sys/kernel/{core_pattern,modprobe,sysrq,panic})" "$before"
    runs with_inside -n none --userns host -S '/inside mknod /tmp/disk 254 0; umount /proc/keys; true'
    ! grep -q 'let through' "$TEST_DIR/out" || fail "a disk can be opened"
    # One who may make nodes finds no file system on which they live.
    run with_inside -n none --userns host --cap-add MKNOD -S 'IFS=: read major minor </sys/block/vda/dev
        for where in /tmp /dev /dev/shm /run; do mkdir -p $where; /inside mknod $where/disk $major $minor; done; true'
    grep -q 'mknod let through' "$TEST_DIR/out" || fail "no node was made"
    ! grep -q 'open let through' "$TEST_DIR/out" || fail "a disk can be opened"
    # Mounts stay inside.
    runs "$mayfly" -q -n none -i "$busybox" --userns host --cap-add SYS_ADMIN -S 'mkdir /m && mount -t tmpfs none /m && mount | grep -c " /m "'
    expect_out 1
    ! grep -q ' /m ' /proc/self/mountinfo || fail "a mount came back"
}
