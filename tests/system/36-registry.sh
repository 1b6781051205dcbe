# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Images from a registry: Debian's docker-registry on loopback, filled by skopeo.

# shellcheck source=tests/support/registry
. "$(dirname "${BASH_SOURCE[0]}")/../support/registry"

# push NAME [OPTION...]: the busybox image
push() {
    local name=$1
    shift
    skopeo copy --dest-tls-verify=false "$@" "oci:$images/busybox-oci" \
        "docker://$registry/$name" >skopeo.log 2>&1 || fail "skopeo: $(cat skopeo.log)"
}
# blob_file HEX: where the registry keeps a blob
blob_file() { echo "$TEST_DIR/registry/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"; }
# layer_blobs NAME: digits of the layers' digests, the lowest first
layer_blobs() {
    skopeo inspect --raw --tls-verify=false "docker://$registry/$1" |
        tr ',{' '\n\n' | sed -n '/layers/,$s/.*"digest": *"sha256:\([0-9a-f]*\)".*/\1/p'
}

test_an_image_is_pulled_and_run_by_name() {
    fresh_store
    start_registry
    push team/busybox:1
    runs "$mayfly" pull "$registry/team/busybox:1"
    expect_same "$(cat "$TEST_DIR/out")" "$("$mayfly" images -q --no-trunc | cut -d: -f2)"
    expect_err "^mayfly: pulling $registry/team/busybox:1$"
    local digest
    digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/team/busybox:1")
    runs "$mayfly" images --digests --format '{{.Digest}}'
    expect_out "$digest"
    runs "$mayfly" pull -q "$registry/team/busybox:1"
    expect_silence
    # It is that name's, as long as it has this image.
    runs "$mayfly" tag "$registry/team/busybox:1" other
    runs "$mayfly" images --digests --format '{{.Digest}}' other
    expect_out '<none>'
    runs "$mayfly" prune -af
    runs "$mayfly" images --digests "$registry/team/busybox:1"
    grep -q " $digest " "$TEST_DIR/out" || fail "the digest is gone"
    runs "$mayfly" tag other "$registry/team/busybox:1"
    expect_same "$("$mayfly" images --format '{{.Digest}}' "$registry/team/busybox:1")" '<none>'
    runs "$mayfly" -q -i "$registry/team/busybox:1" -S 'cat /etc/first /etc/second; ls /etc/gone 2>/dev/null; echo $GREETING'
    expect_status 0
    expect_out $'from the first layer\nfrom the second layer\nhello from the image'
}

test_a_run_pulls_what_is_missing_and_then_asks_nobody() {
    fresh_store
    start_registry
    push busybox:1
    local digest
    digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/busybox:1")
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" -q -i "$registry/busybox@$digest" -S 'cat /etc/first'
    stop_registry
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/second'
    expect_out 'from the second layer'
    runs "$mayfly" -q -i "$registry/busybox@$digest" --pull never -S true
    run "$mayfly" -i "$registry/busybox:1" --pull always -S true
    expect_complaint 125 "$registry"
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/second'
}

test_a_run_tells_of_its_pull() {
    fresh_store
    start_registry
    push busybox:1
    runs "$mayfly" -i "$registry/busybox:1" -S 'cat /etc/first'
    expect_out 'from the first layer'
    expect_same "$(head -n 1 "$TEST_DIR/err")" "mayfly: pulling $registry/busybox:1"
    expect_same "$(grep -Ec '^mayfly: layer [12] of 2: [0-9a-f]{12} +[0-9.]+[kM]?B$' "$TEST_DIR/err")" 2
    expect_same "$(wc -l <"$TEST_DIR/err")" 4
    # Nothing of what is here, nothing with -q, and the same from the commands of docker's kind.
    runs "$mayfly" -i "$registry/busybox:1" --pull always -S 'cat /etc/first'
    expect_same "$(wc -l <"$TEST_DIR/err")" 1
    runs "$mayfly" rmi "$registry/busybox:1"
    runs "$mayfly" -q -i "$registry/busybox:1" -S true
    expect_silence
    runs "$mayfly" rmi "$registry/busybox:1"
    runs "$mayfly" run --rm --net none "$registry/busybox:1" cat /etc/first
    expect_out 'from the first layer'
    expect_err "^mayfly: pulling $registry/busybox:1$"
    runs "$mayfly" rmi "$registry/busybox:1"
    runs "$mayfly" run -q --rm --net none "$registry/busybox:1" true
    expect_silence
    # On a terminal bars, which stand above the first step's line.
    runs "$mayfly" rmi "$registry/busybox:1"
    tty -- "$mayfly" -i "$registry/busybox:1" -S 'echo done'
    expect_status 0
    tr -d '\r' <"$TEST_DIR/out" | sed 's/\x1b\[[0-9]*[A-Zm]//g' | grep -v '^$' >lines
    expect_same "$(grep -c pulling lines)" 1
    tail -n 4 lines | sed -n '1,2{/^[0-9a-f]\{12\}  *[0-9.]*[kM]*B$/p}' >bars
    expect_same "$(wc -l <bars)" 2
    expect_same "$(tail -n 2 lines | head -n 1)" 'done'
}

