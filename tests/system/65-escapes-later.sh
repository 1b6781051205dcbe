# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Ways out of a container that begin with what its image says, or that wait for
# somebody who comes to it later: exec, cp.  The others are in 65-escapes.sh.

# make_archive CONFIG DIRECTORY...: image.tar, busybox with that configuration and those trees
make_archive() {
    local config=$1 layer
    shift
    rm -rf archive && mkdir archive
    cp "$busybox" archive/layer.tar
    [ $# = 0 ] || tar -rf archive/layer.tar --owner=0 --group=0 "$@"
    layer=$(sha256sum <archive/layer.tar | cut -d' ' -f1)
    jq -c --arg layer "sha256:$layer" '{architecture: "amd64", os: "linux", config: ., rootfs: {type: "layers", diff_ids: [$layer]}}' \
        <<<"$config" >archive/config.json || fail "no configuration"
    echo '[{"Config":"config.json","RepoTags":["words:latest"],"Layers":["layer.tar"]}]' >archive/manifest.json
    tar -C archive -cf image.tar manifest.json config.json layer.tar
}

# CVE-2016-9962, CVE-2026-41163: one inside lies in wait for a process that joins.
test_a_joining_exec_cannot_be_traced() {
    fresh_store
    local i
    runs "$mayfly" run -d --name box -n none --cap-add SYS_PTRACE -v "$helpers/inside:/inside:ro" "$busybox" \
        sh -c '/inside hunt /stop >/caught; echo over >>/caught; exec sleep 1000'
    # It is at work: it catches the container's own.
    until_true "$mayfly" exec box test -s /caught
    for i in {1..40}; do
        runs "$mayfly" exec box sh -c 'x=1; while [ $x -lt 50 ]; do x=$((x + 1)); done'
        [ $((i % 8)) != 0 ] || runs "$mayfly" exec -u app -w /tmp -e A=b box true
    done
    echo up >up
    runs "$mayfly" cp up box:/up
    runs "$mayfly" cp box:/up down
    runs "$mayfly" exec box touch /stop
    until_true "$mayfly" exec box grep -q over /caught
    runs "$mayfly" exec box sort -u /caught
    expect_out $'caught one of its own\nover'
    runs "$mayfly" rm -f box
}

# CVE-2024-21626, CVE-2019-5736 by way of exec: where it begins, and what it is told to run.
test_a_joining_exec_begins_inside() {
    fresh_store
    local fd
    exec 7</ 8<"$TEST_DIR"
    runs "$mayfly" run -d --name box -n none "$busybox" sh -c 'ln -s /proc/self/fd/7 /fd; ln -s /proc/self/exe /link
        printf "#!/proc/self/exe\n" >/script; chmod 755 /script; exec sleep 1000'
    until_true "$mayfly" exec box test -e /script
    for fd in /proc/self/fd/{3,4,5,6,7,8,9} /proc/1/fd/{3,4,5,6,7,8,9} /proc/self/fd/7/../.. /proc/1/cwd /fd; do
        run "$mayfly" exec -w "$fd" box cat "etc/hostname" ../etc/hostname ../../etc/hostname
        [ "$status" != 0 ] || fail "it begins at $fd"
        [ ! -s "$TEST_DIR/out" ] || fail "it reads something at $fd"
    done
    runs "$mayfly" exec box sh -c 'for f in 3 4 5 6 7 8 9; do test ! -e /proc/self/fd/$f/etc || echo open $f; done'
    expect_out ''
    # What would be the engine's own program, were it executed there.
    for fd in /proc/self/exe /script /link; do
        run "$mayfly" exec box "$fd" --version
        ! grep -qi mayfly "$TEST_DIR/out" || fail "$fd is the engine"
    done
    runs "$mayfly" rm -f box
    exec 7<&- 8<&-
}

# CVE-2018-15664 in the other direction: what is copied in lands where a link leads meanwhile.
test_a_copy_in_raced_by_links() {
    fresh_store
    local i
    echo precious >precious
    mkdir tree
    echo evil >tree/precious
    runs "$mayfly" run -d --name box -n none -e OUT="$PWD" "$busybox" sh -c 'mkdir -p /d/sub
        while :; do ln -sfn "$OUT" /d/link; mv -T /d/sub /d/aside && mv -T /d/link /d/sub; rm -f /d/sub; mv -T /d/aside /d/sub; done 2>/dev/null'
    for i in {1..12}; do
        run "$mayfly" cp tree/precious box:/d/sub/precious
        run "$mayfly" cp tree/. box:/d/sub
        run "$mayfly" cp box:/d/sub/precious back
        [ ! -e back ] || expect_same "$(cat back)" evil
        rm -rf back
    done
    expect_same "$(cat precious)" precious
    expect_same "$(find . -name precious | sort)" $'./precious\n./tree/precious'
    runs "$mayfly" rm -f box
}

# CVE-2019-14271: a process of the engine's loads a library from the container.
test_libraries_of_the_image_are_loaded_by_nobody() {
    fresh_store
    local file
    printf '%s\n' '#include <fcntl.h>' '#include <unistd.h>' '__attribute__((constructor)) static void loaded(void) {' \
        '    (void)!write(2, "loaded\n", 7); (void)!open("/loaded", O_CREAT | O_WRONLY, 0600); }' >evil.c
    cc -shared -fPIC -o evil.so evil.c || fail "no library"
    mkdir -p img/lib/x86_64-linux-gnu img/usr/lib img/etc
    for file in libc.so.6 libnss_files.so.2 libnss_evil.so.2 libarchive.so.13 libjansson.so.4 libcrypto.so.3 libisal.so.2 \
        libcurl.so.4 libsystemd.so.0 libz.so.1 liblzma.so.5 libzstd.so.1 ld-linux-x86-64.so.2; do
        cp evil.so "img/lib/x86_64-linux-gnu/$file"
        cp evil.so "img/usr/lib/$file"
    done
    echo /lib/x86_64-linux-gnu/libc.so.6 >img/etc/ld.so.preload
    printf '%s\n' 'passwd: evil files' 'group: evil files' >img/etc/nsswitch.conf
    cp img/lib/x86_64-linux-gnu/libc.so.6 img/evil.so
    make_archive '{"Env": ["PATH=/bin", "LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/lib/x86_64-linux-gnu", "GCONV_PATH=/usr/lib",
        "OPENSSL_CONF=/etc/nsswitch.conf"]}' -C img .
    # Whom it is loaded by says so.
    LD_PRELOAD=$PWD/evil.so run sh -c true
    expect_err loaded
    rm -f /loaded
    echo up >up
    runs "$mayfly" -q -n none -i docker-archive:image.tar -u app -U up:/tmp/up -S 'cat /tmp/up' -D /tmp/up:down -D /etc:all -C made
    expect_out up
    expect_silence
    runs "$mayfly" run -d --name box -n none made sleep 1000
    runs "$mayfly" exec -u app box id -un
    expect_silence
    runs "$mayfly" cp up box:/tmp/up
    runs "$mayfly" cp box:/etc etc
    runs "$mayfly" commit box again
    runs "$mayfly" exec box sh -c 'ls /loaded 2>/dev/null; true'
    expect_out ''
    runs "$mayfly" rm -f box
    [ ! -e /loaded ] || fail "loaded outside"
}

