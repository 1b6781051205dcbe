# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Every form of an image that needs no network.

unpacked() {
    mkdir tree
    tar -C tree -xf "$busybox" --no-same-owner
}

test_a_directory_is_an_image_and_never_written_to() {
    unpacked
    local before reference
    before=$(fingerprint tree)
    for reference in "rootfs:$PWD/tree" "$PWD/tree" ./tree rootfs:tree ../tmp/tree; do
        runs "$mayfly" -q -i "$reference" -S 'cat /etc/first; echo x >/etc/first; rm -rf /srv /home; mkdir /new; chmod 700 /etc'
        expect_out 'from the first layer'
        expect_same "$(fingerprint tree)" "$before"
    done
}

test_a_directory_without_mount_points() {
    unpacked
    rm -rf tree/proc tree/sys tree/dev tree/tmp
    runs "$mayfly" -q -i ./tree -S 'ls /proc/self/status /dev/null'
    [ ! -e tree/proc ] || fail "made in the image"
}

test_a_directory_with_links_for_mount_points() {
    unpacked
    rmdir tree/proc tree/dev
    ln -s /srv tree/proc
    ln -s "$PWD/elsewhere" tree/dev
    mkdir elsewhere
    run "$mayfly" -q -i ./tree -S 'true'
    [ "$status" = 0 ] || [ "$status" = 125 ] || fail "neither refused nor run"
    expect_same "$(ls -A elsewhere)" ''
    ! grep -q " $PWD/elsewhere" /proc/self/mountinfo || fail "mounted on the host"
}

test_tarballs_of_each_compression() {
    fresh_store
    gzip -c "$busybox" >b.tar.gz
    xz -0c "$busybox" >b.tar.xz
    zstd -qc "$busybox" >b.tar.zst
    bzip2 -1c "$busybox" >b.tar.bz2 2>/dev/null || rm -f b.tar.bz2
    local file
    for file in b.tar.*; do
        runs "$mayfly" -q -i "tar:$file" -S 'cat /etc/first; stat -c %a /tmp /root'
        expect_out $'from the first layer\n1777\n700'
        runs "$mayfly" -q -i "$PWD/$file" -S 'true'
    done
}

test_a_tarball_that_changes_is_read_again() {
    fresh_store
    mkdir -p t/etc
    cp "$busybox" b.tar
    runs "$mayfly" -q -i b.tar -S 'cat /etc/first'
    echo changed >t/etc/first
    tar --delete -f b.tar ./etc/first
    tar -C t -rf b.tar ./etc/first
    runs "$mayfly" -q -i b.tar -S 'cat /etc/first'
    expect_out changed
}

test_an_image_is_unpacked_once() {
    fresh_store
    cp "$busybox" b.tar
    # Not younger than a moment: a file's times do not tell apart two changes within one tick.
    touch -d '2020-01-01' b.tar
    runs "$mayfly" -q -i b.tar -S true
    local before
    before=$(cd "$MAYFLY_STORE" && find . -path '*/layers/*' -maxdepth 3 -printf '%p %i\n' | sort)
    runs "$mayfly" -q -i b.tar -S true
    expect_same "$(cd "$MAYFLY_STORE" && find . -path '*/layers/*' -maxdepth 3 -printf '%p %i\n' | sort)" "$before"
}

test_oci_layout() {
    fresh_store
    runs "$mayfly" -q -i "oci:$images/busybox-oci" -S 'cat /etc/first /etc/second; ls /etc/gone 2>/dev/null; echo $GREETING'
    expect_status 0
    expect_out $'from the first layer\nfrom the second layer\nhello from the image'
    runs "$mayfly" -q -i "oci:$images/busybox-oci:1" -S 'true'
    run "$mayfly" -i "oci:$images/busybox-oci:2" -S 'true'
    expect_complaint 125 'busybox-oci' '2'
}

test_docker_archive() {
    fresh_store
    runs "$mayfly" -q -i "docker-archive:$images/busybox-docker.tar" -S 'cat /etc/first /etc/second; ls /etc/gone 2>/dev/null; echo $GREETING; pwd'
    expect_out $'from the first layer\nfrom the second layer\nhello from the image\n/srv'
    runs "$mayfly" -q -i "docker-archive:$images/busybox-docker.tar:mayfly.test/busybox:1" -S 'true'
    run "$mayfly" -i "docker-archive:$images/busybox-docker.tar:mayfly.test/busybox:9" -S 'true'
    expect_complaint 125 'busybox:9'
}

test_lower_files_show_through_and_deletions_hold() {
    runs "$mayfly" -q -i "oci:$images/busybox-oci" -S 'echo more >>/etc/first; rm /etc/second; cat /etc/first; ls /etc' -S 'test ! -e /etc/second'
    grep -qx gone "$TEST_DIR/out" && fail "the whiteout does not hold"
    runs "$mayfly" -q -i "oci:$images/busybox-oci" -S 'cat /etc/first'
    expect_out 'from the first layer'
}

test_the_host_as_a_throw_away_copy() {
    runs "$mayfly" -q -i host: -S 'cat /etc/debian_version; echo x >/etc/mayfly-was-here; ls /etc/mayfly-was-here'
    expect_out "$(cat /etc/debian_version)"$'\n/etc/mayfly-was-here'
    [ ! -e /etc/mayfly-was-here ] || fail "written to the host"
}

test_official_busybox_images() {
    fresh_store
    [ -d "$scratch/real-images/busybox" ] || skip "no ../shared/images"
    local layout
    for layout in "$scratch"/real-images/busybox/*-amd64; do
        runs "$mayfly" -q -i "oci:$layout" -S 'busybox | head -n 1 | cut -d" " -f1; echo $PATH'
        expect_same "$(head -n 1 "$TEST_DIR/out")" BusyBox
    done
}

test_official_alpine_tarballs() {
    fresh_store
    [ -d "$scratch/real-images/alpine" ] || skip "no ../shared/images"
    local file
    for file in "$scratch"/real-images/alpine/*-x86_64.tar.gz; do
        runs "$mayfly" -q -i "tar:$file" -S 'grep -c . /etc/alpine-release; apk --version >/dev/null'
    done
}

test_two_imports_of_one_image_at_once() {
    fresh_store
    local i pids=()
    for i in 1 2 3 4; do
        "$mayfly" -q -i "docker-archive:$images/busybox-docker.tar" -S 'cat /etc/second' >"$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        ends_with 0 "$i"
    done
    expect_same "$(sort -u 1 2 3 4)" 'from the second layer'
}
