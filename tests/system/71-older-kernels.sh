# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2030,SC2031,SC2154
# Tests of other files on a kernel that has no more system calls than Linux 5.11
# (a filter answers ENOSYS, tests/support/deny.c): mounts get their flags by the
# older calls, and root's containers have the ids of the host.  Root has moreover
# Linux 5.10, where no user namespace mounts an overlay; vm/box has the real one.

# on_linux VERSION FILE TEST...
on_linux() {
    local version=$1 file=$2 name status
    n=${n:-0}
    shift 2
    printf '#!/bin/sh\nexec "%s" linux-%s "%s" "$@"\n' "$helpers/deny" "$version" "$mayfly" >"$TEST_DIR/mayfly"
    chmod 755 "$TEST_DIR/mayfly"
    for name in "$@"; do
        # A short name: there are sockets to be bound.
        n=$((n + 1))
        mkdir -p "$TEST_DIR/$n/tmp"
        (
            cd "$TEST_DIR/$n/tmp" || exit 2
            mayfly=$TEST_DIR/mayfly TEST_DIR=$TEST_DIR/$n
            # shellcheck disable=SC1090
            . "$scratch/system/$file"
            "test_$name"
        )
        status=$?
        [[ $status =~ ^(0|77|78)$ ]] || fail "$name on Linux $version"
    done
}
on_older_kernels() {
    # A user's filter takes privilege from the programs that give out subordinate ids.
    only root single
    on_linux 5.11 "$@"
    [ "$mode" = single ] || on_linux 5.10 "$@"
}

test_older_kernels_give_the_hosts_ids() {
    only root
    local version
    for version in 5.10 5.11; do
        runs "$helpers/deny" linux-$version "$mayfly" -i "$busybox" -S 'echo $(cat /proc/self/uid_map)'
        expect_out '0 0 65536'
        # Once, and nothing else.
        expect_err "^mayfly: warning: .* mapped as 'identity'"
        [ "$(grep -c warning "$TEST_DIR/err")" = 1 ] || fail "more than one warning"
        runs "$helpers/deny" linux-$version "$mayfly" doctor
        grep -q "^note .*'identity'" "$TEST_DIR/out" || fail "doctor does not say it"
    done
}

test_older_kernels_for_users() {
    only single
    run "$helpers/deny" linux-5.10 "$mayfly" -i "$busybox" -S true
    expect_complaint 125 'Linux 5.11 or later'
    runs "$helpers/deny" linux-5.11 "$mayfly" doctor
}

# That a directory hides what is below it is written down in one way for Linux 5.10, in another for later ones.
test_older_kernels_and_later_ones_share_a_store() {
    only root
    fresh_store
    local before after
    local make='mkdir /d; echo old >/d/file' replace='rm -r /d; mkdir /d; echo new >/d/other'
    for before in "$helpers/deny linux-5.10" env; do
        after=env
        [ "$before" != env ] || after="$helpers/deny linux-5.10"
        # As remembered steps,
        runs $before "$mayfly" -q -r -i "$busybox" -n none -S "$make" -S "$replace"
        runs $after "$mayfly" -q -r --json run.json -i "$busybox" -n none -S "$make" -S "$replace" -S 'ls /d'
        expect_out other
        [ "$(grep -o '"remembered":true' run.json | wc -l)" = 2 ] || fail "not what was made before"
        # as a container's changes that are kept, once it has ended,
        runs $before "$mayfly" run --name kept -n none "$busybox" sh -c "rm -r /etc; mkdir /etc; echo new >/etc/other"
        runs $after "$mayfly" commit kept made
        runs env "$mayfly" -q -i made -n none -S 'ls /etc | grep -v host | grep -v resolv'
        expect_out other
        runs $after "$mayfly" start -a kept
        expect_same "$(find "$(dirname "$(kept kept state)")/upper/etc" -name first)" ''
        runs "$mayfly" rm kept
        # as an image of one that goes on.
        runs $before "$mayfly" -q -i "$busybox" -n none -S "rm -r /etc; mkdir /etc; echo new >/etc/other" -C made
        runs $after "$mayfly" -q -i made -n none -S 'ls /etc | grep -v host | grep -v resolv'
        expect_out other
        runs "$mayfly" prune -a -f
    done
}

