# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Ways out of a container that others have had, one test each.  What would harm
# the machine if it got through is in tests/vm/.

# A root file system of one's own making in ./img.
make_image() {
    mkdir img
    tar -C img --no-same-owner -xf "$busybox" 2>/dev/null
    [ -x img/bin/busybox ] || fail "no image"
}
# with_inside ARGUMENT...: a container that has the helper tests/support/inside.c as /inside
with_inside() { "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" "$@"; }
expect_nothing_let_through() {
    [ -s "$TEST_DIR/out" ] || fail "nothing was tried"
    ! grep -q 'let through' "$TEST_DIR/out" || fail "something was let through"
}

# CVE-2019-5736: the engine's own program is overwritten through /proc/PID/exe.
test_the_program_itself_cannot_be_changed() {
    local before
    # One's own copy: where a container's root is the user, that root owns it.
    cp "$mayfly" own-mayfly
    chmod 755 own-mayfly
    before=$(sha256sum <own-mayfly)
    run ./own-mayfly -q -i "$busybox" -S 'for i in /proc/1/exe /proc/self/exe; do (echo x >$i) 2>/dev/null && echo wrote $i; done
            printf "#!/proc/self/exe\n" >/evil; chmod 755 /evil
            (while :; do for e in /proc/[0-9]*/exe; do (printf x >>$e) 2>/dev/null; done; done) & true' \
        -X /evil ';'
    ! grep -q 'wrote /proc/1' "$TEST_DIR/out" || fail "PID 1's program was opened for writing"
    run ./own-mayfly -q -i "$busybox" -S 'true' -X /proc/self/exe --help ';'
    expect_same "$(sha256sum <own-mayfly)" "$before"
}

# A file that is there to be read could be opened anew to be written to, by whoever may write to it.
test_standard_input_is_not_written_to() {
    # It may write into a pipe of its own, behind what it reads.
    local write='dd bs=1 count=4 2>/dev/null; for f in /proc/self/fd/0 /dev/stdin; do echo changed >>$f; echo changed 1<>$f; done 2>/dev/null; true'
    echo one two >input
    chmod a+rw input
    # Of all of them, root's container is nobody that owns it.
    [ "$mode" != root ] || chmod 644 input
    runs "$mayfly" -q -n none -i "$busybox" -S "$write" <input
    expect_out 'one '
    expect_same "$(cat input)" 'one two'
    runs "$mayfly" run -d --name box -n none "$busybox" sleep 1000
    runs "$mayfly" exec -i box sh -c "$write" <input
    expect_out 'one '
    expect_same "$(cat input)" 'one two'
    # What it has not read is left for whoever comes next.
    { runs "$mayfly" -q -n none -i "$busybox" -S 'dd bs=1 count=4 2>/dev/null' -S 'dd bs=1 count=1 2>/dev/null'; cat >rest; } <input
    expect_same "$(cat "$TEST_DIR/out" rest)" 'one two'
    expect_same "$(cat rest)" wo
    # And all of it comes, however much.
    head -c 3000000 /dev/zero | tr '\0' x >input
    runs "$mayfly" -q -n none -i "$busybox" -S 'wc -c' <input
    expect_out 3000000
    runs "$mayfly" exec -i box wc -c <input
    expect_out 3000000
    runs "$mayfly" rm -f box
}

# CVE-2024-21626: a descriptor of the host's that is left open, and a workdir that goes through it.
test_no_descriptor_is_left_open() {
    exec 7</ 8<"$TEST_DIR"
    # The shell's glob itself has the directory open.
    runs "$mayfly" -q -i "$busybox" -S 'for f in /proc/self/fd/*; do echo ${f##*/}; done | sort -n | head -n 3; for f in 4 5 6 7 8 9; do
        test ! -e /proc/self/fd/$f/etc || echo open $f; done; true'
    ! grep -q open "$TEST_DIR/out" || fail "a directory of the host's is open"
    runs "$mayfly" -q -i "$busybox" -S 'for f in /proc/1/fd/* /proc/1/cwd/* /proc/1/root/*; do test ! -e "$f" || echo $f; done'
    expect_out ''
    local fd
    for fd in 3 4 5 6 7 8; do
        run "$mayfly" -q -i "$busybox" -W /proc/self/fd/$fd -S pwd
        [ $status != 0 ] || fail "the workdir is descriptor $fd"
    done
    exec 7<&- 8<&-
}

