# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Wrong input: one line that names the thing and the mend.

test_an_unknown_option() {
    run "$mayfly" -i "$busybox" --no-such -S true
    expect_complaint 2 no-such
    run "$mayfly" -i "$busybox" -Z
    expect_complaint 2 -Z
    run "$mayfly" -i "$busybox" --shelcmd true
    expect_complaint 2 shelcmd '--shellcmd'
}

test_no_image() {
    run "$mayfly" -S true
    expect_complaint 2 '-i'
}

test_a_missing_argument() {
    run "$mayfly" -i "$busybox" -W
    expect_complaint 2 -W
    run "$mayfly" -i "$busybox" -S
    expect_complaint 2 -S
}

test_a_wrong_word() {
    run "$mayfly" frobnicate
    expect_complaint 2 frobnicate
    run "$mayfly" -i "$busybox" pwd
    expect_complaint 2 pwd '-S'
}

test_a_missing_image() {
    local reference
    for reference in tar:nowhere.tar ./nowhere rootfs:/no/where oci:nowhere docker-archive:nowhere.tar; do
        run "$mayfly" -i "$reference" -S true
        expect_complaint 125 nowhere\|/no/where
    done
    run "$mayfly" -i no-such-image -S true
    expect_complaint 125 no-such-image
}

test_a_tarball_cut_short() {
    fresh_store
    head -c 100000 "$busybox" >cut.tar
    run "$mayfly" -i cut.tar -S true
    expect_complaint 125 cut.tar
    gzip -c "$busybox" | head -c 100000 >cut.tar.gz
    run "$mayfly" -i cut.tar.gz -S true
    expect_complaint 125 cut.tar.gz
    : >empty.tar
    run "$mayfly" -i empty.tar -S true
    expect_complaint 125 empty.tar
    head -c 100000 /dev/urandom >noise.tar
    run "$mayfly" -i noise.tar -S true
    expect_complaint 125 noise.tar
    expect_same "$(store_leavings)" ''
}