# As Linux 5.12 to 5.18 answer, which have mounts with mapped ids and no overlay of them.
test_an_overlay_that_takes_no_mapped_layers() {
    only root
    [ -x "$mayfly_fault" ] || exit 78
    local n
    MAYFLY_FAULT=count:$TEST_DIR/calls runs "$mayfly_fault" -q -i "$busybox" -n none -S true
    n=$(tr -d '\0' <"$TEST_DIR/calls" | grep -nx -m 1 'mount *' | cut -d: -f1)
    MAYFLY_FAULT=fail:22:$n run "$mayfly_fault" -i "$busybox" -n none -S 'echo $(cat /proc/self/uid_map)'
    expect_status 0
    expect_out '0 0 65536'
    expect_err "^mayfly: warning: layers cannot be mounted with mapped ids .*'identity'"
    # That nothing else does it either is said once.
    MAYFLY_FAULT=fail:19:$n run "$mayfly_fault" -i "$busybox" -n none -S true
    expect_complaint 125 overlayfs
}

test_older_kernels_volumes() {
    on_older_kernels 10-one-liner.sh volume_read_only volume_copy_on_write volume_copy_on_write_of_a_file tmpfs read_only_root
}

test_older_kernels_mounts_below_a_volume() {
    # They keep their own flags, and get the volume's.
    only root
    mkdir -p 'v/a b\c' v/sub
    mount -t tmpfs -o nosuid,noexec none 'v/a b\c'
    mount -t tmpfs none v/sub
    run "$helpers/deny" linux-5.11 "$mayfly" -i "$busybox" -n none -v "$PWD/v:/v:ro" -S 'grep " /v" /proc/self/mountinfo | cut -d" " -f5,6; touch "/v/a b\c/f" /v/sub/f /v/f'
    expect_status 1
    expect_out '/v ro,nosuid,nodev,relatime
/v/a\040b\134c ro,nosuid,nodev,noexec,relatime
/v/sub ro,nosuid,nodev,relatime'
    [ "$(grep -c 'Read-only file system' "$TEST_DIR/err")" = 3 ] || fail "something can be written"
    # One that lies under another could come to light without its flags: none is shown then.
    mount -t tmpfs none v/sub
    run "$helpers/deny" linux-5.11 "$mayfly" -i "$busybox" -n none -v "$PWD/v:/v:ro" -S 'grep -c " /v" /proc/self/mountinfo'
    expect_status 0
    expect_out 1
    expect_err 'volume .*: the mounts below it are left out, .* another hides it'
    umount v/sub v/sub 'v/a b\c'
}

test_older_kernels_containers() {
    on_older_kernels 20-container.sh namespaces_are_its_own devices sys_is_read_only \
        proc_is_masked_and_read_only_where_it_governs_the_host no_descriptor_of_the_host_gets_in \
        the_host_is_out_of_reach mounts_do_not_reach_the_host umask_and_signals_are_in_order
}

test_older_kernels_images() {
    on_older_kernels 30-images.sh a_directory_is_an_image_and_never_written_to docker_archive \
        lower_files_show_through_and_deletions_hold the_host_as_a_throw_away_copy
}

test_older_kernels_parsing() {
    on_older_kernels 32-parsing.sh a_parser_that_is_turned_against_root
}

test_older_kernels_networks() {
    on_older_kernels 45-bridge.sh bridge_gives_an_address_and_names containers_on_the_bridge_reach_each_other killed_on_the_bridge
}

test_older_kernels_limits_and_devices() {
    on_older_kernels 47-limits.sh a_limit_of_processes limits_stand_in_the_group
    on_older_kernels 49-devices.sh devices_are_given
}

test_older_kernels_longer_lives() {
    on_older_kernels 55-long-lived.sh a_life_from_run_to_rm restarts
}

# The program starts anew, from a copy that nobody can change, when what is remembered has been shown.
test_what_is_remembered_is_shown_once() {
    fresh_store
    cp "$mayfly" own-mayfly
    local older=(env)
    [ "$mode" != root ] || older=("$helpers/deny" linux-5.11)
    runs "${older[@]}" ./own-mayfly -q -r -i "$busybox" -n none -S 'echo one' -S 'echo two'
    runs "${older[@]}" ./own-mayfly -r -i "$busybox" -n none -S 'echo one' -S 'echo two' -S 'echo three'
    expect_out $'one\ntwo\nthree'
    expect_same "$(grep -c '  remembered  ' "$TEST_DIR/err")" 2
}

test_older_kernels_remember() {
    on_older_kernels 85-remember.sh remember_a_second_run_executes_nothing remember_a_change_runs_from_where_it_matters \
        remember_copy_on_write_volumes
}

test_older_kernels_files() {
    on_older_kernels 60-files.sh download_a_directory upload_a_file_and_a_directory
}

test_older_kernels_confinement() {
    on_older_kernels 62-confinement.sh hidden_and_read_only_files_of_the_kernel
    on_older_kernels 65-escapes.sh nothing_is_mounted_over_proc a_mount_point_swapped_for_a_link the_old_root_is_out_of_reach
    on_older_kernels 65-escapes-later.sh a_joining_exec_begins_inside
}
