# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What a container may do, and the options that change it.

# status_of WORD: a line of /proc/self/status inside, as the last run has printed it
status_of() { awk -v word="$1:" '$1 == word { print $2; exit }' "$TEST_DIR/out"; }
look() { runs "$mayfly" -q -i "$busybox" "$@" -S 'cat /proc/self/status'; }
expect_caps() {
    expect_same "$(status_of CapBnd)" "$1"
    expect_same "$(status_of CapEff)" "$1"
    expect_same "$(status_of CapPrm)" "$1"
    expect_same "$(status_of CapInh)$(status_of CapAmb)" "$(printf '%032d' 0)"
}

test_the_default_is_what_podman_gives() {
    look
    # CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
    expect_caps 00000000800405fb
    expect_same "$(status_of Seccomp)" 2
    expect_same "$(status_of Seccomp_filters)" 1
    expect_same "$(status_of NoNewPrivs)" 0
    look -u app
    expect_same "$(status_of CapBnd)" 00000000800405fb
    [ "$mode" = single ] || expect_same "$(status_of CapEff)" 0000000000000000
}

test_capabilities_are_added_and_dropped() {
    look --cap-add net_admin --cap-drop CAP_CHOWN,kill
    expect_caps 00000000800415da
    look --cap-drop ALL
    expect_caps 0000000000000000
    look --cap-add CHOWN --cap-drop all
    expect_caps 0000000000000001
    look --cap-add ALL --cap-drop SYS_ADMIN
    [ "$(status_of CapEff)" != 00000000800405fb ] || fail "nothing was added"
    expect_same "$((0x$(status_of CapEff) >> 21 & 1))" 0
    # What mayfly itself has to do for a step does not need the container's capabilities.
    runs "$mayfly" -q -i "$busybox" --cap-drop ALL -u app -W /made/here -S 'id -un; pwd' -U /etc/passwd:/tmp/up -D /etc/passwd:down
    expect_out $'app\n/made/here'
    [ -s down ] || fail "no download"
}

test_wrong_words_about_confinement() {
    local words
    while read -r words; do
        # shellcheck disable=SC2086
        run "$mayfly" -i "$busybox" ${words%%|*} -S true
        expect_complaint 2 "${words#*|}"
    done <<'END'
--cap-add flying|--cap-add.*'flying' is not a capability
--cap-add ALL --cap-drop ALL|contradict
--cap-add KILL --cap-drop KILL|both
--security-opt nonsense|seccomp=FILE
--security-opt seccomp=/nowhere/at/all|/nowhere/at/all.*No such file
--security-opt no-new-privileges:perhaps|neither true nor false
--security-opt label=sticky|label=sticky: use disable, type:T
--security-opt apparmor=|a profile's name
-r --security-opt apparmor=x|leave out -r
-r --security-opt seccomp=/etc/passwd|leave out -r
--security-opt mask=relative|'relative' is not an absolute path
END
}

test_no_new_privileges() {
    look --security-opt no-new-privileges
    expect_same "$(status_of NoNewPrivs)" 1
    look --security-opt no-new-privileges:true
    expect_same "$(status_of NoNewPrivs)" 1
    look --security-opt no-new-privileges=false
    expect_same "$(status_of NoNewPrivs)" 0
    # A set-user-id program makes root of a user, and then it does not.
    [ "$mode" != single ] || return 0
    local steps='cp /inside /euid; chmod 4755 /euid; su -s /bin/sh app -c "/euid euid"'
    runs "$mayfly" -q -i "$busybox" -U "$helpers/inside:/inside" -S "$steps"
    expect_out 0
    runs "$mayfly" -q -i "$busybox" --security-opt no-new-privileges -U "$helpers/inside:/inside" -S "$steps"
    expect_out 1000
}

