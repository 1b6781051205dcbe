# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Archives and layouts made to do harm: one line, status 125, and nothing left.

hostile() {
    type -P python3 >/dev/null || promised "python3 is not installed"
    "$(dirname "${BASH_SOURCE[0]}")/../support/hostile" "$@"
}
in_store() { find "$MAYFLY_STORE"/*/{tmp,runs,layers,recipes,images,index} -mindepth 1 2>/dev/null; }
# refused NAME REGEX COMMAND...: it is, and nothing of it is in the store
refused() {
    local name=$1 regex=$2
    shift 2
    run timeout 60 "$@"
    echo "$name: $(cat "$TEST_DIR/err")"
    expect_complaint 125 "$regex"
    [ -z "$(in_store)" ] || fail "$name is in the store: $(in_store)"
}

test_hostile_tars_are_refused() {
    fresh_store
    local name regex n=0
    hostile list tar >cases || exit
    while read -r name regex; do
        # Where all belongs to one user, owners are passed over.
        [ "$name $mode" != 'owner-of-no-number single' ] || continue
        hostile tar "$name" $name.tar || fail "no $name"
        refused "$name" "$regex" "$mayfly" import --max-image-size 32m $name.tar
        expect_err "$name.tar"
        n=$((n + 1))
    done <cases
    [ $n -gt 30 ] || fail "only $n cases"
}

test_hostile_layouts_are_refused() {
    fresh_store
    local name regex n=0
    hostile list layout >cases || exit
    while read -r name regex; do
        hostile layout "$name" $name || fail "no $name"
        refused "$name" "$regex" "$mayfly" load -q -i $name
        refused "$name" "$regex" "$mayfly" -q -i "oci:$name" -S true
        n=$((n + 1))
    done <cases
    [ $n -gt 30 ] || fail "only $n cases"
}

# One after the other, and those that stall at the same time.
test_hostile_registries_are_refused() {
    only root single # ids are no part of it
    fresh_store
    local name regex n=0 port server pids=()
    servers=()
    hostile list registry >cases || exit
    trap '[ ${#servers[@]} = 0 ] || kill "${servers[@]}"; wait' EXIT
    mkdir docker
    while read -r name regex; do
        mkfifo "$name.port"
        # Of the server itself, not of a shell around it.
        exec {port}<>"$name.port"
        "$(dirname "${BASH_SOURCE[0]}")/../support/hostile" registry "$name" "$name.log" >&"$port" &
        servers+=($!)
        read -rt 60 server <&"$port" || fail "no registry"
        exec {port}<&-
        mkdir "docker/$name"
        printf '{"auths":{"127.0.0.1:%s":{"auth":"bWU6c2VjcmV0"}}}' "$server" >"docker/$name/config.json"
        if [[ $name == stall* ]]; then
            DOCKER_CONFIG=docker/$name MAYFLY_REGISTRY_TIMEOUT=2 "$mayfly" pull -q "127.0.0.1:$server/a:1" >"$name.out" 2>"$name.err" &
            pids+=($! "$name" "$regex")
        else
            DOCKER_CONFIG=docker/$name refused "$name" "$regex" "$mayfly" pull -q "127.0.0.1:$server/a:1"
            expect_err "127.0.0.1:$server/a:1"
        fi
        n=$((n + 1))
    done <cases
    set -- "${pids[@]}"
    while [ $# -gt 0 ]; do
        status=0
        wait "$1" || status=$?
        cp "$2.out" "$TEST_DIR/out"
        cp "$2.err" "$TEST_DIR/err"
        command_line="pull from one that $2"
        expect_complaint 125 "$3"
        shift 3
    done
    [ -z "$(in_store)" ] || fail "in the store: $(in_store)"
    grep -q 'here blobs Basic' layer-from-another-host.log || fail "no login here"
    expect_same "$(grep elsewhere layer-from-another-host.log | sort -u)" 'elsewhere  -'
    [ $n -gt 10 ] || fail "only $n cases"
}

test_a_bomb_that_unpacks_to_a_thousand_times_its_size() {
    fresh_store
    # A member of 4 MiB again and again: 2 GiB.
    head -c 4M /dev/zero | gzip -9 >once
    local i
    for ((i = 0; i < 512; i++)); do cat once; done >bomb.tar.gz
    refused bomb 'times its size' "$mayfly" import bomb.tar.gz
}

test_what_is_taken_reaches_nothing_outside() {
    fresh_store
    mkdir outside
    echo kept >outside/kept
    hostile harmless "$PWD/outside" harmless.tar || fail "no archive"
    cp "$busybox" image.tar
    tar -Af image.tar harmless.tar
    runs "$mayfly" import --debug image.tar harmless
    expect_err '2 device nodes'
    runs "$mayfly" -q -i harmless -n none -S 'cat /absolute; echo; cat /up/by-parent /abs/by-absolute /hard /target /twice /d
        echo; stat -c %a /suid; ls /dev/sda /dev/mem 2>/dev/null; stat -c %s /hole; cat /was-file/f'
    expect_out $'relative\n1234lastnow a file\n6755\n1099511627776\nx'
    expect_same "$(ls outside; cat outside/kept)" $'kept\nkept'
    # Nobody else gets at a set-user-ID file in the store.
    expect_same "$(stat -c %a "$MAYFLY_STORE")" 700
    if [ "$mode" = root ]; then
        ! getfattr -Rd -m overlay "$MAYFLY_STORE"/root/layers/*/overlay 2>/dev/null | grep . || fail "an attribute of overlayfs"
        ! setpriv --reuid 65534 --clear-groups find "$MAYFLY_STORE" -name suid 2>/dev/null | grep . || fail "others get at it"
    fi
    # Nor does the file that is larger than any disk take time or room.
    runs timeout 60 "$mayfly" doctor --store
    runs timeout 60 "$mayfly" save -o saved.tar harmless
    [ "$(du -sm saved.tar | cut -f1)" -lt 20 ] || fail "$(ls -l saved.tar)"
}