# CVE-2025-31133, CVE-2025-52565, CVE-2026-41579, CVE-2026-47766: what is mounted on or bound from is
# a link of the image's.
test_links_in_place_of_the_kernels_directories() {
    local name
    make_image
    echo precious >precious
    for name in proc sys dev; do
        rm -rf "img/$name"
        ln -s "$PWD" "img/$name"
        run "$mayfly" -i ./img -S true
        expect_complaint 125 "/$name is not a directory"
        rm "img/$name"
        ln -s tmp "img/$name"
        run "$mayfly" -i ./img -S true
        expect_complaint 125 "/$name is not a directory"
        rm "img/$name"
        mkdir "img/$name"
    done
    # Links inside of /dev lie below the container's own.
    ln -s /proc/sys/kernel/core_pattern img/dev/console
    ln -s "$PWD/precious" img/dev/null
    ln -s /etc img/dev/pts
    runs "$mayfly" -q -n none -i ./img -S 'test -c /dev/null && echo x >/dev/null; test ! -e /dev/console; test ! -L /dev/pts && cat /proc/keys'
    expect_out ''
    expect_same "$(cat precious)" precious
}

# CVE-2019-16884, CVE-2025-52881: something else than the kernel's /proc is written to or read.
test_nothing_is_mounted_over_proc() {
    local target
    mkdir fake
    for target in /proc /proc/self /proc/sys/kernel /sys /sys/fs; do
        run "$mayfly" -n none -i "$busybox" -v "$PWD/fake:$target" -S true
        expect_complaint '125|2' '/proc|/sys'
    done
    make_image
    mkdir -p img/proc/self/attr
    echo fake >img/proc/self/attr/current
    echo fake >img/proc/filesystems
    ln -s proc/self img/way
    run "$mayfly" -n none -i ./img -v "$PWD/fake:/way" -S true
    expect_complaint 125 'lies in /proc'
    runs "$mayfly" -q -n none -i ./img -S 'stat -f -c %t /proc; grep -c proc /proc/filesystems'
    expect_out $'9fa0\n1'
}

# CVE-2022-24769: capabilities that are inheritable inside come back with a file's.
test_no_capability_is_inheritable() {
    if [ "$mode" = root ]; then
        runs setpriv --inh-caps +chown,+kill --ambient-caps +kill "$mayfly" -q -i "$busybox" -S 'grep -E "^Cap(Inh|Amb)" /proc/self/status'
    else
        runs "$mayfly" -q -i "$busybox" -u app -S 'grep -E "^Cap(Inh|Amb)" /proc/self/status'
    fi
    expect_same "$(awk '{ print $2 }' "$TEST_DIR/out" | sort -u)" 0000000000000000
}

# CVE-2021-30465: a mount point below a volume is swapped for a link while the container starts.
test_a_mount_point_swapped_for_a_link() {
    local swapper i
    mkdir -p shared/real other
    echo harmless >other/file
    : >swapping
    while [ -e swapping ]; do
        ln -sfn / shared/link && mv -T shared/link shared/sub
        ln -sfn /proc shared/link && mv -T shared/link shared/sub
        rm -f shared/sub && mkdir -p shared/sub && rmdir shared/sub
    done 2>/dev/null &
    swapper=$!
    for i in {1..25}; do
        run "$mayfly" -q -i "$busybox" -v "$PWD/shared:/data" -v "$PWD/other:/data/sub" \
            -S 'stat -f -c %t /proc; test -e /bin/busybox && echo root'
        # Refused, or mounted where it belongs; never over the root or /proc.
        [ $status != 0 ] || expect_out $'9fa0\nroot'
    done
    rm swapping
    wait $swapper
    [ -e /proc/self/status ] || fail "the host's /proc is gone"
}

# CVE-2018-15664: what is copied out is swapped for a link meanwhile.
test_a_copy_out_raced_by_links() {
    local i
    echo "the host's secret" >secret
    chmod 600 secret
    for i in {1..8}; do
        run "$mayfly" -q -i "$busybox" -e SECRET="$PWD" -S 'mkdir -p /d/sub; echo inside >/d/sub/secret
            (while :; do ln -sfn "$SECRET" /d/link; mv -T /d/sub /d/aside && mv -T /d/link /d/sub; rm -f /d/sub; mv -T /d/aside /d/sub; done) 2>/dev/null & true' \
            -D /d/sub/secret:out -D /d:all
        # A link that was copied is a link; what counts is what has become a file.
        ! find out all -type f -exec grep -q "the host's" {} \; -print 2>/dev/null | grep . || fail "a file of the host's was copied"
        rm -rf out all
    done
}