# What an image's labels, entry point and the like say is for the container alone.
test_words_of_an_image_reach_nothing_of_the_hosts() {
    fresh_store
    make_archive "$(jq -nc --arg here "$PWD" '{Labels: {
            RUN: "touch \($here)/ran", INSTALL: "touch \($here)/ran", UNINSTALL: "touch \($here)/ran",
            "run.oci.hooks.stdout": "\($here)/ran", "run.oci.seccomp.receiver": "\($here)/ran", "run.oci.keep_original_groups": "1",
            "run.oci.handler": "krun", "run.oci.mount_context_type": "rootcontext", "io.podman.annotations.privileged": "TRUE",
            "io.podman.annotations.seccomp": "unconfined", "io.containers.capabilities": "ALL,SYS_ADMIN", "io.containers.autoupdate": "local",
            "com.docker.network.driver": "host", "security.opt": "seccomp=unconfined", "\u001b]0;title\u0007": "\u001b[2J\nnext: line"},
        Env: ["PATH=/bin", "MAYFLY_NET=host", "MAYFLY_STORE=/", "DOCKER_HOST=tcp://127.0.0.1:1", "LISTEN_FDS=3", "NOTIFY_SOCKET=/x", "BASH_ENV=/x"],
        Volumes: {"/etc/../..": {}}, OnBuild: ["RUN touch \($here)/ran"], Healthcheck: {Test: ["NONE"]}, StopSignal: "SIGTERM"}')"
    run "$mayfly" -q -n none -i docker-archive:image.tar -S 'grep -E "^(CapEff|Seccomp):" /proc/self/status; ls /sys/class/net'
    # Refused, or done as ever.
    if [ "$status" = 0 ]; then
        expect_out $'CapEff:\t00000000800405fb\nSeccomp:\t2\nlo'
    else
        expect_complaint 125 '/etc/'
    fi
    make_archive "$(jq -c '.config | del(.Volumes)' archive/config.json)"
    runs "$mayfly" -q -n none -i docker-archive:image.tar -S 'grep -E "^(CapEff|Seccomp):" /proc/self/status; ls /sys/class/net'
    expect_out $'CapEff:\t00000000800405fb\nSeccomp:\t2\nlo'
    runs "$mayfly" load -q -i image.tar
    runs "$mayfly" image inspect words
    expect_same "$(jq -r '.[0].Config.Labels.RUN' "$TEST_DIR/out")" "touch $PWD/ran"
    # A person's terminal is not written to by them.
    ! grep -q $'\033' "$TEST_DIR/out" || fail "an escape sequence came through"
    runs "$mayfly" run --rm -n none words true
    runs "$mayfly" images
    ! grep -q $'\033' "$TEST_DIR/out" || fail "an escape sequence came through"
    [ ! -e ran ] || fail "a label was executed"
}

