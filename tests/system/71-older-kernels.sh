# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2030,SC2031,SC2154
# Tests of other files on a kernel that has no more system calls than Linux 5.11
# (a filter answers ENOSYS, tests/support/deny.c): mounts get their flags by the
# older calls, and root's containers have the ids of the host.

# on_linux_5_11 FILE TEST...
on_linux_5_11() {
    # A user's filter takes privilege from the programs that give out subordinate ids.
    only root single
    local file=$1 name status
    n=${n:-0}
    shift
    printf '#!/bin/sh\nexec "%s" linux-5.11 "%s" "$@"\n' "$helpers/deny" "$mayfly" >"$TEST_DIR/mayfly"
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
        [[ $status =~ ^(0|77|78)$ ]] || fail "$name on Linux 5.11"
    done
}

test_linux_5_11_ids() {
    only root single
    run "$helpers/deny" linux-5.11 "$mayfly" -i "$busybox" -S 'cat /proc/self/uid_map' -S 'touch /own && stat -c %u /own'
    expect_status 0
    [ "$mode" = single ] || expect_err "^mayfly: warning: .* mapped as 'identity'"
    grep -q '^ *0 .*' "$TEST_DIR/out" || fail "no map"
    run "$helpers/deny" linux-5.11 "$mayfly" doctor
    expect_status 0
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

test_linux_5_11_volumes() {
    on_linux_5_11 10-one-liner.sh volume_read_only volume_copy_on_write volume_copy_on_write_of_a_file tmpfs read_only_root
}

test_linux_5_11_mounts_below_a_volume() {
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

test_linux_5_11_containers() {
    on_linux_5_11 20-container.sh namespaces_are_its_own devices sys_is_read_only \
        proc_is_masked_and_read_only_where_it_governs_the_host no_descriptor_of_the_host_gets_in \
        the_host_is_out_of_reach mounts_do_not_reach_the_host umask_and_signals_are_in_order
}

test_linux_5_11_images() {
    on_linux_5_11 30-images.sh a_directory_is_an_image_and_never_written_to docker_archive \
        lower_files_show_through_and_deletions_hold the_host_as_a_throw_away_copy
}

test_linux_5_11_parsing() {
    on_linux_5_11 32-parsing.sh a_parser_that_is_turned_against_root
}

test_linux_5_11_networks() {
    on_linux_5_11 45-bridge.sh bridge_gives_an_address_and_names containers_on_the_bridge_reach_each_other killed_on_the_bridge
}

test_linux_5_11_limits_and_devices() {
    on_linux_5_11 47-limits.sh a_limit_of_processes limits_stand_in_the_group
    on_linux_5_11 49-devices.sh devices_are_given
}

test_linux_5_11_longer_lives() {
    on_linux_5_11 55-long-lived.sh a_life_from_run_to_rm restarts
}

test_linux_5_11_files() {
    on_linux_5_11 60-files.sh download_a_directory upload_a_file_and_a_directory
}

test_linux_5_11_confinement() {
    on_linux_5_11 62-confinement.sh hidden_and_read_only_files_of_the_kernel
    on_linux_5_11 65-escapes.sh nothing_is_mounted_over_proc a_mount_point_swapped_for_a_link the_old_root_is_out_of_reach
}
