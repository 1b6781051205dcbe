# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# The commands about images in the store: load, import, images, tag, rmi, prune.

loaded() {
    fresh_store
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    expect_out 'Loaded image: mayfly.test/busybox:1'
}
# layers: how many directories of layers there are
layers() { find "$MAYFLY_STORE"/*/layers -mindepth 1 -maxdepth 1 | wc -l; }

test_an_archive_is_loaded_and_run_by_name() {
    loaded
    runs "$mayfly" -q -i mayfly.test/busybox:1 --pull never -S 'cat /etc/first /etc/second; echo $GREETING'
    expect_out $'from the first layer\nfrom the second layer\nhello from the image'
}

test_an_archive_is_loaded_from_a_pipe_and_from_a_file_as_standard_input() {
    fresh_store
    gzip -c "$images/busybox-docker.tar" | run "$mayfly" load
    expect_status 0
    expect_out 'Loaded image: mayfly.test/busybox:1'
    runs "$mayfly" load <"$images/busybox-docker.tar"
    expect_out 'Loaded image: mayfly.test/busybox:1'
    runs "$mayfly" -q -i mayfly.test/busybox:1 -S 'cat /etc/first'
    expect_out 'from the first layer'
    expect_same "$(store_leavings)" ''
}

test_a_layout_is_loaded() {
    fresh_store
    runs "$mayfly" load --input "$images/busybox-oci"
    expect_out "Loaded image ID: sha256:$("$mayfly" images -q --no-trunc | cut -d: -f2)"
    runs "$mayfly" tag "$("$mayfly" images -q)" from-layout
    runs "$mayfly" -q -i from-layout -S 'cat /etc/first'
    expect_out 'from the first layer'
}

test_what_is_no_archive_is_refused() {
    fresh_store
    run "$mayfly" load -i /etc/passwd
    expect_complaint 125 '/etc/passwd'
    echo nothing | run "$mayfly" load
    expect_complaint 125 'standard input'
    run "$mayfly" load -i nowhere
    expect_complaint 125 'nowhere' 'No such file'
    run "$mayfly" load -i "$busybox"
    expect_complaint 125 'tar:PATH'
    head -c 100000 "$images/busybox-docker.tar" | run "$mayfly" load
    expect_complaint 125 'standard input'
    tty -- "$mayfly" load
    expect_status 125
    grep -q 'give the archive with -i FILE' "$TEST_DIR/out" || fail "nothing said to the person at the terminal"
    runs "$mayfly" images -q
    expect_out ''
    expect_same "$(layers)" 0
    expect_same "$(store_leavings)" ''
}

test_a_tarball_is_imported_under_a_name() {
    fresh_store
    runs "$mayfly" import "$busybox" mine:1
    runs "$mayfly" -q -i mine:1 -S 'cat /etc/first'
    expect_out 'from the first layer'
    gzip -c "$busybox" | run "$mayfly" import - mine
    expect_status 0
    runs "$mayfly" -q -i mine -S 'cat /etc/first'
    expect_out 'from the first layer'
    runs "$mayfly" images
    expect_same "$(awk '{ print $1 ":" $2 }' "$TEST_DIR/out")" $'REPOSITORY:TAG\nmine:1\nmine:latest'
    run "$mayfly" import "$busybox" 'Not a name'
    expect_complaint 125 'Not a name'
}

test_the_list_of_images() {
    loaded
    runs "$mayfly" images
    local id
    id=$(awk 'NR == 2 { print $3 }' "$TEST_DIR/out")
    grep -Eqx 'REPOSITORY +TAG +IMAGE ID +CREATED +SIZE' "$TEST_DIR/out" || fail "the titles"
    grep -Eqx 'mayfly.test/busybox +1 +[0-9a-f]{12} +[0-9]+ (months|years) ago +[0-9.]+MB' "$TEST_DIR/out" || fail "the line"
    runs "$mayfly" images -q
    expect_out "$id"
    runs "$mayfly" images -q --no-trunc
    grep -Eqx "sha256:$id[0-9a-f]{52}" "$TEST_DIR/out" || fail "the id in full"
    runs "$mayfly" images --format json
    grep -Eqx "\[\{\"Id\":\"$id[0-9a-f]{52}\",\"Names\":\[\"mayfly.test/busybox:1\"\],\"Size\":[0-9]+,\"Created\":1700000000,\"CreatedAt\":\"2023-11-14T22:13:20Z\",\"Architecture\":\"amd64\",\"Digest\":null\}\]" "$TEST_DIR/out" || fail "as JSON"
}

test_images_are_chosen_by_pattern() {
    loaded
    "$mayfly" tag mayfly.test/busybox:1 alpha:1
    "$mayfly" tag mayfly.test/busybox:1 alpha:2
    "$mayfly" tag mayfly.test/busybox:1 team/beta
    names() { "$mayfly" images "$@" | awk 'NR > 1 { printf "%s:%s ", $1, $2 }'; }
    expect_same "$(names)" 'alpha:1 alpha:2 team/beta:latest mayfly.test/busybox:1 '
    expect_same "$(names alpha)" 'alpha:1 alpha:2 '
    expect_same "$(names alpha:2)" 'alpha:2 '
    expect_same "$(names docker.io/library/alpha:2)" 'alpha:2 '
    expect_same "$(names '*')" 'alpha:1 alpha:2 '
    expect_same "$(names --filter reference='team/*')" 'team/beta:latest '
    expect_same "$(names -f reference=beta)" ''
    expect_same "$(names --filter dangling=true)" ''
    expect_same "$(names beta --filter=reference='*/*:1')" 'mayfly.test/busybox:1 '
    expect_same "$("$mayfly" images -q | wc -l)" 1
    run "$mayfly" images --filter older=x
    expect_complaint 2 'older=x'
    run "$mayfly" images --filter before=x
    expect_complaint 125 'image x'
    run "$mayfly" images --format yaml
    expect_complaint 2 'yaml'
}

