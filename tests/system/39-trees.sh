# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# A Debian in three layers, as other tools write, serve and unpack it.

# shellcheck source=tests/support/registry
. "$(dirname "${BASH_SOURCE[0]}")/../support/registry"

# debian_archive: archive.tar, a docker-archive of the image "three:1".  The first layer is of
# Debian, without compilers; the others change it in every way that a layer can.
debian_archive() {
    needs_debian
    local n hex ids='' names='' own=(--owner=0 --group=0)
    # Only root can unpack what belongs to others.
    [ "$mode" != root ] || own=(--same-owner)
    mkdir t two three
    tar -C t -xpf "$debian" --wildcards ./bin ./sbin ./lib ./lib64 ./etc ./home ./root ./tmp ./var \
        ./usr/sbin ./usr/lib64 ./usr/share ./usr/local './usr/bin/[a-e]*' './usr/lib/*/ld-linux*' './usr/lib/*/libc.so*' \
        './usr/lib/*/libselinux*' './usr/lib/*/libpcre2-8*' ./usr/bin/su ./usr/bin/passwd ./usr/bin/sh ./usr/bin/find
    (
        cd two || exit
        mkdir -p etc/apt/.wh.x usr/share/doc opt/new var/log srv home/.d
        rmdir etc/apt/.wh.x etc/apt
        : >etc/.wh.apt && : >usr/share/doc/.wh..wh..opq && echo a >usr/share/doc/alone
        mkdir etc/passwd && echo 'a directory now' >etc/passwd/x && : >var/log/.wh..wh..opq
        echo one >opt/new/one && ln opt/new/one opt/new/two && ln -s ../new/one opt/new/link && ln -s /gone opt/dangling
        mkfifo opt/pipe && chmod 2750 opt/new && touch -d '1999-12-31 23:59:59.987654321' opt/new/one
        truncate -s 2M opt/holes && printf x | dd of=opt/holes bs=1 seek=1500000 conv=notrunc status=none
        mkdir -p "opt/$(printf 'long%.0s' {1..40})/$(printf 'er%.0s' {1..60})"
        echo x >'opt/two words' && echo x >$'opt/\303\251' && chmod 4755 opt/holes && chmod 700 srv
        # Which its own owner could not read.
        [ "$mode" != root ] || chmod 000 srv
        echo kept >opt/kept && ln opt/kept home/.d/kept && ln opt/kept opt/kept-too
        setfattr -n user.note -v 'a value' opt/new/one opt/kept 2>/dev/null
        setcap cap_net_raw+ep opt/holes 2>/dev/null
    )
    (
        cd three || exit
        mkdir -p etc/passwd opt etc/apt
        : >etc/.wh.passwd && rmdir etc/passwd && : >opt/.wh.new && echo back >etc/apt/back
        : >opt/.wh.dangling && mkdir -p opt/pipe && touch -d @86400 opt/pipe etc/apt
    )
    for n in t two three; do
        tar -C $n --format=posix --sort=name "${own[@]}" --numeric-owner --sparse --xattrs \
            --xattrs-include='*' -cf "$n.tar" .
        hex=$(sha256sum $n.tar | cut -d' ' -f1)
        ids+=,\"sha256:$hex\" names+=,\"$n.tar\"
    done
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' "${ids#,}" >config.json
    printf '[{"Config":"config.json","RepoTags":["three:1"],"Layers":[%s]}]' "${names#,}" >manifest.json
    tar -cf archive.tar config.json manifest.json t.tar two.tar three.tar
}

# describe DIRECTORY: every entry of it, with all that a layer keeps
describe() {
    (
        cd "$1" || exit
        find . -type d -printf '%P %y %m %U:%G %T@\n' -o -printf '%P %y %m %U:%G %s %n %T@ %l\n' | LC_ALL=C sort
        find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2
        # Which names are one file.
        find . -type f -links +1 -printf '%i %P\n' | LC_ALL=C sort -k 2 |
            awk '{ n = $1; sub(/^[0-9]+ /, ""); if (!(n in first)) first[n] = $0; print "one file:", first[n], "=", $0 }'
        find . ! -type l -exec getfattr -d -m - -e hex {} + 2>/dev/null | grep -v '^$'
    )
}