test_a_matrix_tells_of_its_pulls() {
    fresh_store
    start_registry
    push busybox:1
    push other:1
    runs "$mayfly" -n none -i "$registry/busybox:1" -i "$registry/other:1" -S 'cat /etc/first'
    expect_same "$(grep -Ec '^mayfly: layer [12] of 2: [0-9a-f]{12} +[0-9.]+[kM]?B$' "$TEST_DIR/err")" 2
    runs "$mayfly" rmi "$registry/busybox:1" "$registry/other:1"
    runs "$mayfly" -n none -j 2 --output prefix -i "$registry/busybox:1" -i "$registry/other:1" -S 'cat /etc/first'
    # Whichever has brought them, behind its name.
    expect_same "$(grep -Ec '/(busybox|other):1 +\| mayfly: layer [12] of 2: [0-9a-f]{12} +[0-9.]+[kM]?B$' "$TEST_DIR/err")" 2
    runs "$mayfly" rmi "$registry/busybox:1" "$registry/other:1"
    runs "$mayfly" -q -n none -i "$registry/{busybox,other}:1" -S 'cat /etc/first'
    expect_silence
    runs "$mayfly" rmi "$registry/busybox:1" "$registry/other:1"
    tty -- "$mayfly" -n none -i "$registry/{busybox,other}:1" -S 'echo done'
    expect_status 0
    tr -d '\r' <"$TEST_DIR/out" | sed 's/\x1b\[[0-9]*[A-Zm]//g' | grep -m 1 -B 2 -x done >lines
    expect_same "$(grep -c '^[0-9a-f]\{12\}  *[0-9.]*[kM]*B$' lines)" 2
}

test_pull_never_and_always() {
    fresh_store
    start_registry
    push busybox:1
    run "$mayfly" -i "$registry/busybox:1" --pull never -S true
    expect_complaint 125 "$registry/busybox:1" '--pull never'
    runs "$mayfly" -q -i "$registry/busybox:1" --pull always -S 'cat /etc/first'
    # The same name, another image: only "always" sees it.
    mkdir -p t/etc
    echo 'from a newer image' >t/etc/first
    cp "$busybox" newer.tar
    tar -C t --owner=0 --group=0 -rf newer.tar ./etc/first
    local hex
    hex=$(sha256sum newer.tar | cut -d' ' -f1)
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$hex" >config.json
    printf '[{"Config":"config.json","RepoTags":["newer:1"],"Layers":["newer.tar"]}]' >manifest.json
    tar -cf newer-docker.tar config.json manifest.json newer.tar
    skopeo copy --dest-tls-verify=false docker-archive:newer-docker.tar \
        "docker://$registry/busybox:1" >skopeo.log 2>&1 || fail "skopeo: $(cat skopeo.log)"
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" -q -i "$registry/busybox:1" --pull always -S 'cat /etc/first'
    expect_out 'from a newer image'
    # What has a place of its own is asked of nobody.
    runs "$mayfly" -q -i "$busybox" --pull never -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" -q -i "$busybox" --pull always -S 'cat /etc/first'
    expect_out 'from the first layer'
}

test_what_a_registry_does_not_have() {
    fresh_store
    start_registry
    push busybox:1
    run "$mayfly" pull -q "$registry/nothing:1"
    expect_complaint 125 "$registry/nothing:1" 'not found'
    run "$mayfly" pull -q "$registry/busybox:9"
    expect_complaint 125 "$registry/busybox:9" 'not found'
    run "$mayfly" -i "$registry/nothing:1" -S true
    expect_complaint 125 "$registry/nothing:1"
    run "$mayfly" pull -q "$registry/nothing" "$registry/busybox:1"
    expect_complaint 125 nothing
    expect_same "$(wc -l <"$TEST_DIR/out")" 1
    run "$mayfly" pull -q ./here
    expect_complaint 125 ./here
    expect_same "$("$mayfly" images -q | wc -l)" 1
}