# A profile that lets all calls through but some.
write_profile() {
    cat >profile.json <<-'END'
	{
	    "defaultAction": "SCMP_ACT_ALLOW",
	    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
	    "syscalls": [
	        {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
	        {"names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO",
	         "includes": {"caps": ["CAP_SYS_ADMIN"]}},
	        {"names": ["link", "linkat"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
	        {"names": ["rename", "renameat", "renameat2"], "action": "SCMP_ACT_ERRNO",
	         "includes": {"minKernel": "999.0"}},
	        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}
	    ]
	}
	END
}

test_a_profile_of_ones_own() {
    write_profile
    local steps='cd /tmp; mkdir a; ln -s b c && echo symlink; echo >d; ln d e || echo no link; mv d f && echo moved
        trap : USR1; kill -USR1 $$ || echo no signal; kill -0 $$ && echo there'
    runs "$mayfly" -q -i "$busybox" --security-opt seccomp=profile.json -S "$steps"
    expect_out $'symlink\nno link\nmoved\nno signal\nthere'
    expect_err 'mkdir.*(not supported|95)'
    runs "$mayfly" -q -i "$busybox" --security-opt seccomp=profile.json --cap-add SYS_ADMIN -S "$steps"
    expect_out $'moved\nno signal\nthere'
    # No step has what PID 1 keeps to put the next one under the profile.
    look --security-opt seccomp=profile.json
    expect_caps 00000000800405fb
    # The copies are mayfly's own doing, and a further step is under the profile too.
    runs "$mayfly" -q -i "$busybox" --security-opt seccomp=profile.json -U profile.json:/tmp/new/p -S 'ls /tmp/new' \
        -S 'mkdir /x || echo refused'
    expect_out $'p\nrefused'
}

test_podmans_own_profile_is_understood() {
    local profile=/usr/share/containers/seccomp.json
    [ -e $profile ] || promised "no $profile"
    runs "$mayfly" -q -i "$busybox" -v "$helpers/syscalls:/syscalls:ro" -S /syscalls
    mv "$TEST_DIR/out" default
    runs "$mayfly" -q -i "$busybox" -v "$helpers/syscalls:/syscalls:ro" --security-opt seccomp=$profile -S /syscalls
    # Under the default filter requests that type into terminals are refused as well.
    expect_same "$(diff default "$TEST_DIR/out" | grep '^[<>]' | sort)" "$(printf '%s\n' '< ioctl-linux EPERM' \
        '< ioctl-sti EPERM' '< ioctl-sti-high EPERM' '> ioctl-linux EBADF' '> ioctl-sti EBADF' '> ioctl-sti-high EBADF')"
}

test_profiles_that_are_none() {
    echo '{"defaultAction": "SCMP_ACT_DANCE"}' >dance.json
    run "$mayfly" -i "$busybox" --security-opt seccomp=dance.json -S true
    expect_complaint 125 'dance.json' 'SCMP_ACT_DANCE'
    echo '{' >broken.json
    run "$mayfly" -i "$busybox" --security-opt seccomp=broken.json -S true
    expect_complaint 125 'broken.json' 'JSON'
    echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 9, "op": "SCMP_CMP_EQ"}]}]}' >index.json
    run "$mayfly" -i "$busybox" --security-opt seccomp=index.json -S true
    expect_complaint 125 'index.json' 'index'
    # One under which nothing can be executed: the step says so.
    echo '{"defaultAction": "SCMP_ACT_ERRNO"}' >nothing.json
    run "$mayfly" -i "$busybox" --security-opt seccomp=nothing.json -S true
    expect_complaint 125 'seccomp|cannot'
}

test_unconfined_has_no_filter() {
    look --security-opt seccomp=unconfined
    expect_caps 00000000800405fb
    if [ "$mode" = single ]; then
        # The emulation of users is one, and refuses nothing.
        expect_same "$(status_of Seccomp_filters)" 1
    else
        expect_same "$(status_of Seccomp)" 0
    fi
    runs "$mayfly" -q -i "$busybox" --security-opt seccomp=unconfined -v "$helpers/syscalls:/syscalls:ro" -S /syscalls
    expect_same "$(grep '^ioctl-sti ' "$TEST_DIR/out")" 'ioctl-sti EBADF'
}

test_hidden_and_read_only_files_of_the_kernel() {
    runs "$mayfly" -q -i "$busybox" -S 'for f in keys timer_list kcore interrupts; do test ! -e /proc/$f || wc -c </proc/$f; done
        ls -A /proc/acpi /proc/scsi /sys/firmware /sys/dev/block 2>/dev/null | grep -v : | grep .
        for f in /proc/sys/kernel/domainname /proc/irq/default_smp_affinity /sys/kernel/profiling; do
            if test -e $f && (echo x >$f) 2>/dev/null; then echo wrote $f; fi; done'
    ! grep -v '^0$' "$TEST_DIR/out" || fail "something is seen or written"
    runs "$mayfly" -q -i "$busybox" --security-opt unmask=ALL -S 'grep -v " /sys/fs/cgroup" /proc/self/mountinfo | grep -c " /proc/\| /sys/"; true'
    expect_out 0
    runs "$mayfly" -q -i "$busybox" --security-opt 'unmask=/proc/*:/sys/firmware' -S 'grep -c " /proc/\| /sys/firmware" /proc/self/mountinfo; true'
    expect_out 0
    runs "$mayfly" -q -i "$busybox" --security-opt mask=/etc:/srv/link/passwd -S 'ls -A /etc'
    expect_out ''
    # A link in the image leads to what it names in the image.
    cat /etc/passwd >before
    runs "$mayfly" -q -i "$busybox" --security-opt mask=/etc/passwd -S 'wc -c </etc/passwd'
    expect_out 0
    cmp before /etc/passwd
}

