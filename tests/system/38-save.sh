# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# "mayfly save": archives for others and for ourselves, with the bytes that came in.

# shellcheck source=tests/support/registry
. "$(dirname "${BASH_SOURCE[0]}")/../support/registry"
loaded() {
    fresh_store
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    id=$("$mayfly" images -q --no-trunc)
}
# copy FROM TO: by skopeo
copy() { skopeo copy "$1" "$2" >skopeo.log 2>&1 || fail "skopeo copy $1 $2: $(cat skopeo.log)"; }
# layers DIR: digests of the layers in what skopeo calls a dir:, and of the configuration
layers_of() { tr ',{' '\n\n' <"$1/manifest.json" | sed -n 's/.*"digest": *"\([^"]*\)".*/\1/p'; }

test_an_archive_has_the_very_bytes_that_came_in() {
    loaded
    runs "$mayfly" save -o out.tar mayfly.test/busybox:1
    expect_out ''
    expect_silence
    mkdir came went
    tar -C came -xf "$images/busybox-docker.tar"
    tar -C went -xf out.tar
    local file
    for file in came/*; do
        [ "$file" = came/manifest.json ] || cmp "$file" "went/${file#came/}" || fail "$file differs"
    done
    expect_same "$(find went -type f | wc -l)" "$(find came -type f | wc -l)"
    # The same image, the same archive; into a pipe as into a file.
    "$mayfly" save mayfly.test/busybox:1 | cmp - out.tar || fail "differs from the pipe's"
    "$mayfly" save -q "${id#sha256:}" >by-id.tar
    tar -xOf by-id.tar manifest.json | grep -q '"RepoTags":\[\]' || fail "an id became a name"
    runs "$mayfly" rmi mayfly.test/busybox:1
    runs "$mayfly" load -i out.tar
    expect_out 'Loaded image: mayfly.test/busybox:1'
    expect_same "$("$mayfly" images -q --no-trunc)" "$id"
    runs "$mayfly" -q -i mayfly.test/busybox:1 -S 'cat /etc/first /etc/second; ls /etc/gone 2>/dev/null || echo gone'
    expect_out $'from the first layer\nfrom the second layer\ngone'
}

test_skopeo_reads_both_kinds_and_we_read_what_it_writes() {
    loaded
    local form wanted
    copy "docker-archive:$images/busybox-docker.tar" dir:came
    wanted=$(sed -n 's/.*/&/p' <(layers_of came) | sort)
    for form in docker-archive oci-archive; do
        runs "$mayfly" save --format $form -o $form.tar mayfly.test/busybox:1
        copy "$form:$form.tar" "dir:$form"
        expect_same "$(layers_of $form | sort)" "$wanted"
        expect_same "$(layers_of $form | head -n 1)" "$id"
        # Through skopeo and back: the same image.
        copy "$form:$form.tar" "$form:back-$form.tar:mayfly.test/back:$form"
        runs "$mayfly" load -i "back-$form.tar"
        expect_same "$("$mayfly" images -q --no-trunc "mayfly.test/back:$form")" "$id"
    done
    expect_same "$("$mayfly" images -q | wc -l)" 1
}

# As docker does by the same rules; its daemon has no place in a test.
test_podman_loads_both_kinds() {
    only root # podman's own store is what it takes, not ours
    command -v podman >/dev/null || promised "no podman"
    not_sanitized "another's program"
    loaded
    local form theirs
    short=$(mktemp -d /tmp/podman-XXXXXX) # it wants a short name
    trap 'umount -l "$short/root"* 2>/dev/null; rm -rf "$short"' EXIT
    theirs=(podman --root "$short/root" --runroot "$short/run" --tmpdir "$short/tmp" --storage-driver vfs
        --cgroup-manager cgroupfs --events-backend none)
    for form in docker-archive oci-archive; do
        runs "$mayfly" save --format $form -o $form.tar mayfly.test/busybox:1
        runs "${theirs[@]}" load -q -i $form.tar
        expect_out 'Loaded image: mayfly.test/busybox:1'
        runs "${theirs[@]}" images -q --no-trunc
        expect_out "$id"
        runs "${theirs[@]}" rmi -f mayfly.test/busybox:1
    done
}