test_images_through_a_template_and_by_age_and_label() {
    fresh_store
    local n
    for n in 1 2 3; do
        mkdir "t$n"
        tar -C "t$n" -xf "$images/busybox-docker.tar"
        sed -i "s/\"created\":\"[^\"]*\"/\"created\":\"202$n-01-01T00:00:00Z\"/; s/\"Env\"/\"Labels\":{\"number\":\"$n\",\"kind\":\"test\"},&/" "t$n"/*.json
        sed -i "s/busybox:1/numbered:$n/" "t$n/manifest.json"
        tar -C "t$n" -cf "$n.tar" .
        runs "$mayfly" load -q -i "$n.tar"
    done
    runs "$mayfly" images --format '{{.Repository}}:{{.Tag}} {{.Labels.number}} {{.CreatedAt}}'
    expect_out $'mayfly.test/numbered:1 1 2021-01-01T00:00:00Z\nmayfly.test/numbered:2 2 2022-01-01T00:00:00Z\nmayfly.test/numbered:3 3 2023-01-01T00:00:00Z'
    tags() { "$mayfly" images --format '{{.Tag}}' "$@" | tr '\n' ' '; }
    expect_same "$(tags -f label=number=2)" '2 '
    expect_same "$(tags -f label=kind)" '1 2 3 '
    expect_same "$(tags -f label=kind -f label=number=3)" '3 '
    expect_same "$(tags -f label=kin)$(tags -f label=number=)" ''
    expect_same "$(tags -f before=mayfly.test/numbered:3)" '1 2 '
    expect_same "$(tags -f since=mayfly.test/numbered:1 -f before=mayfly.test/numbered:3)" '2 '
    runs "$mayfly" images --noheading --digests --no-trunc mayfly.test/numbered:2
    grep -Eqx 'mayfly.test/numbered +2 +<none> +sha256:[0-9a-f]{64} +[0-9]+ years ago +[0-9.]+MB' "$TEST_DIR/out" || fail "the line"
    run "$mayfly" images --format '{{.Nothing'
    expect_complaint 125 'Nothing'
    # The same commands in two words, as docker and podman have them.
    runs "$mayfly" image ls -q --format '{{.ID}}' mayfly.test/numbered:2
    expect_same "$(cat "$TEST_DIR/out")" "$("$mayfly" images -q mayfly.test/numbered:2)"
    runs "$mayfly" image tag mayfly.test/numbered:2 again
    runs "$mayfly" image exists again
    runs "$mayfly" image exists "$("$mayfly" image list -q again)"
    run "$mayfly" image exists nothing
    expect_status 1
    expect_silence
    runs "$mayfly" image rm again
    expect_out 'Untagged: again:latest'
    run "$mayfly" image wash
    expect_complaint 2 'wash' 'ls'
}

test_an_image_goes_with_its_last_name() {
    loaded
    runs "$mayfly" tag mayfly.test/busybox:1 other
    runs "$mayfly" rmi mayfly.test/busybox:1
    expect_out 'Untagged: mayfly.test/busybox:1'
    runs "$mayfly" -q -i other --pull never -S 'cat /etc/second'
    expect_out 'from the second layer'
    local id
    id=$("$mayfly" images -q --no-trunc)
    runs "$mayfly" rmi other:latest
    expect_out $'Untagged: other:latest\nDeleted: '"$id"
    expect_same "$(layers)" 0
    run "$mayfly" -i other --pull never -S true
    expect_complaint 125 'other' '--pull never'
    run "$mayfly" rmi other
    expect_complaint 125 'other'
    run "$mayfly" rmi -f other
    expect_complaint 0 'other'
}

test_an_id_with_several_names_needs_force() {
    loaded
    local id
    id=$("$mayfly" images -q)
    runs "$mayfly" tag "$id" other
    run "$mayfly" rmi "$id"
    expect_complaint 125 '2 names' '-f'
    runs "$mayfly" rmi "$id" --force
    expect_same "$(sort "$TEST_DIR/out" | sed 's/sha256:.*/ID/')" $'Deleted: ID\nUntagged: mayfly.test/busybox:1\nUntagged: other:latest'
    expect_same "$(layers)" 0
}