test_privileged() {
    look --privileged
    [ "$((0x$(status_of CapEff) & (1 << 21)))" != 0 ] || fail "no CAP_SYS_ADMIN"
    runs "$mayfly" -q -i "$busybox" --privileged -S 'mount -t tmpfs none /mnt 2>/dev/null || { mkdir -p /mnt; mount -t tmpfs none /mnt; }
        grep -c " /mnt " /proc/self/mountinfo; grep -v " /sys/fs/cgroup" /proc/self/mountinfo | grep -c " /proc/\| /sys/"; hostname other; hostname'
    expect_out $'1\n0\nother'
    # Over its own user namespace alone.
    run "$mayfly" -q -i "$busybox" --privileged -S 'echo 1 >/proc/sys/kernel/printk'
    [ "$status" != 0 ] || fail "the host's switches can be written"
}

test_the_filter_is_that_of_podman_call_by_call() {
    only root
    command -v podman >/dev/null || promised "podman is not installed"
    mkdir rootfs
    tar -C rootfs --no-same-owner -xf "$busybox"
    cp "$helpers/syscalls" rootfs/
    runs "$mayfly" -q -i ./rootfs -S /syscalls
    mv "$TEST_DIR/out" ours
    runs "$scratch/support/podman" --rootfs "$PWD/rootfs" /syscalls
    mv "$TEST_DIR/out" theirs
    [ "$(wc -l <ours)" -gt 900 ] && [ "$(wc -l <theirs)" = "$(wc -l <ours)" ] || fail "not all calls were tried"
    # Each difference stands in the list, and each of the list is one.
    paste -d' ' ours theirs | awk '$2 != $4 || $1 != $3 { print $1, $2, $4 }' | sort >differences
    grep -v '^#' "$scratch/support/podman-differences" | awk 'NF { print $1, $2, $3 }' | sort >expected
    diff expected differences || fail "the filters differ otherwise than expected"
}

# What podman does for root unless told otherwise.
test_without_a_user_namespace() {
    runs "$mayfly" -q -n none -i "$busybox" --userns host -S 'readlink /proc/self/ns/user; id -u; grep CapEff /proc/self/status'
    expect_same "$(sed -n 2p "$TEST_DIR/out")" 0
    expect_same "$(sed -n 3p "$TEST_DIR/out")" "$(printf 'CapEff:\t00000000800405fb')"
    if [ "$mode" != root ]; then
        # A user's own namespace is all that there is.
        [ "$(sed -n 1p "$TEST_DIR/out")" != "$(readlink /proc/self/ns/user)" ] || fail "no user namespace"
        return
    fi
    expect_same "$(sed -n 1p "$TEST_DIR/out")" "$(readlink /proc/self/ns/user)"
    # Files have the ids that they have inside, in both directions; nothing comes back by mounts.
    mkdir v
    echo theirs >v/theirs
    chown 1234:1235 v/theirs
    runs "$mayfly" -q -i "$busybox" --userns host -n bridge -v "$PWD/v:/v" -m 64m -S 'stat -c %u:%g /v/theirs; echo mine >/v/mine; chown 4321:4322 /v/mine' \
        -D /v/mine
    expect_out 1234:1235
    expect_same "$(stat -c %u:%g v/mine)" 4321:4322
    expect_same "$(stat -c %u mine)" 0
    runs "$mayfly" -q -n none -i "$busybox" --userns host -u 70000 -S 'id -u'
    expect_out 70000
    runs "$mayfly" -q -r -i "$busybox" --userns host -S 'cat /proc/self/uid_map >/map' -S 'cat /map'
    expect_same "$(awk '{ print $1, $2 }' "$TEST_DIR/out")" '0 0'
    runs "$mayfly" -q -r -i "$busybox" -S 'cat /proc/self/uid_map >/map' -S 'cat /map'
    [ "$(awk '{ print $2 }' "$TEST_DIR/out")" != 0 ] || fail "one with a user namespace was remembered from one without"
}

test_the_namespace_of_users_in_words() {
    runs "$mayfly" -q -n none -i "$busybox" --userns auto -S 'readlink /proc/self/ns/user'
    [ "$(cat "$TEST_DIR/out")" != "$(readlink /proc/self/ns/user)" ] || fail "no user namespace"
    run "$mayfly" -n none -i "$busybox" --userns keep-id -S true
    expect_complaint 2 "--userns 'keep-id' is neither auto"
    only root
    run "$mayfly" -n none -i "$busybox" --userns host --device /dev/zero:r -S true
    expect_complaint 125 'with --userns host its root can do all'
}