test_layers_that_are_here_are_not_fetched_again() {
    fresh_store
    start_registry
    push busybox:1
    runs "$mayfly" pull "$registry/busybox:1"
    "$mayfly" tag "$registry/busybox:1" kept
    "$mayfly" rmi "$registry/busybox:1" >/dev/null
    local hex blobs
    blobs=$(layer_blobs busybox:1)
    [ -n "$blobs" ] || fail "no layers"
    for hex in $blobs; do
        rm "$(blob_file "$hex")"
    done
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/second'
    expect_out 'from the second layer'
}

test_a_layer_that_was_changed_on_the_way_is_refused() {
    fresh_store
    start_registry
    push busybox:1
    local hex file
    hex=$(layer_blobs busybox:1 | tail -n 1)
    file=$(blob_file "$hex")
    printf x | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 1)) conv=notrunc 2>/dev/null
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 "$registry/busybox:1" 'layer'
    runs "$mayfly" images -q
    expect_out ''
    expect_same "$(store_leavings)" ''
    push busybox:1
    cp "$images/busybox-oci/blobs/sha256/$hex" "$file"
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/second'
    expect_out 'from the second layer'
}

test_zstd_layers_are_pulled() {
    fresh_store
    start_registry
    push busybox:zstd --dest-compress-format zstd --dest-compress
    skopeo inspect --raw --tls-verify=false "docker://$registry/busybox:zstd" | grep -q zstd ||
        skip "this skopeo does not recompress"
    runs "$mayfly" -q -i "$registry/busybox:zstd" -S 'cat /etc/first /etc/second'
    expect_out $'from the first layer\nfrom the second layer'
}

test_a_tarball_at_an_address() {
    fresh_store
    start_registry
    push busybox:1
    # A blob has an address, and the first layer is a whole root file system.
    local address
    address=http://$registry/v2/busybox/blobs/sha256:$(layer_blobs busybox:1 | head -n 1)
    runs "$mayfly" import "$address" from-address
    runs "$mayfly" -q -i "$address" -S 'cat /etc/first'
    expect_out 'from the first layer'
    stop_registry
    runs "$mayfly" -q -i "$address" -S 'cat /etc/first'
    runs "$mayfly" -q -i from-address --pull never -S 'cat /etc/first'
    run "$mayfly" pull -q "$address"
    expect_complaint 125 "$address"
}

test_tls_and_a_password() {
    fresh_store
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=registry \
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null || promised "no openssl"
    # The password is "secret".
    echo 'person:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a' >passwords
    start_registry "  tls: { certificate: '$PWD/cert.pem', key: '$PWD/key.pem' }" \
        "auth: { htpasswd: { realm: test, path: '$PWD/passwords' } }"
    push busybox:1 --dest-creds person:secret
    export DOCKER_CONFIG=$PWD/docker
    mkdir docker
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 "$registry" 'certificate'
    export REGISTRY_CA=$PWD/cert.pem
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 "$registry" 'login'
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf person:wrong | base64)" >docker/config.json
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 "$registry"
    run "$mayfly" push -q "$registry/busybox:1" "$registry/other:1"
    expect_complaint 125 "$registry"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf person:secret | base64)" >docker/config.json
    runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" push -q "$registry/busybox:1" "$registry/other:1"
    runs "$mayfly" -q -i "$registry/other:1" -S 'cat /etc/second'
    expect_out 'from the second layer'

    # The same from a program that keeps passwords.
    mkdir bin
    printf '%s\n' '#!/bin/sh' 'read -r server; echo "$1 $server" >>'"'$PWD/asked'" \
        '[ -e '"'$PWD/knows'"' ] || { echo "credentials not found in native keychain"; exit 1; }' \
        'echo "{\"ServerURL\":\"$server\",\"Username\":\"person\",\"Secret\":\"secret\"}"' >bin/docker-credential-test
    chmod 755 bin/docker-credential-test
    export PATH=$PWD/bin:$PATH
    printf '{"credHelpers":{"%s":"test"}}' "$registry" >docker/config.json
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 "$registry" 'login'
    : >knows
    runs "$mayfly" pull -q "$registry/busybox:1"
    grep -qx "get $registry" asked || fail "asked: $(cat asked)"
    printf '{"credsStore":"test"}' >docker/config.json
    runs "$mayfly" push -q "$registry/busybox:1" "$registry/third:1"
    printf '{"credsStore":"nowhere"}' >docker/config.json
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 'docker-credential-nowhere'
}