# From our store to skopeo's layout, into an empty store of ours, and out again: manifest, configuration and layers.
test_a_round_trip_keeps_every_digest() {
    loaded
    local reference wanted
    runs "$mayfly" save --format oci-archive -o out.tar mayfly.test/busybox:1
    skopeo copy --preserve-digests oci-archive:out.tar oci:layout:1 >skopeo.log 2>&1 || fail "skopeo: $(cat skopeo.log)"
    skopeo copy --preserve-digests oci:layout:1 oci-archive:theirs.tar:mayfly.test/theirs:1 >skopeo.log 2>&1 || fail "skopeo: $(cat skopeo.log)"
    wanted=$(skopeo inspect --raw oci-archive:out.tar)
    [[ $wanted == *"$id"* ]] || fail "another configuration: $wanted"
    MAYFLY_STORE=$TEST_DIR/second
    runs "$mayfly" load -q -i theirs.tar
    runs "$mayfly" -q -n none -i oci:layout:1 -S 'cat /etc/second'
    expect_out 'from the second layer'
    expect_same "$("$mayfly" images -q --no-trunc | sort -u)" "$id"
    for reference in mayfly.test/theirs:1 "${id#sha256:}"; do
        runs "$mayfly" save --format oci-archive -o back.tar "$reference"
        expect_same "$(skopeo inspect --raw oci-archive:back.tar)" "$wanted"
    done
    expect_same "$(skopeo inspect --raw oci:layout:1)" "$wanted"
}

test_an_oci_archive_is_loaded_under_its_name() {
    loaded
    runs "$mayfly" save --format=oci-archive -o out.tar mayfly.test/busybox:1
    fresh_store2=$TEST_DIR/second
    MAYFLY_STORE=$fresh_store2 runs "$mayfly" load -i out.tar
    MAYFLY_STORE=$fresh_store2 runs "$mayfly" -q -i mayfly.test/busybox:1 --pull never -S 'cat /etc/second'
    expect_out 'from the second layer'
    expect_same "$(MAYFLY_STORE=$fresh_store2 "$mayfly" images -q --no-trunc mayfly.test/busybox:1)" "$id"
    runs "$mayfly" -q -i oci-archive:out.tar -S 'cat /etc/first'
    expect_out 'from the first layer'
}

test_several_images_share_what_they_share() {
    loaded
    "$mayfly" tag mayfly.test/busybox:1 other:2
    runs "$mayfly" import "$busybox" bare
    runs "$mayfly" save -o all.tar mayfly.test/busybox:1 other:2 bare
    expect_same "$(tar -tf all.tar | grep -c 'tar$')" 3
    runs "$mayfly" rmi -f mayfly.test/busybox:1 other:2 bare
    runs "$mayfly" load -i all.tar
    expect_same "$(sort "$TEST_DIR/out")" $'Loaded image: bare:latest\nLoaded image: mayfly.test/busybox:1\nLoaded image: other:2'
    runs "$mayfly" -q -i bare -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" -q -i other:2 -S 'cat /etc/second'
}

test_a_tarball_as_an_image_for_others() {
    fresh_store
    runs "$mayfly" import "$busybox" bare
    runs "$mayfly" save -o bare.tar bare
    skopeo inspect docker-archive:bare.tar >inspected 2>&1 || fail "$(cat inspected)"
    grep -q "sha256:$(sha256sum "$busybox" | cut -d' ' -f1)" inspected || fail "the layer is not the tarball"
    runs "$mayfly" -q -i docker-archive:bare.tar -S 'cat /etc/first; stat -c %a /tmp'
    expect_out $'from the first layer\n1777'
}