test_a_name_in_a_malformed_record_is_not_taken() {
    fresh_store
    hostile malformed m.tar || fail "no archive"
    run "$mayfly" import m.tar m
    [ -z "$(find "$MAYFLY_STORE" -name evil)" ] || fail "it is"
    [ "$status" = 0 ] || expect_complaint 125 m.tar
}

# A later layer makes /etc a link; what mayfly itself puts into /etc stays inside.
test_a_layer_that_replaces_etc_by_a_link() {
    fresh_store
    mkdir -p outside one two/outside
    ln -s "$PWD/outside" one/etc
    tar -C one --owner=0 --group=0 -cf one.tar etc
    tar -C two --owner=0 --group=0 --transform='s|^outside|etc/passwd|' -cf two.tar outside
    cp "$busybox" base.tar
    local layers='' n
    for n in base one two; do layers+=,\"sha256:$(sha256sum $n.tar | cut -d' ' -f1)\"; done
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' "${layers#,}" >config.json
    echo '[{"Config":"config.json","RepoTags":["link:1"],"Layers":["base.tar","one.tar","two.tar"]}]' >manifest.json
    tar -cf archive.tar manifest.json config.json base.tar one.tar two.tar
    runs "$mayfly" load -q -i archive.tar
    run "$mayfly" -q -i link:1 -n none -S 'echo x >/etc/resolv.conf; echo x >/etc/hosts; echo x >/etc/more'
    [ "$status" = 0 ] || [ "$status" = 125 ] || [ "$status" = 1 ] || fail "neither refused nor run"
    expect_same "$(ls -A outside)" ''
    run "$mayfly" -q -i link:1 -n bridge -S true
    expect_same "$(ls -A outside)" ''
    ! grep -q " $PWD/outside" /proc/self/mountinfo || fail "mounted on the host"
}

# Not by the clock: the system calls that each further one costs stay the same.
test_opaque_whiteouts_repeated_cost_the_same_each() {
    only root single
    type -P strace >/dev/null || promised "strace is not installed"
    fresh_store
    local n calls=()
    for n in 0 2000 4000; do
        hostile opaque $n $n.tar || fail "no archive"
        runs strace -f -qq -o trace "$mayfly" import -q $n.tar
        calls+=("$(wc -l <trace)")
    done
    echo "calls: ${calls[*]}"
    [ $((calls[2] - calls[1])) -lt $(((calls[1] - calls[0]) * 6 / 5)) ] || fail "they cost more and more: ${calls[*]}"
    [ $((calls[1] - calls[0])) -lt $((2000 * 20)) ] || fail "each costs too much: ${calls[*]}"
}