# raw NAME: the manifest that the registry has
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }

test_an_image_is_pushed_and_comes_back() {
    fresh_store
    start_registry
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    local id
    id=$("$mayfly" images -q --no-trunc)
    runs "$mayfly" push mayfly.test/busybox:1 "$registry/team/mine:2"
    expect_out ''
    expect_err "^mayfly: pushing $registry/team/mine:2$"
    raw team/mine:2 >first
    grep -q "\"digest\":\"$id\"" first || fail "another configuration: $(cat first)"
    skopeo copy --src-tls-verify=false "docker://$registry/team/mine:2" dir:came >log 2>&1 ||
        fail "skopeo: $(cat log)"
    # Again, under the name it has now, by its id: nothing changes.
    runs "$mayfly" tag mayfly.test/busybox:1 "$registry/team/mine:2"
    runs "$mayfly" push -q "$registry/team/mine:2"
    expect_silence
    runs "$mayfly" push -q "${id#sha256:}" "docker://$registry/team/mine:3"
    raw team/mine:2 | cmp - first || fail "the second push is another"
    raw team/mine:3 | cmp - first || fail "the third push is another"
    runs "$mayfly" rmi -f mayfly.test/busybox:1 "$registry/team/mine:2"
    runs "$mayfly" pull -q "$registry/team/mine:3"
    expect_out "${id#sha256:}"
    runs "$mayfly" -q -i "$registry/team/mine:3" -S 'cat /etc/first /etc/second; ls /etc/gone 2>/dev/null || echo gone'
    expect_out $'from the first layer\nfrom the second layer\ngone'
    expect_same "$(store_leavings)" ''
}

test_a_pull_is_pushed_elsewhere() {
    fresh_store
    start_registry
    push busybox:1
    runs "$mayfly" pull -q "$registry/busybox:1"
    local id
    id=$("$mayfly" images -q --no-trunc)
    runs "$mayfly" push -q "$registry/busybox:1" "$registry/copy"
    raw copy | grep -q "\"digest\":\"$id\"" || fail "another configuration"
    skopeo copy --src-tls-verify=false "docker://$registry/copy" oci:copy:1 >log 2>&1 ||
        fail "skopeo: $(cat log)"
    runs "$mayfly" -q -i oci:copy:1 -S 'cat /etc/second'
    expect_out 'from the second layer'
}

# What -C and commit make is an image as any other: pushed, pulled elsewhere, and read by others.
test_what_a_run_has_made_is_pushed() {
    fresh_store
    start_registry
    runs "$mayfly" -q -n none -i "$busybox" -S 'echo made >/made; rm /etc/first' -C "$registry/team/made:1"
    runs "$mayfly" push -q "$registry/team/made:1"
    runs "$mayfly" run -d --net none --name maker "$registry/team/made:1" sh -c 'echo more >/more; exec sleep 1000'
    until_true "$mayfly" exec maker test -e /more
    runs "$mayfly" commit maker "$registry/team/made:2"
    runs "$mayfly" rm -f maker
    runs "$mayfly" push -q "$registry/team/made:2"
    skopeo copy --src-tls-verify=false "docker://$registry/team/made:2" oci:came:2 >log 2>&1 || fail "skopeo: $(cat log)"
    MAYFLY_STORE=$TEST_DIR/elsewhere
    runs "$mayfly" -q -n none -i "$registry/team/made:{1,2}" -S 'cat /made /more 2>/dev/null; ls /etc/first 2>/dev/null; true'
    expect_out $'made\nmade\nmore'
    runs "$mayfly" -q -n none -i oci:came:2 -S 'cat /made /more; ls /etc/first 2>/dev/null; true'
    expect_out $'made\nmore'
}

test_what_cannot_be_pushed() {
    fresh_store
    start_registry
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    run "$mayfly" push -q nothing "$registry/x"
    expect_complaint 125 nothing
    run "$mayfly" push -q mayfly.test/busybox:1 "$registry/Upper"
    expect_complaint 125 Upper
    run "$mayfly" push -q mayfly.test/busybox:1 oci:x
    expect_complaint 125 'oci:x'
    stop_registry
    run "$mayfly" push -q mayfly.test/busybox:1 "$registry/x"
    expect_complaint 125 "$registry"
    run "$mayfly" push
    expect_complaint 2 REF
}

