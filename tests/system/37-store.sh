# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# "mayfly doctor --store": whether everything in the store is what it was.

# A store with an image of two layers; $layers is where they are.
filled() {
    fresh_store
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    layers=$(echo "$MAYFLY_STORE"/*/layers)
    local digits
    for digits in "$layers"/*; do
        [ -e "$digits/etc/second" ] && second=$digits || first=$digits
    done
    id=$("$mayfly" images -q --no-trunc | cut -d: -f2)
}
# broken REGEX...: doctor finds the image broken and says all of these
broken() {
    run "$mayfly" doctor --store
    expect_status 1
    local regex
    for regex in "$@" "^PROBLEM +image +$id: .*"; do
        grep -Eq -e "$regex" "$TEST_DIR/out" || fail "expected in its findings: $regex"
    done
}
whole() {
    runs "$mayfly" doctor --store
    [ "$(tail -n 1 "$TEST_DIR/out")" = 'The store is whole.' ] || fail "not whole"
}

test_a_whole_store() {
    fresh_store
    whole
    filled
    runs "$mayfly" import "$busybox" from-tarball
    gzip -c "$busybox" >b.tar.gz
    runs "$mayfly" -q -i b.tar.gz -S true
    whole
    expect_same "$(grep -Ec '^ok +image' "$TEST_DIR/out")" 2
    expect_same "$(grep -Ec '^ok +layer' "$TEST_DIR/out")" 3
    expect_silence
}

test_what_a_power_cut_may_do_is_found() {
    only root
    filled
    # A file of the image without its content.
    cp -a "$first/etc/first" kept
    : >"$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: .*'etc/first' has 0 bytes where there were 21"
    cp -a kept "$first/etc/first"
    whole
    # The same size, other bytes.
    printf 'from the worst layer\n' >"$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: .*changed"
    # No file, no directory, something else in its place.
    rm "$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: .*etc/first"
    mkdir "$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: .*etc/first"
    rmdir "$first/etc/first"
    ln -s /etc/passwd "$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: .*etc/first"
    rm "$first/etc/first"
    cp -a kept "$first/etc/first"
    touch -d @1700000000 "$first/etc"
    whole
    # A layer that is not there at all.
    mv "$second" aside
    broken "^PROBLEM +image +$id: its layer ${second##*/} is not there"
    mv aside "$second"
    whole
}

test_what_is_no_content_is_compared_too() {
    only root
    filled
    local whiteout
    # Everything that an entry says of itself.
    chmod 600 "$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: 'etc/first' has the mode 600 where it had 644"
    chmod 644 "$first/etc/first"
    chown 3:4 "$first/etc"
    broken "^PROBLEM +layer +${first##*/}: 'etc' belongs to 3:4 where it belonged to 0:0"
    chown 0:0 "$first/etc"
    cp -a "$first/bin" kept
    rm "$first/bin/sh"
    broken "^PROBLEM +layer +${first##*/}: '(bin/sh' is not there|bin' has another time)"
    ln -s nowhere "$first/bin/sh"
    touch -hr kept/sh "$first/bin/sh"
    touch -r kept "$first/bin"
    broken "^PROBLEM +layer +${first##*/}: .*'bin/sh'"
    rm "$first/bin/sh"
    cp -a kept/sh "$first/bin/sh"
    touch -r kept "$first/bin"
    whole
    touch -d @1 "$first/etc/first"
    broken "^PROBLEM +layer +${first##*/}: 'etc/first' has another time"
    touch -d @1700000000 "$first/etc/first"
    # What a later layer has removed would be there again.
    whiteout=$(find "$second" -type c | head -n 1)
    [ -n "$whiteout" ] || fail "no whiteout in the second layer"
    rm "$whiteout"
    broken "^PROBLEM +layer +${second##*/}: the whiteout of 'etc/gone' is not there"
}