test_an_image_in_use_stays() {
    loaded
    make_fifos
    "$mayfly" -q -i mayfly.test/busybox:1 "${fifos[@]}" -S 'echo ready >/told; read x </go; cat /etc/second' >out &
    local pid=$!
    await ready
    run "$mayfly" rmi -f mayfly.test/busybox:1
    expect_complaint 125 'using'
    runs "$mayfly" prune -af
    let_go
    ends_with 0 $pid
    expect_same "$(cat out)" 'from the second layer'
    runs "$mayfly" rmi mayfly.test/busybox:1
}

test_two_images_share_layers() {
    loaded
    local before
    before=$(layers)
    mkdir t
    tar -C t -xf "$images/busybox-docker.tar"
    sed -i 's/hello from the image/another hello/' t/*.json
    sed -i 's/busybox:1/busybox:2/' t/manifest.json
    tar -C t -cf two.tar .
    runs "$mayfly" load -i two.tar
    expect_out 'Loaded image: mayfly.test/busybox:2'
    expect_same "$(layers)" "$before"
    runs "$mayfly" rmi mayfly.test/busybox:1
    runs "$mayfly" -q -i mayfly.test/busybox:2 --pull never -S 'cat /etc/first; echo $GREETING'
    expect_out $'from the first layer\nanother hello'
}

test_prune_asks_and_says_what_it_freed() {
    fresh_store
    cp "$busybox" b.tar
    runs "$mayfly" -q -i b.tar -S true
    runs "$mayfly" import b.tar named
    cp "$images/noshell.tar" n.tar
    run "$mayfly" -q -i n.tar -X /nothing ';'
    expect_same "$(layers)" 2
    echo n | run "$mayfly" prune -a
    expect_status 1
    run "$mayfly" prune -a </dev/null
    expect_status 1
    expect_same "$(layers)" 2
    runs "$mayfly" prune --force
    expect_out 'Total reclaimed space: 0B'
    echo y | run "$mayfly" prune --all
    expect_status 0
    grep -Eqx 'Total reclaimed space: [0-9.]+[kM]B' "$TEST_DIR/out" || fail "the size"
    expect_same "$(grep -c '^Deleted: tar-' "$TEST_DIR/out")" 1
    expect_same "$(layers)" 1
    runs "$mayfly" -q -i named --pull never -S 'cat /etc/first'
    expect_out 'from the first layer'
}

# whole_or_gone WHEN: what a removal that came to no end may leave
whole_or_gone() {
    if [ -n "$("$mayfly" images -q)" ]; then
        runs "$mayfly" -q -i small --pull never -X /bin/busybox true
        expect_silence
    else
        runs "$mayfly" prune -f
        expect_same "$(layers)" 0
    fi
    [ -z "$(store_leavings)" ] || fail "left after $1: $(store_leavings)"
}

test_a_removal_that_fails_or_is_killed_anywhere() {
    [ -x "$mayfly_fault" ] || exit 78
    fresh_store
    cp "$images/noshell.tar" image.tar
    runs "$mayfly" import image.tar small
    MAYFLY_FAULT=count:$TEST_DIR/calls runs "$mayfly_fault" rmi small
    local n n_calls way
    n_calls=$(tr -d '\0' <"$TEST_DIR/calls" | wc -l)
    [ "$n_calls" -gt 5 ] || fail "only $n_calls calls"
    for ((n = 1; n <= n_calls; n++)); do
        for way in fail:28 kill; do
            runs "$mayfly" import image.tar small
            MAYFLY_FAULT=$way:$n run "$mayfly_fault" rmi small
            whole_or_gone "$way at call $n of $n_calls"
        done
    done
}

test_mistakes_in_commands_about_images() {
    fresh_store
    run "$mayfly" tag only-one
    expect_complaint 2 'tag REF\|ID NAME'
    run "$mayfly" rmi
    expect_complaint 2 'rmi REF'
    run "$mayfly" images one two
    expect_complaint 2 "'two'"
    run "$mayfly" prune all
    expect_complaint 2 "'all'"
    run "$mayfly" rmi --forse x
    expect_complaint 2 -- '--force'
    run "$mayfly" tag nothing-here name
    expect_complaint 125 'nothing-here'
    run "$mayfly" tag "$busybox" name@sha256:1
    expect_complaint 125 'name@sha256:1'
    run "$mayfly" -i x --pull sometimes -S true
    expect_complaint 2 -- '--pull' 'sometimes'
    local command
    for command in pull load import images tag rmi prune; do
        runs "$mayfly" $command --help
        grep -q "^Usage: mayfly $command" "$TEST_DIR/out" || fail "no help of $command"
    done
}

test_progress_is_a_line_a_layer() {
    fresh_store
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    expect_same "$(grep -Ec '^mayfly: layer [12] of 2: [0-9a-f]{12} +[0-9.]+(kB|MB)$' "$TEST_DIR/err")" 2
    expect_same "$(wc -l <"$TEST_DIR/err")" 2
    runs "$mayfly" load -i "$images/busybox-docker.tar"
    expect_same "$(grep -Ec '^mayfly: layer [12] of 2: [0-9a-f]{12} +is here already$' "$TEST_DIR/err")" 2
    runs "$mayfly" rmi mayfly.test/busybox:1
    runs "$mayfly" load -qi "$images/busybox-docker.tar"
    expect_silence
    runs "$mayfly" rmi mayfly.test/busybox:1
    # On a terminal the lines are drawn over, and stand above what comes after them.
    tty -- "$mayfly" load -i "$images/busybox-docker.tar"
    expect_status 0
    local last
    last=$(tr -d '\r' <"$TEST_DIR/out" | sed 's/\x1b\[[0-9]*[A-Z]//g' | grep -v '^$' | tail -n 3)
    [[ $last =~ ^[0-9a-f]{12}\ +[0-9.]+MB$'\n'[0-9a-f]{12}\ +[0-9.]+kB$'\n'Loaded\ image: ]] || fail "came: $last"
}

# How an image was made: by others, by our own steps, of nothing that is known.
test_history_of_images() {
    fresh_store
    local id
    runs "$mayfly" import "$busybox" box:1
    runs "$mayfly" history box:1
    expect_same "$(head -n 1 "$TEST_DIR/out" | tr -s ' ')" 'IMAGE CREATED CREATED BY SIZE COMMENT'
    grep -Eq '^tar-[0-9a-f]{8}  N/A .* 2\.[0-9]+MB' "$TEST_DIR/out" || fail "no line for the layer"
    runs "$mayfly" -q -i box:1 -W /w -S $'echo \xff >a' -S 'echo b >b' -C made:1
    runs "$mayfly" history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}' made:1
    expect_out $'mayfly -W /w -S echo ? >a -S echo b >b|\n|'
    id=$("$mayfly" images -q --no-trunc made:1)
    runs "$mayfly" image history -q --no-trunc made:1
    expect_out "$id"$'\n<missing>'
    runs "$mayfly" history --noheading made:1
    grep -Eq "^${id:7:12}  .* ago  mayfly -W /w -S echo .* [0-9.]+kB" "$TEST_DIR/out" || fail "no line for the steps"
    runs "$mayfly" history --format json made:1
    expect_same "$(jq -r '.[0].ID + " " + .[1].ID + " " + .[1].CreatedBy' "$TEST_DIR/out")" "${id:7:12} <missing> "
    run "$mayfly" history nothing:1
    expect_complaint 125 'nothing:1'
    run "$mayfly" history
    expect_complaint 2 'IMAGE'
    run "$mayfly" history --format long made:1
    expect_complaint 2 "'long'"
}

# A registry's image tells more steps than it has layers, and who wrote it may tell of none.
test_history_as_others_write_it() {
    fresh_store
    mkdir -p layout/blobs/sha256 one two
    echo 1 >one/1 && echo 22 >two/2
    blob() { local d; d=$(sha256sum "$1" | cut -d ' ' -f 1); mv "$1" "layout/blobs/sha256/$d"; echo "$d"; }
    # layout HISTORY: an image of two layers
    layout() {
        local first second config manifest
        tar -C one --sort=name --owner=0 --group=0 --mtime=@1 -cf 1.tar . && tar -C two --sort=name --owner=0 --group=0 --mtime=@1 -cf 2.tar .
        first=$(blob 1.tar) second=$(blob 2.tar)
        printf '{"os":"linux","architecture":"%s","created":"2020-01-02T03:04:05Z","rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}%s}' \
            "$(dpkg --print-architecture)" "$first" "$second" "$1" >config
        config=$(blob config)
        printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[' \
            "$config" "$(stat -c %s "layout/blobs/sha256/$config")" >manifest
        printf '{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d},{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}]}' \
            "$first" "$(stat -c %s "layout/blobs/sha256/$first")" "$second" "$(stat -c %s "layout/blobs/sha256/$second")" >>manifest
        manifest=$(blob manifest)
        printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"it:1"}}]}' \
            "$manifest" "$(stat -c %s "layout/blobs/sha256/$manifest")" >layout/index.json
        echo '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
        runs "$mayfly" load -q -i layout
    }
    layout ',"history":[{"created":"2020-01-02T03:04:05Z","created_by":"ADD one"},{"created_by":"ENV A=1","empty_layer":true},{"created_by":"RUN\ntwo","comment":"it"}]'
    runs "$mayfly" history --format '{{.CreatedBy}}|{{.Comment}}|{{.Size}}|{{.CreatedAt}}' it:1
    expect_out $'RUN two|it|10.2kB|N/A\nENV A=1||0B|N/A\nADD one||10.2kB|2020-01-02T03:04:05Z'
    layout ''
    runs "$mayfly" history --format '{{.CreatedBy}}|{{.Size}}' it:1
    expect_out $'|10.2kB\n|10.2kB'
    layout ',"history":[{"created_by":"a"},{"created_by":"b"},{"created_by":7},[],{"created_by":"e"}]'
    runs "$mayfly" history --format '{{.CreatedBy}}|{{.Size}}' it:1
    expect_out $'e|10.2kB\n|10.2kB\n|0B\nb|0B\na|0B'
}