# add_blob FILE [MEDIA-TYPE [MORE]]: put a file into the layout "multi"; its descriptor
add_blob() {
    local hex
    hex=$(sha256sum "$1" | cut -d' ' -f1)
    cp "$1" "multi/blobs/sha256/$hex"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d%s}' "${2:-}" "$hex" "$(stat -c %s "$1")" "${3:-}"
}
# A layout of an image for several platforms, each of which says what it is.
several_platforms() {
    local platform arch variant tar=root.tar entries='' type=application/vnd.oci.image
    mkdir -p multi/blobs/sha256 extra/etc
    echo '{"imageLayoutVersion":"1.0.0"}' >multi/oci-layout
    for platform in amd64/ arm64/v8 arm/v6 arm/v7 s390x/; do
        arch=${platform%/*} variant=${platform#*/}
        cp "$busybox" $tar
        echo "made for $platform" >extra/etc/made
        tar -C extra --owner=0 --group=0 -rf $tar ./etc/made
        printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
            "$arch" "$(sha256sum $tar | cut -d' ' -f1)" >config
        printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":%s,"layers":[%s]}' $type \
            "$(add_blob config $type.config.v1+json)" "$(add_blob $tar $type.layer.v1.tar)" >manifest
        entries+=,$(add_blob manifest $type.manifest.v1+json \
            ",\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"${variant:+,\"variant\":\"$variant\"}}")
    done
    printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[%s]}' $type "${entries#,}" >index
    printf '{"schemaVersion":2,"manifests":[%s]}' "$(add_blob index $type.index.v1+json \
        ',"annotations":{"org.opencontainers.image.ref.name":"1"}')" >multi/index.json
}

test_of_several_platforms_the_right_one() {
    fresh_store
    start_registry
    several_platforms
    skopeo copy --dest-tls-verify=false --multi-arch all oci:multi:1 \
        "docker://$registry/multi:1" >skopeo.log 2>&1 || fail "skopeo: $(cat skopeo.log)"
    local made='cat /etc/made'
    if [ "$(uname -m)" = x86_64 ]; then
        runs "$mayfly" -q -i "$registry/multi:1" -S "$made"
        expect_out 'made for amd64/'
    fi
    # The busybox is this machine's all the same.
    runs "$mayfly" -q -i "$registry/multi:1" --platform linux/arm64 -S "$made"
    expect_out 'made for arm64/v8'
    runs "$mayfly" images --format json
    grep -q '"Architecture":"arm64"' "$TEST_DIR/out" || fail "the architecture is not listed"
    runs "$mayfly" pull -q --platform linux/arm/v7 "$registry/multi:1"
    runs "$mayfly" -q -i "$registry/multi:1" --platform linux/arm/v7 --pull never -S "$made"
    expect_out 'made for arm/v7'
    runs "$mayfly" pull -q --platform linux/arm/v6 "$registry/multi:1"
    runs "$mayfly" -q -i "$registry/multi:1" --pull never -S "$made"
    expect_out 'made for arm/v6'
    runs "$mayfly" -q -i oci:multi:1 --platform linux/s390x -S "$made"
    expect_out 'made for s390x/'
    run "$mayfly" pull -q --platform linux/riscv64 "$registry/multi:1"
    expect_complaint 125 'linux/riscv64' 'linux/amd64'
    run "$mayfly" -i "$registry/multi:1" --platform linux -S true
    expect_complaint 2 '--platform' 'linux/arm64'
    push single:1
    run "$mayfly" pull -q --platform linux/s390x "$registry/single:1"
    expect_complaint 125 'linux/s390x'
}

test_an_image_larger_than_is_allowed() {
    fresh_store
    start_registry
    push busybox:1
    run "$mayfly" pull -q --max-image-size 1m "$registry/busybox:1"
    expect_complaint 125 'larger than the limit'
    run "$mayfly" -q -i "$registry/busybox:1" --max-image-size=100k -S true
    expect_complaint 125 'larger than the limit'
    run "$mayfly" load --max-image-size 1m -i "$images/busybox-docker.tar"
    expect_complaint 125 'larger than the limit'
    run "$mayfly" import --max-image-size 1m "$busybox"
    expect_complaint 125 'larger than the limit'
    expect_same "$(store_leavings)$("$mayfly" images -q)" ''
    runs "$mayfly" pull -q --max-image-size 10m "$registry/busybox:1"
    run "$mayfly" pull --max-image-size much "$registry/busybox:1"
    expect_complaint 2 '--max-image-size' much
}