# CVE-2019-14271 and its like: what the image says reaches a process of the host's.
test_variables_of_the_container_stay_inside() {
    runs "$mayfly" -q -i "$busybox" -e LD_PRELOAD=/nowhere/evil.so -e LD_LIBRARY_PATH=/tmp -e PATH=/bin -S 'echo $LD_PRELOAD' \
        -D /etc/passwd:down -U down:/up
    expect_silence
    expect_out /nowhere/evil.so
    HOST_SECRET=1 runs "$mayfly" -q -i "$busybox" -S 'env; cat /proc/1/environ 2>/dev/null; tr "\0" " " </proc/1/cmdline'
    ! grep -q 'HOST_SECRET\|busybox.tar' "$TEST_DIR/out" || fail "the host's environment or command line is seen"
}

# The old root, by new mount namespaces and by what covers things.
test_the_old_root_is_out_of_reach() {
    echo "the host's secret" >secret
    local look='for p in / /proc/1/root /proc/self/root/.. /..; do cat "$p/$SECRET" 2>/dev/null; done
        umount -l /proc/keys 2>/dev/null; umount -l /sys/firmware 2>/dev/null; wc -c </proc/keys
        umount -l /proc 2>/dev/null; umount -l / 2>/dev/null; cat "/$SECRET" 2>/dev/null; true'
    runs "$mayfly" -q -i "$busybox" -e SECRET="$PWD/secret" -e LOOK="$look" -S 'unshare -Urm sh -c "$LOOK"'
    expect_out 0
    runs "$mayfly" -q -i "$busybox" -e SECRET="$PWD/secret" -e LOOK="$look" --privileged --security-opt mask=/proc/keys -S 'unshare -m sh -c "$LOOK"'
    ! grep -q secret "$TEST_DIR/out" || fail "the old root is still there"
    runs with_inside -e SECRET="$PWD/secret" -S '/inside chroot; cat "$SECRET" 2>/dev/null; true'
    ! grep -q "host" "$TEST_DIR/out" || fail "climbed out"
}

# CVE-2019-10063, CVE-2023-28100: text put into the caller's terminal.
test_nothing_is_typed_into_a_terminal() {
    tty -- "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" -S '/inside sti 0; /inside sti 2; true'
    expect_status 0
    expect_nothing_let_through
    expect_same "$(grep -c 'refused: EPERM' "$TEST_DIR/out")" 16
    # And without a terminal there is none.
    runs "$mayfly" -q -i "$busybox" -S '(: </dev/tty) 2>/dev/null || echo none'
    expect_out none
}

test_no_disk_can_be_made() {
    local options
    for options in '' '--cap-add MKNOD' --privileged; do
        # shellcheck disable=SC2086
        run with_inside $options -S '/inside mknod /tmp/disk 8 0; /inside mknod /dev/disk 254 0; true'
        expect_nothing_let_through
    done
}

test_the_hosts_keyring_is_out_of_reach() {
    runs "$helpers/inside" add-key "mayfly:$$" "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" -S "/inside keyring mayfly:$$; /inside try add_key; true"
    expect_nothing_let_through
    expect_same "$(wc -l <"$TEST_DIR/out")" 2
}

# CVE-2016-9962: PID 1, and whatever else of the engine's is in the container.
test_process_one_cannot_be_traced() {
    runs with_inside -S '/inside ptrace 1; true'
    expect_nothing_let_through
    expect_same "$(wc -l <"$TEST_DIR/out")" 9
    run with_inside -S 'kill -9 1; kill -STOP 1; echo alive'
    expect_out alive
}

# CVE-2020-15257: an abstract socket of the host's.
test_abstract_sockets_of_the_host() {
    local name=mayfly-test-$$-$mode
    runs "$helpers/inside" serve "$name" "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" -S "/inside abstract $name; true"
    expect_out 'connect refused: ECONNREFUSED'
    # With --net host they are there, and kept out of reach by a kernel that can (Linux 6.12).
    local reached='connect let through'
    [ "$("$helpers/inside" landlock)" -lt 6 ] || reached='connect refused: EPERM'
    runs "$helpers/inside" serve "$name" "$mayfly" -q -n host -i "$busybox" -v "$helpers/inside:/inside:ro" \
        -S "/inside abstract $name; /inside serve $name-own /inside abstract $name-own" -u app -S "/inside abstract $name; true"
    expect_out "$reached"$'\nconnect let through\n'"$reached"
    runs "$helpers/inside" serve "$name" "$mayfly" -q -n host --privileged -i "$busybox" -v "$helpers/inside:/inside:ro" -S "/inside abstract $name"
    expect_out 'connect let through'
    fresh_store
    runs "$mayfly" run -d --name box --net host -v "$helpers/inside:/inside:ro" "$busybox" sleep 1000
    run "$helpers/inside" serve "$name" "$mayfly" exec box /inside abstract "$name"
    expect_out "$reached"
    runs "$mayfly" rm -f box
}