test_trees_are_those_that_umoci_makes() {
    only root
    type -P umoci setfattr >/dev/null || promised "umoci and attr are not installed"
    fresh_store
    debian_archive
    skopeo copy docker-archive:archive.tar oci:layout:1 >log 2>&1 || fail "$(cat log)"
    umoci unpack --image layout:1 bundle >log 2>&1 || fail "$(cat log)"
    runs "$mayfly" load -i archive.tar
    # The layers as a container sees them.
    local lower='' layer
    for layer in $(sed -n 's/^layer //p' "$MAYFLY_STORE"/root/images/*); do
        lower=$MAYFLY_STORE/root/layers/$layer${lower:+:$lower}
    done
    mkdir merged
    mount -t overlay overlay -o "ro,userxattr,lowerdir=$lower" merged || fail "no overlay"
    describe merged >ours
    umount merged
    describe bundle/rootfs >theirs
    [ "$(wc -l <theirs)" -gt 6000 ] || fail "that is no Debian"
    diff theirs ours >difference || fail "$(head -n 20 difference)"
    grep -q 'security.capability' ours || fail "no capability was kept"
    grep -q 'user.note' ours || fail "no attribute was kept"
    [ "$(grep -c '^one file:' ours)" -ge 3 ] || fail "no hard link was kept"
    runs "$mayfly" doctor --store
}

test_a_debian_of_three_layers_by_tls_and_password() {
    fresh_store
    debian_archive
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=registry \
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null || promised "no openssl"
    # The password is "secret".
    echo 'person:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a' >passwords
    start_registry "  tls: { certificate: '$PWD/cert.pem', key: '$PWD/key.pem' }" \
        "auth: { htpasswd: { realm: test, path: '$PWD/passwords' } }"
    export REGISTRY_CA=$PWD/cert.pem DOCKER_CONFIG=$PWD/docker
    mkdir docker
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf person:secret | base64)" >docker/config.json
    local kind list='cat /etc/apt/back /usr/share/doc/alone /var/lib/dpkg/info/* | cksum; echo /etc/* /usr/*/* /opt/* /var/*/*; cat /etc/apt/back'
    list+='; for f in /etc/passwd /opt/new /opt/dangling; do [ ! -e $f ] || echo $f is there; done'
    for kind in gzip zstd; do
        skopeo copy --dest-tls-verify=false --dest-creds person:secret --dest-compress --dest-compress-format $kind \
            docker-archive:archive.tar "docker://$registry/three:$kind" >log 2>&1 || fail "$(cat log)"
        runs "$mayfly" pull -q "$registry/three:$kind"
        runs "$mayfly" -q -i "$registry/three:$kind" -S "$list"
        cp "$TEST_DIR/out" $kind
        # Both have the same layers: the second has to come anew.
        runs "$mayfly" rmi "$registry/three:$kind"
    done
    cmp gzip zstd || fail "two trees"
    grep -qx back gzip || fail "$(cat gzip)"
    ! grep -q 'is there' gzip || fail "what the third layer removes is there"
}

test_a_run_on_an_image_that_is_here_asks_nobody() {
    fresh_store
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    runs "$mayfly" tag mayfly.test/busybox:1 debian:12
    # No interface but loopback, and no route; and whoever was asked would be seen.
    runs "$mayfly" -q -i debian:12 --net none -S 'cat /etc/first'
    expect_out 'from the first layer'
    # newuidmap has no privilege under strace.
    [ "$mode" != subuid ] || return 0
    type -P strace >/dev/null || promised "strace is not installed"
    runs strace -f -qq -e trace=connect,sendto,sendmsg -o calls "$mayfly" -q -i debian:12 --net none -S true
    ! grep -Eq 'AF_INET|:53|htons' calls || fail "somebody was asked: $(grep -E 'AF_INET' calls | head -n 3)"
}