test_plain_http_is_for_this_machine_and_those_that_are_named() {
    only root
    fresh_store
    # This machine, by an address that does not look like it.
    ip link set lo up
    ip address add 192.0.2.7/32 dev lo
    registry_host=192.0.2.7 start_registry
    push busybox:1
    run "$mayfly" pull -q "$registry/busybox:1"
    expect_complaint 125 '192.0.2.7'
    runs "$mayfly" pull -q --insecure-registry "$registry" "$registry/busybox:1"
    runs "$mayfly" push -q --insecure-registry "$registry" "$registry/busybox:1" "$registry/other"
    runs "$mayfly" -q -i "$registry/other" --insecure-registry elsewhere:1 --insecure-registry "$registry" -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs env MAYFLY_INSECURE_REGISTRIES="$registry" "$mayfly" pull -q "$registry/busybox:1"
    run "$mayfly" pull --insecure-registry http://x "$registry/busybox:1"
    expect_complaint 2 '--insecure-registry' 'HOST'
    ip address del 192.0.2.7/32 dev lo
}

test_two_pulls_of_one_image_at_once() {
    fresh_store
    start_registry
    push busybox:1
    local i pids=()
    for i in 1 2 3 4; do
        "$mayfly" pull -q "$registry/busybox:1" >"$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        ends_with 0 "$i"
    done
    expect_same "$(sort -u 1 2 3 4 | wc -l)" 1
    expect_same "$(store_leavings)" ''
    runs "$mayfly" -q -i "$registry/busybox:1" --pull never -S 'cat /etc/second'
    expect_out 'from the second layer'
}

test_a_pull_that_hangs_is_broken_off() {
    fresh_store
    start_registry
    push busybox:1
    local signal status_wanted pid
    kill -STOP $registry_pid
    mkfifo told
    local line
    while read -r signal status_wanted; do
        # bash lets what runs in the background ignore SIGINT.
        env --default-signal=INT "$mayfly" pull "$registry/busybox:1" >out 2>told &
        pid=$!
        # Said when signals are taken already.
        read -rt 60 line <told
        [[ $line == *pulling* ]] || fail "came: $line"
        kill -"$signal" $pid
        ends_with "$status_wanted" $pid
        expect_same "$(store_leavings)" ''
    done <<<$'INT 130\nTERM 143\nHUP 129'
    kill -CONT $registry_pid
    runs "$mayfly" pull "$registry/busybox:1"
}

# start_run: a run whose pull hangs, in the background; $pid is it
start_run() {
    local line=''
    mkfifo told
    # bash lets what runs in the background ignore SIGINT.
    env --default-signal=INT "$mayfly" --debug -i "$registry/busybox:1" -S 'cat /etc/first' >out 2>told &
    pid=$!
    exec 7<>told
    until [[ $line == *unpacking* ]]; do
        read -rt 60 line <&7 || fail "came: $line"
    done
}

test_a_run_whose_pull_hangs_is_broken_off() {
    fresh_store
    start_registry
    push busybox:1
    kill -STOP $registry_pid
    local pid
    start_run
    kill -INT $pid
    ends_with 130 $pid
    expect_same "$(store_leavings)" ''
}

test_a_window_that_changes_does_not_break_off_a_pull() {
    fresh_store
    start_registry
    push busybox:1
    kill -STOP $registry_pid
    local pid
    start_run
    kill -WINCH $pid
    kill -CONT $registry_pid
    ends_with 0 $pid
    expect_same "$(cat out)" 'from the first layer'
}

test_pulls_killed_at_random_moments() {
    fresh_store
    start_registry
    push busybox:1
    RANDOM=${MAYFLY_SEED:-$$}
    echo "seed ${MAYFLY_SEED:-$$}"
    local i began usual
    began=${EPOCHREALTIME/./}
    runs "$mayfly" pull -q "$registry/busybox:1"
    usual=$((${EPOCHREALTIME/./} - began))
    for ((i = 0; i < ${MAYFLY_CRASHES:-200} / 10; i++)); do
        "$mayfly" rmi -f "$registry/busybox:1" >/dev/null 2>&1
        "$helpers/killer" $(((RANDOM * 32768 + RANDOM) % usual)) "$mayfly" pull -q "$registry/busybox:1" >/dev/null 2>&1
        runs "$mayfly" -q -i "$registry/busybox:1" -S 'cat /etc/first /etc/second'
        expect_out $'from the first layer\nfrom the second layer'
        expect_same "$(store_leavings)" ''
    done
}