# CVE-2024-40635, CVE-2024-21626 in an image's own words.
test_users_and_workdirs_that_an_image_asks_for() {
    local user dir
    for user in 2147483648 4294967296 -1 4294967295 0:4294967296 18446744073709551616; do
        make_archive "$(jq -nc --arg user "$user" '{User: $user, Env: ["PATH=/bin"]}')"
        run "$mayfly" -q -n none -i docker-archive:image.tar -S 'id'
        [ "$status" = 125 ] || [ "$status" = 2 ] || [ "$mode" = single ] || fail "user $user"
        ! grep -q 'uid=0' "$TEST_DIR/out" || fail "user $user is root"
    done
    exec 7</ 8<"$TEST_DIR"
    for dir in /proc/self/fd/{3,4,5,6,7,8,9} ../../../..; do
        make_archive "$(jq -nc --arg dir "$dir" '{WorkingDir: $dir, Env: ["PATH=/bin"]}')"
        run "$mayfly" -q -n none -i docker-archive:image.tar -S 'pwd; cat etc/hostname ../etc/hostname ../../etc/hostname'
        [ "$status" != 0 ] || fail "it begins at $dir"
        ! grep -qx "$(cat /etc/hostname)" "$TEST_DIR/out" || fail "it reads the host's at $dir"
    done
    exec 7<&- 8<&-
}

# CVE-2026-47262: /etc/passwd is exchanged before somebody comes.
test_a_passwd_that_is_exchanged() {
    fresh_store
    local kind
    runs "$mayfly" run -d --name box -n none "$busybox" sleep 1000
    for kind in 'mkfifo' 'ln -s /dev/zero' 'ln -s passwd' 'ln -s /proc/self/fd/0' 'mkdir' 'truncate -s 1G'; do
        runs "$mayfly" exec box sh -c "rm -rf /etc/passwd; $kind /etc/passwd"
        run timeout 60 "$mayfly" exec -u app box id
        case $status in 0 | 124) fail "$kind: $status" ;; esac
        expect_err app
        runs timeout 60 "$mayfly" exec box true
    done
    runs "$mayfly" rm -f box
}

# CVE-2026-41579, CVE-2026-47766: /dev is a link to a directory of the image's that has a ptmx.
test_a_dev_of_the_image_with_a_ptmx() {
    mkdir -p img/elsewhere/pts
    tar -C img --no-same-owner -xf "$busybox" 2>/dev/null
    rm -rf img/dev
    : >img/elsewhere/ptmx
    ln -s /elsewhere img/dev
    tty -- "$mayfly" -n none -i ./img -S 'echo reached'
    expect_status 125
    ! grep -q reached "$TEST_DIR/out" || fail "it ran"
    rm img/dev
    mkdir -p img/dev
    ln -s /elsewhere img/dev/pts
    ln -s ../elsewhere/ptmx img/dev/ptmx
    ln -s /elsewhere/ptmx img/dev/console
    tty -- "$mayfly" -q -n none -i ./img -S 'test -c /dev/ptmx && test -c "$(tty)" && test -c /dev/tty; wc -c </elsewhere/ptmx; ls /elsewhere/pts'
    expect_status 0
    expect_same "$(tr -d '\r' <"$TEST_DIR/out")" 0
    expect_same "$(find img/elsewhere -type f -size +0)" ''
}

# CVE-2021-43784: words that fill more than any field of a message.
test_words_of_more_than_64_kib() {
    fresh_store
    local long words=() i
    long=$(printf '%0100000d' 7)
    for i in {1..12}; do
        words+=("$long")
    done
    runs "$mayfly" -q -n none -i "$busybox" -e "A=$long" -e "B=$long" -S 'echo ${#A} ${#B}' \
        -X sh -c 'x=; for w; do x=$x${#w}; done; echo $x' sh "${words[@]}" ';'
    expect_out "100000 100000"$'\n'"$(printf '100000%.0s' {1..12})"
    runs "$mayfly" run -d --name box -n none -e "A=$long" "$busybox" sleep 1000
    runs "$mayfly" exec -e "B=$long" box sh -c 'x=; for w; do x=$x${#w}; done; echo $x ${#A} ${#B}' sh "${words[@]}"
    expect_out "$(printf '100000%.0s' {1..12}) 100000 100000"
    runs "$mayfly" rm -f box
}

# Names of what is kept, and of what is asked for.
test_later_names_that_climb() {
    fresh_store
    local name
    runs "$mayfly" create --name box -n none "$busybox" true
    for name in ../box a/../../box /etc . .. 'a b' $'a\nb' -x; do
        run "$mayfly" run -n none --name="$name" "$busybox" true
        expect_complaint '125|2' 'name'
        for command in rm start stop port logs; do
            run "$mayfly" $command -- "$name"
            [ "$status" != 0 ] || fail "$command $name"
        done
        run "$mayfly" -n none -i "$busybox" -k "$name:/cache" -S true
        [ "$status" = 2 ] || [ "$status" = 125 ] || fail "a kept directory '$name'"
        run "$mayfly" network create -- "$name"
        [ "$status" != 0 ] || fail "a network '$name'"
    done
    runs "$mayfly" rm box
    expect_same "$(find "$MAYFLY_STORE"/*/{containers,names} -mindepth 1)" ''
}
