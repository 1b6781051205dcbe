# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What the inside of a container looks like.

test_namespaces_are_its_own() {
    local kind
    for kind in user mnt pid ipc uts net cgroup; do
        runs "$mayfly" -q -i "$busybox" -S "readlink /proc/self/ns/$kind"
        [ "$(cat "$TEST_DIR/out")" != "$(readlink "/proc/self/ns/$kind")" ] || fail "$kind is the host's"
    done
}

test_root_inside_is_nobody_outside() {
    # A user's network has a user namespace of its own between the host's and the container's.
    runs "$mayfly" -q -n none -i "$busybox" -S 'cat /proc/self/uid_map /proc/self/gid_map'
    ! grep -Eq '^ *[0-9]+ +0 ' "$TEST_DIR/out" || fail "the host's root is mapped"
    local first
    first=$(awk 'NR == 1 { print $2 }' "$TEST_DIR/out")
    case $mode in
    subuid | single) expect_same "$first" "$(id -u)" ;;
    esac
}

test_process_one_is_ours_and_reaps() {
    # Each of the inner shells leaves an orphan; none may stay, be it as a zombie.
    runs "$mayfly" -q -i "$busybox" --timeout 60 -S 'echo $PPID; i=0; while [ $i -lt 50 ]; do (true & ); i=$((i + 1)); done' \
        -S 'until [ "$(ls -d /proc/[0-9]* | wc -l)" -le 5 ]; do :; done; grep -s "^State:.Z" /proc/[0-9]*/status; true'
    expect_out 1
}

test_devices() {
    runs "$mayfly" -q -i "$busybox" -S 'cd /dev; for d in null zero full random urandom tty; do test -c $d || echo no $d; done
        for l in fd stdin stdout stderr ptmx; do test -e $l || test -L $l || echo no $l; done
        echo x >null; head -c 4 zero | wc -c; head -c 4 urandom | wc -c; ! echo x 2>&- >full
        test "$(stat -f -c %T /dev/shm)" = tmpfs; stat -c %a /dev/shm; touch /dev/shm/x
        find /dev -type b; test -d /dev/pts; readlink /proc/self/fd/0 </dev/null'
    expect_out $'4\n4\n1777\n/dev/null'
}

test_a_terminal_of_its_own_can_be_opened() {
    runs "$mayfly" -q -i "$busybox" -S 'ls /dev/pts; exec 3<>/dev/ptmx; ls /dev/pts'
    expect_out $'ptmx\n0\nptmx'
}

test_sys_is_read_only() {
    runs "$mayfly" -q -i "$busybox" -S 'grep -q "^sysfs /sys sysfs ro" /proc/mounts; ! mkdir /sys/x 2>/dev/null; ! mount -o remount,rw /sys 2>/dev/null || ! mkdir /sys/fs/cgroup/x 2>/dev/null'
}

test_proc_is_masked_and_read_only_where_it_governs_the_host() {
    runs "$mayfly" -q -i "$busybox" -S '
        for p in bus fs irq sys sysrq-trigger; do
            test ! -e /proc/$p || awk -v p=/proc/$p "\$5 == p && \$6 ~ /^ro/ { found = 1 } END { exit !found }" /proc/self/mountinfo || echo writable: $p
        done
        for p in kcore keys timer_list latency_stats sched_debug; do
            test ! -e /proc/$p || test -z "$(head -c 1 /proc/$p 2>/dev/null)" || echo readable: $p
        done
        for p in acpi scsi; do
            test ! -e /proc/$p || test -z "$(ls -A /proc/$p)" || echo readable: $p
        done
        test ! -e /sys/firmware || test -z "$(ls -A /sys/firmware)" || echo readable: firmware
        ! { echo x >/proc/sys/kernel/domainname; } 2>/dev/null || echo written'
    expect_out ''
}

test_no_descriptor_of_the_host_gets_in() {
    exec 7</etc/passwd 9<.
    runs "$mayfly" -q -i "$busybox" -v "$PWD:/v" -S 'ls /proc/self/fd'
    exec 7<&- 9<&-
    expect_out $'0\n1\n2\n3'
}

test_the_host_is_out_of_reach() {
    echo secret >secret
    runs "$mayfly" -q -i "$busybox" -S "! cat $PWD/secret 2>/dev/null; cd /../../..; ls -d home/app; ! chroot /proc/1/root cat $PWD/secret 2>/dev/null
        ! ls /proc/*/root$PWD 2>/dev/null; ! ls /proc/*/cwd$PWD 2>/dev/null; cut -d' ' -f5 /proc/self/mountinfo | grep -c ^/$"
    expect_out $'home/app\n1'
}