# A tarball whose entries replace earlier ones has no tree that it could be made of again.
test_a_tarball_that_replaces_its_own_files() {
    fresh_store
    mkdir -p t/etc
    cp "$busybox" b.tar
    echo 'from an entry behind' >t/etc/first
    tar -C t --owner=0 --group=0 -rf b.tar ./etc/first
    runs "$mayfly" import b.tar twice
    runs "$mayfly" save -o twice.tar twice
    skopeo inspect docker-archive:twice.tar >inspected 2>&1 || fail "$(cat inspected)"
    runs "$mayfly" rmi twice
    runs "$mayfly" load -i twice.tar
    runs "$mayfly" -q -i twice -S 'cat /etc/first; stat -c "%a %u:%g %n" /tmp /root /bin/sh; ls /bin | wc -l'
    mv "$TEST_DIR/out" after
    runs "$mayfly" -q -i b.tar -S 'cat /etc/first; stat -c "%a %u:%g %n" /tmp /root /bin/sh; ls /bin | wc -l'
    cmp after "$TEST_DIR/out" || fail "another tree"
    grep -q 'from an entry behind' after || fail "$(cat after)"
    runs "$mayfly" doctor --store
}

# Modes, owners, times, links, attributes and holes, in a layer that went out and came back.
test_all_that_a_layer_can_hold_comes_back() {
    fresh_store
    mkdir -p t/dir
    (
        cd t || exit
        echo one >one && ln one dir/two && ln -s ../one dir/link && ln -s /nowhere broken
        mkfifo pipe && touch -d '2001-02-03 04:05:06.123456789' one && touch -h -d @5 broken
        truncate -s 3M holes && printf data | dd of=holes bs=1 seek=2000000 conv=notrunc status=none
        chmod 4711 holes && chmod 1777 dir && touch "$(printf 'n%.0s' {1..200})" 'a name' $'new\nline' dir/é
        mkdir -p deep/er/still && touch -d @1 deep
    )
    local owner=0
    # What belongs to a subordinate id the runner cannot remove.
    [ "$mode" = subuid ] || owner=7
    tar -C t --format=posix --sparse --owner=$owner --group=$owner --numeric-owner -cf t.tar .
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    runs "$mayfly" import t.tar tree
    runs "$mayfly" save -o one.tar tree
    runs "$mayfly" save --format oci-archive -o two.tar tree
    rm -rf "${MAYFLY_STORE:?}"/*/index # forgotten
    mkdir one two
    local which
    for which in one two; do
        export MAYFLY_STORE=$TEST_DIR/store-$which
        runs "$mayfly" load -i $which.tar
        runs "$mayfly" save tree
        mv "$TEST_DIR/out" $which.again
        tar -xOf $which.again "$(sha256sum t.tar | cut -d' ' -f1).tar" | cmp - t.tar || fail "$which"
    done
    cmp one.again two.again || fail "two archives of one image"
}

test_what_cannot_be_saved() {
    loaded
    run "$mayfly" save nothing -o x.tar
    expect_complaint 125 nothing
    [ ! -e x.tar ] || fail "an archive of nothing"
    run "$mayfly" save
    expect_complaint 2 'REF'
    run "$mayfly" save --format zip mayfly.test/busybox:1
    expect_complaint 2 zip docker-archive
    run "$mayfly" save -o nowhere/x.tar mayfly.test/busybox:1
    expect_complaint 125 nowhere/x.tar
    mkdir tree
    run "$mayfly" save ./tree
    expect_complaint 125 import
    tty -- "$mayfly" save mayfly.test/busybox:1
    expect_status 125
    grep -q -e '-o FILE' "$TEST_DIR/out" || fail "nothing said to the person at the terminal"
    "$mayfly" save mayfly.test/busybox:1 2>err | head -c 10 >/dev/null
    expect_same "${PIPESTATUS[0]}" 125
    grep -q 'Broken pipe' err || fail "$(cat err)"
}

test_a_damaged_layer_is_not_saved() {
    only root
    loaded
    local file
    file=$(find "$MAYFLY_STORE" -path '*/layers/*' -name first)
    printf 'from the worst layer\n' >"$file"
    run "$mayfly" save -o out.tar mayfly.test/busybox:1
    expect_complaint 125 damaged 'doctor --store'
    [ ! -e out.tar ] || fail "an archive remains"
}

test_an_image_is_found_by_its_id() {
    loaded
    local digits=${id#sha256:}
    runs "$mayfly" -q -i "${digits:0:12}" -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" -q -i "$id" --pull never -S 'cat /etc/first'
    run "$mayfly" -q -i "${digits:0:7}" --pull never -S true
    expect_complaint 125 "${digits:0:7}"
    runs "$mayfly" tag "${digits:0:8}" short
    runs "$mayfly" -q -i short -S true
}