test_a_layer_that_is_not_what_the_manifest_says() {
    fresh_store
    cp -r "$images/busybox-oci" layout
    chmod -R u+w layout
    local blob
    for blob in layout/blobs/sha256/*; do
        if gzip -t "$blob" 2>/dev/null && [ "$(zcat "$blob" | wc -c)" -gt 100000 ]; then
            zcat "$blob" | sed 's/from the first layer/from the worst layer/' | gzip -n >new
            cp new "$blob"
        fi
    done
    run "$mayfly" -i oci:layout -S 'cat /etc/first'
    expect_complaint 125 digest\|size
    expect_out ''
    expect_same "$(store_leavings)" ''
}

test_an_image_without_a_shell() {
    run "$mayfly" -i "$images/noshell.tar" -S true
    expect_complaint 125\|127 '-X'
}

test_a_missing_volume() {
    run "$mayfly" -i "$busybox" -v "$PWD/nowhere:/v" -S true
    expect_complaint 125 nowhere
    [ ! -e nowhere ] || fail "it was created"
}

test_a_volume_that_is_written_wrong() {
    mkdir dir
    run "$mayfly" -i "$busybox" -v dir -S true
    expect_complaint 2 dir
    run "$mayfly" -i "$busybox" -v dir:relative -S true
    expect_complaint 2 relative
    run "$mayfly" -i "$busybox" -v dir:/x:wo -S true
    expect_complaint 2 wo
    run "$mayfly" -i "$busybox" -v dir:/x -v dir:/x/ -S true
    expect_complaint 2 /x
}

test_a_volume_onto_something_else() {
    mkdir dir
    run "$mayfly" -i "$busybox" -v dir:/etc/passwd -S true
    expect_complaint 125 /etc/passwd
}

test_a_bad_user() {
    run "$mayfly" -i "$busybox" -u nobody-here -S true
    expect_complaint 125 nobody-here
    run "$mayfly" -i "$busybox" -u root:nogroup-here -S true
    expect_complaint 125 nogroup-here
    run "$mayfly" -i "$busybox" -u 99999999999 -S true
    [ "$status" = 125 ] || [ "$status" = 2 ] || fail "expected 125 or 2"
    expect_err 99999999999
}

test_a_workdir_that_is_a_file() {
    run "$mayfly" -q -i "$busybox" -W /etc/passwd -S true
    expect_complaint 125 /etc/passwd
    run "$mayfly" -q -i "$busybox" -W /etc/passwd/x -S true
    expect_complaint 125 /etc/passwd
}

test_a_store_that_cannot_be_written() {
    local MAYFLY_STORE=$PWD/closed
    mkdir closed
    if [ "$(id -u)" = 0 ]; then
        mount -t tmpfs -o ro none closed
    else
        chmod 555 closed
    fi
    run "$mayfly" -i "$busybox" -S true
    [ "$(id -u)" != 0 ] || umount closed
    expect_complaint 125 closed
    MAYFLY_STORE=$busybox run "$mayfly" -i "$busybox" -S true
    expect_complaint 125 busybox.tar
}

test_a_full_disk() {
    only root
    fresh_store
    mkdir small
    mount -t tmpfs -o size=1m none small
    MAYFLY_STORE=$PWD/small run "$mayfly" -i "$busybox" -S true
    local left
    left=$(find small -path '*/tmp/*' -o -path '*/layers/*')
    umount small
    expect_complaint 125 'o space|ull'
    expect_same "$left" ''
}

test_wrong_times_and_names() {
    run "$mayfly" -i "$busybox" --timeout soon -S true
    expect_complaint 2 soon
    run "$mayfly" -i "$busybox" --timeout 0 -S true
    expect_complaint 2 timeout
    run "$mayfly" -i "$busybox" --name 'a/b' -S true
    expect_complaint 2 a/b
    run "$mayfly" -i "$busybox" --name ../up -S true
    expect_complaint 2 up
    run "$mayfly" -i "$busybox" --net no/such -S true
    expect_complaint 2 no/such
    run "$mayfly" -i "$busybox" --json "$PWD/no/such/dir/report" -S true
    expect_complaint 125 /no/such/dir/report
}

test_control_characters_stay_out_of_messages() {
    run "$mayfly" -i $'evil\e[31m\nname' -S true
    expect_status 125
    expect_same "$(wc -l <"$TEST_DIR/err")" 1
    ! grep -q $'\e' "$TEST_DIR/err" || fail "an escape came through"
}

test_user_namespaces_forbidden() {
    # In a user namespace of our own the limit can be lowered without touching the host's.
    unshare --user --map-root-user true || skip "no nested user namespace"
    run unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' - \
        env MAYFLY_STORE="$TEST_DIR/store" "$mayfly" -i "$busybox" -S true
    expect_complaint 125 'max_user_namespaces'
    run unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' - \
        env MAYFLY_STORE="$TEST_DIR/store" "$mayfly" doctor
    expect_status 1
    grep -q max_user_namespaces "$TEST_DIR/out" || fail "doctor does not name it"
}

test_a_kernel_that_lacks_a_feature() {
    # A filter answers ENOSYS; the programs that give out subordinate ids need privilege, which
    # a user's filter takes away.
    only root single
    local call
    for call in clone3 openat2 fsopen fsmount move_mount open_tree pidfd_open close_range mount_setattr pivot_root; do
        run "$helpers/deny" $call "$mayfly" -i "$busybox" -S true
        if [ "$status" != 0 ]; then
            expect_complaint 125 "$call|[Kk]ernel"
        fi
    done
}

test_a_call_that_is_forbidden() {
    only root single
    local call
    for call in mount_setattr fsopen pivot_root unshare sethostname; do
        run "$helpers/deny" -p $call "$mayfly" -q -i "$busybox" -S true
        if [ "$status" != 0 ]; then
            expect_complaint 125
        fi
    done
}