test_names_that_climb() {
    local name
    for name in ../x .. a/../../b /etc .; do
        run "$mayfly" -i "$busybox" --name "$name" -S true
        expect_complaint 2 'is not a name'
    done
    run "$mayfly" -i "$busybox" -v "$PWD:/a/../../etc" -S true
    expect_complaint 2 '/a/'
    runs "$mayfly" -q -i "$busybox" -W ../../../../../.. -S pwd -U /etc/hostname:../../../../../../climbed -S 'ls /climbed'
    expect_out $'/\n/climbed'
    [ ! -e /climbed ] || fail "climbed"
}

# CVE-2021-43784: lengths that do not fit the handshake's fields.
test_a_handshake_of_more_than_64_kib() {
    local options=() i long
    long=$(printf '%0200d' 0)
    mkdir -p "$long/$long/$long"
    for i in {1..100}; do
        options+=(-v "$PWD/$long/$long/$long:/mnt/$long/$long/$long/$i")
    done
    runs "$mayfly" -q -i "$busybox" "${options[@]}" -S 'grep -c " /mnt/" /proc/self/mountinfo'
    expect_out 100
}

# CVE-2024-40635: numbers that wrap around to root.
test_user_numbers_beyond_the_range() {
    local user
    for user in 2147483648 4294967296 -1 4294967295 0:4294967296 18446744073709551616; do
        run "$mayfly" -q -i "$busybox" -u "$user" -S id
        [ $status = 125 ] || [ $status = 2 ] || [ "$mode" = single ] || fail "user $user"
        ! grep -q 'uid=0' "$TEST_DIR/out" || fail "user $user is root"
    done
}

# CVE-2026-47262: what a name is looked up in is no plain file.
test_a_passwd_that_is_no_file() {
    local kind
    make_image
    for kind in fifo device link loop huge directory; do
        rm -rf img/etc/passwd
        case $kind in
        fifo) mkfifo img/etc/passwd ;;
        device) ln -s /dev/zero img/etc/passwd ;;
        link) ln -s "$PWD/img/../outside" img/etc/passwd ;;
        loop) ln -s passwd img/etc/passwd ;;
        huge) truncate -s 1G img/etc/passwd ;;
        directory) mkdir img/etc/passwd ;;
        esac
        echo 'app:x:0:0::/:/bin/sh' >outside
        run "$mayfly" -n none -i ./img --timeout 60 -u app -S id
        expect_complaint 125 'app'
        runs "$mayfly" -q -n none -i ./img --timeout 60 -S 'echo fine'
        expect_out fine
    done
}

# CVE-2018-7169: groups given up by somebody whom they keep out of files.
test_groups_cannot_be_given_up_with_a_single_id() {
    only single
    runs with_inside -S 'cat /proc/self/setgroups'
    expect_out deny
}

test_the_hosts_groups_stay_outside() {
    if [ "$mode" = root ]; then
        runs setpriv --groups 4,6,24 "$mayfly" -q -i "$busybox" -v "$helpers/inside:/inside:ro" -S '/inside groups'
    else
        runs with_inside -S '/inside groups'
    fi
    expect_out ''
}

test_switches_of_the_kernel_cannot_be_written() {
    runs "$mayfly" -q -i "$busybox" -S 'for f in /proc/sys/kernel/domainname /proc/sys/vm/overcommit_memory /proc/sys/fs/file-max /sys/kernel/uevent_seqnum \
            /sys/module/printk/parameters/time /proc/irq/default_smp_affinity /proc/sys/kernel/ns_last_pid; do
            if test -e $f && (cat $f >/tmp/x && cat /tmp/x >$f) 2>/dev/null; then echo wrote $f; fi; done; echo tried'
    expect_out tried
}

# CVE-2022-0492: release_agent of a cgroup hierarchy of version 1.
test_no_cgroup_hierarchy_can_be_mounted() {
    runs "$mayfly" -q -i "$busybox" -S 'mkdir /cg; unshare -Urm sh -c "for c in memory rdma pids cpu; do mount -t cgroup -o \$c none /cg 2>/dev/null && echo mounted \$c; done; echo tried"'
    expect_out tried
}

test_calls_that_have_led_out() {
    local call
    for call in bpf perf userfaultfd io_uring add_key handle mountns; do
        run with_inside -S "/inside try $call"
        expect_status 1
        expect_nothing_let_through
    done
    # Podman's profile lets user namespaces through; in one, all of the above stays refused.
    runs with_inside -S '/inside try userns'
    expect_out 'userns let through'
    for call in bpf perf userfaultfd io_uring add_key handle; do
        run with_inside -S "unshare -Ur /inside try $call"
        expect_status 1
        expect_nothing_let_through
    done
}