test_attributes_are_compared_too() {
    type -P setfattr setcap >/dev/null || promised "attr and libcap2-bin are not installed"
    fresh_store
    mkdir -p t/dir
    echo content >t/file
    cp t/file t/plain
    setfattr -n user.note -v 'a value' t/file && setfattr -n user.kind -v tea t/dir || skip "no attributes in $PWD"
    [ "$mode" != root ] || setcap cap_net_raw+ep t/file
    tar -C t --format=posix --owner=0 --group=0 --xattrs --xattrs-include='*' -cf t.tar .
    runs "$mayfly" import t.tar t:1
    whole
    id=$("$mayfly" images -q --no-trunc | cut -d: -f2)
    local layer file
    layer=$(echo "$MAYFLY_STORE"/*/layers/*)
    file=$layer/file
    [ "$(getfattr --only-values -n user.note "$file")" = 'a value' ] || fail "it was not kept"
    setfattr -n user.note -v 'another' "$file"
    broken "^PROBLEM +layer +${layer##*/}: 'file' has the attribute user.note with another value"
    setfattr -x user.note "$file"
    broken "^PROBLEM +layer +${layer##*/}: 'file' has the attribute user.note no more"
    setfattr -n user.note -v 'a value' "$file"
    whole
    setfattr -x user.kind "$layer/dir"
    broken "^PROBLEM +layer +${layer##*/}: 'dir' has the attribute user.kind no more"
    setfattr -n user.kind -v tea "$layer/dir"
    setfattr -n user.more -v x "$layer/plain"
    broken "^PROBLEM +layer +${layer##*/}: 'plain' has the attribute user.more, which it had not"
    setfattr -x user.more "$layer/plain"
    whole
    [ "$mode" = root ] || return 0
    # What a program may do is an attribute as well.
    setcap cap_net_raw,cap_sys_admin+ep "$file"
    broken "^PROBLEM +layer +${layer##*/}: 'file' has the attribute security.capability with another value"
    setcap cap_net_raw+ep "$file"
    setcap cap_sys_admin+ep "$layer/plain"
    broken "^PROBLEM +layer +${layer##*/}: 'plain' has the attribute security.capability, which it had not"
}

test_damaged_records_recipes_and_names_are_found() {
    filled
    local recipe
    recipe=$(echo "$MAYFLY_STORE"/*/recipes)/${second##*/}
    cp "$recipe" kept
    head -c 100 kept >"$recipe"
    broken "^PROBLEM +layer +${second##*/}: .*recipe"
    : >"$recipe"
    broken "^PROBLEM +layer +${second##*/}: .*recipe"
    cp kept "$recipe"
    whole
    local record
    record=$(echo "$MAYFLY_STORE"/*/images)/$id
    cp "$record" kept
    head -c 50 kept >"$record"
    broken "^PROBLEM +image +$id: .*record"
    cp kept "$record"
    whole
    rm "$record"
    run "$mayfly" doctor --store
    expect_status 1
    grep -Eq '^PROBLEM +name +mayfly.test%busybox:1: ' "$TEST_DIR/out" || fail "the name"
}

test_a_damaged_image_is_mended_by_bringing_it_anew() {
    only root
    filled
    : >"$first/etc/first"
    broken
    runs "$mayfly" rmi mayfly.test/busybox:1
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    whole
    runs "$mayfly" -q -i mayfly.test/busybox:1 -S 'cat /etc/first'
    expect_out 'from the first layer'
}

test_leftovers_are_noted_and_prune_takes_them() {
    filled
    cp "$(echo "$MAYFLY_STORE"/*/recipes)/${first##*/}" "$(echo "$MAYFLY_STORE"/*/recipes)/0123"
    whole
    grep -Eq '^note +leftover +recipes/0123' "$TEST_DIR/out" || fail "the recipe"
    runs "$mayfly" prune -f
    whole
    expect_same "$(grep -c leftover "$TEST_DIR/out")" 0
    runs "$mayfly" rmi mayfly.test/busybox:1
    expect_same "$(find "$MAYFLY_STORE"/*/recipes "$MAYFLY_STORE"/*/layers -mindepth 1)" ''
}