test_mounts_do_not_reach_the_host() {
    # Whether the container may mount is its own affair.
    runs "$mayfly" -q -i "$busybox" -v "$PWD:/v" -S 'mkdir /v/m; { mount -t tmpfs none /v/m || unshare -Urm mount -t tmpfs none /v/m; } 2>/dev/null && touch /v/m/x; ls -d /v/m'
    expect_out /v/m
    ! grep -q " $PWD/m " /proc/self/mountinfo || fail "mounted on the host"
}

test_umask_and_signals_are_in_order() {
    umask 077
    runs "$mayfly" -q -i "$busybox" -S 'umask; grep -E "^Sig(Blk|Ign):" /proc/self/status | tr -d "\t"'
    expect_out $'0022\nSigBlk:0000000000000000\nSigIgn:0000000000000000'
}

test_a_container_of_a_user_is_no_more_than_the_user() {
    only subuid single
    # A program of the host's root that is set-user-ID gives nothing inside.
    runs "$mayfly" -q -i "$busybox" -v /usr/bin:/host-bin:ro -S 'grep NoNewPrivs /proc/self/status | tr -d "\t"; id -u'
    run "$mayfly" -q -i "$busybox" -v /etc:/host-etc -S 'cat /host-etc/shadow >/dev/null 2>&1'
    [ "$status" != 0 ] || fail "root's secrets can be read"
}

test_numbers_of_limits_are_the_starters() {
    ulimit -n 512
    runs "$mayfly" -q -i "$busybox" -S 'ulimit -n'
    expect_out 512
}

# configured JSON: a store with the image "configured:1", whose configuration has these members
configured() {
    fresh_store
    cp "$busybox" layer.tar
    printf '{"architecture":"amd64","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$1" "$(sha256sum layer.tar | cut -d' ' -f1)" >config.json
    echo '[{"Config":"config.json","RepoTags":["configured:1"],"Layers":["layer.tar"]}]' >manifest.json
    tar -cf archive.tar manifest.json config.json layer.tar
    runs "$mayfly" load -q -i archive.tar
}

test_what_an_images_configuration_says() {
    configured '"Env":["PATH=/bin","GREETING=hello"],"Entrypoint":["sh","-c"],
        "Cmd":["echo $GREETING; pwd; id -un; stat -c %F,%a,%U /made/for/data /srv; ls -d /etc/first/x; env | grep -c =/bin$"],
        "WorkingDir":"/new/place","User":"app","Volumes":{"/made/for/data":{},"/srv":{},"/etc/first/x":{}}'
    runs "$mayfly" run --rm --net none configured:1
    expect_out "hello
/new/place
app
directory,755,root
directory,755,root
1"
    expect_err '/etc/first/x: Not a directory'
    runs "$mayfly" -q -n none -i configured:1 -S 'echo $GREETING; pwd; ls -d /made/for/data'
    expect_out $'hello\n/new/place\n/made/for/data'
    # There is no making them in a root that cannot be written to.
    configured '"Volumes":{"/made/for/data":{}}'
    runs "$mayfly" -q -n none -i configured:1 --read-only -S 'ls -d /made 2>/dev/null || echo none'
    expect_out none
}

test_an_images_labels_and_signal_are_its_containers() {
    configured '"Cmd":["sh","-c","trap \"echo asked; exit 3\" USR1; echo up; while :; do sleep 0.1; done"],"StopSignal":"SIGUSR1",
        "Labels":{"kind":"image","maker":"someone"},"ExposedPorts":{"80/tcp":{}}'
    runs "$mayfly" create --net none --name two -l kind=own configured:1
    runs "$mayfly" run -d --net none --name one configured:1
    until_true sh -c "'$mayfly' logs one | grep up"
    runs "$mayfly" stop one
    runs "$mayfly" inspect --format '{{.State.ExitCode}} {{.Config.Labels.kind}} {{.Config.Labels.maker}}' one two
    expect_out $'3 image someone\n0 own someone'
    runs "$mayfly" logs one
    expect_out $'up\nasked'
    runs "$mayfly" ps -a --filter label=maker=someone --filter label=kind=image --format '{{.Names}} {{.Labels.maker}}'
    expect_out $'one someone\ntwo someone'
    runs "$mayfly" ps -a --filter label=kind=own --format '{{json .}}'
    grep -q '"maker":"someone"' "$TEST_DIR/out" || fail "the image's label is not there"
    runs "$mayfly" ps -a --filter label=kind=own --format '{{.Names}}'
    expect_out two
    runs "$mayfly" inspect --format '{{.Config.ExposedPorts}} {{.Config.StopSignal}}' configured:1
    expect_out 'map[80/tcp:map[]] SIGUSR1'
    runs "$mayfly" container prune -f --filter label!=maker
    runs "$mayfly" ps -aq
    expect_same "$(wc -l <"$TEST_DIR/out")" 2
    runs "$mayfly" container prune -f --filter label=maker=someone
    runs "$mayfly" ps -aq
    expect_out ''
}