test_apparmor_where_there_is_none() {
    runs "$mayfly" -q -n none -i "$busybox" --security-opt apparmor=unconfined -S true
    ! grep -q Y /sys/module/apparmor/parameters/enabled 2>/dev/null || return 0
    run "$mayfly" -n none -i "$busybox" --security-opt apparmor=x -S true
    expect_complaint 125 '--security-opt apparmor=x: this host has no AppArmor'
}

# As Podman takes them on a host without SELinux.
test_labels_where_there_is_no_selinux() {
    runs "$mayfly" -q -n none -i "$busybox" --security-opt label=disable -S true
    [ ! -e /sys/fs/selinux/enforce ] || skip "this host has SELinux"
    runs "$mayfly" -q -n none -i "$busybox" --security-opt label=type:spc_t --security-opt label=level:s0:c1,c2 -S true
    runs "$mayfly" run --rm -n none --security-opt label=nested "$busybox" true
    mkdir shown
    echo x >shown/x
    run "$mayfly" -q -n none -i "$busybox" -v shown:/shown:z -v shown:/ro:Z,ro -v shown:/cow:cow,z -S 'cat /shown/x; echo y >/shown/x; cat /ro/x; echo z >/cow/x; cat /ro/x; echo n >/ro/x'
    expect_out $'x\ny\ny'
    expect_status 1
    runs "$mayfly" run --rm -n none -v "$PWD/shown:/shown:ro,z" "$busybox" cat /shown/x
    expect_out y
    run "$mayfly" -n none -i "$busybox" -v shown:/shown:ro,zz -S true
    expect_complaint 2 "unknown option 'zz'; use ro, rw, cow, z or Z"
}

# names CAPABILITIES: of a set of bits
names() { capsh --decode="$1" | sed 's/.*=//' | tr a-z, 'A-Z\n' | sort; }
# maps FILE: of a map in /proc as the container has read it, in podman's form
maps() { awk '{ print $1 ":" $2 ":" $3 }' "$1"; }

# What is reported is what the kernel says to a program inside.
test_reports_agree_with_the_kernel() {
    local options report=.confinement
    fresh_store
    while read -r options; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" --json run.json $options -S 'cat /proc/self/status'
        expect_same "$(jq -r "$report.capabilities[]" run.json | sort)" "$(names "$(status_of CapEff)")"
        # With a single id there is one for emulation in any case.
        [ "$mode" = single ] || expect_same "$(jq -r "$report.seccomp" run.json | sed 's/default/2/; s/unconfined/0/')" "$(status_of Seccomp)"
        expect_same "$(jq -r "$report.no_new_privileges" run.json | sed 's/false/0/; s/true/1/')" "$(status_of NoNewPrivs)"
        # shellcheck disable=SC2086
        runs "$mayfly" run -d --name box -n none $options "$busybox" sh -c 'cat /proc/self/status; exec sleep 1000'
        runs "$mayfly" exec box cat /proc/self/status
        cp "$TEST_DIR/out" status
        runs "$mayfly" inspect box
        cp "$TEST_DIR/out" box.json
        cp status "$TEST_DIR/out"
        expect_same "$(jq -r '.[0].EffectiveCaps[]' box.json | sort)" "$(names "$(status_of CapEff)")"
        expect_same "$(jq -r '.[0].BoundingCaps[]' box.json | sort)" "$(names "$(status_of CapBnd)")"
        expect_same "$(jq -c '.[0].HostConfig.SecurityOpt | map(select(. == "no-new-privileges")) | length' box.json)" "$(status_of NoNewPrivs)"
        # The maps are written for the reader: this test reads them from where mayfly does.
        maps "/proc/$(jq '.[0].State.Pid' box.json)/uid_map" >map
        expect_same "$(jq -r '.[0].HostConfig.IDMappings.UidMap[]' box.json)" "$(cat map)"
        expect_same "$(jq -r "$report.uid_map[] | map(tostring) | join(\":\")" run.json)" \
            "$([[ $options != *host* || $mode != root ]] && cat map || echo 0:0:2147483647)"
        maps "/proc/$(jq '.[0].State.Pid' box.json)/gid_map" >map
        expect_same "$(jq -r '.[0].HostConfig.IDMappings.GidMap[]' box.json)" "$(cat map)"
        runs "$mayfly" rm -f box
    done <<'END'

--privileged
--cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges
--security-opt seccomp=unconfined --cap-add NET_ADMIN
--userns host
END
}
