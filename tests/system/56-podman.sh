# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# The lines that programs written for podman and docker call, by a link of that name.

podman() { "$TEST_DIR/bin/podman" "$@"; }
link_podman() {
    fresh_store
    mkdir -p "$TEST_DIR/bin"
    ln -s "$mayfly" "$TEST_DIR/bin/podman"
}
containers_left() { find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1; }
gone() { ! "$TEST_DIR/bin/podman" exec "$1" true 2>/dev/null && [ -z "$(containers_left)" ]; }
until_gone() {
    local i
    for ((i = 0; i < 3000; i++)); do
        ! gone "$1" || return 0
        sleep 0.01
    done
    fail "$1 is still there: $(containers_left)"
}

test_podman_lines_of_a_build() {
    link_podman
    mkdir volume && echo in >volume/file
    runs podman run --rm --detach --name build-1 --entrypoint /bin/sh \
        --volume "$PWD/volume:/volume" "$busybox" -c "sleep 999999"
    runs podman exec --workdir /volume build-1 /bin/sh -c 'cat file && mkdir -p /w/SRC && echo out >/w/SRC/file'
    expect_out in
    run podman exec build-1 /bin/sh -c 'exit 12'
    expect_status 12
    runs podman container cp --archive build-1:/w/SRC dest
    expect_same "$(cat dest/file)" out
    expect_same "$(stat -c %u dest/file)" "$(id -u)"
    runs podman container kill build-1
    until_gone build-1
}

test_podman_lines_of_a_person() {
    link_podman
    runs podman run -dit --name n "$busybox" sh
    local cid
    cid=$(cat "$TEST_DIR/out")
    runs podman exec "$cid" sh -c 'echo here'
    expect_out here
    runs podman ps -aq --filter name=n
    expect_out "${cid:0:12}"
    runs podman ps --format '{{.Names}} {{.State}}' -f status=running
    expect_out 'n running'
    runs podman inspect --format '{{.State.Status}} {{.State.Running}} {{.Name}} {{json .Config.Cmd}}' n
    expect_out 'running true n ["sh"]'
    tty 'send:echo $((6*7))\r' 'expect:42' 'send:\x10\x11' -- "$TEST_DIR/bin/podman" attach n
    expect_status 0
    runs podman stop -t 0 n
    runs podman inspect --format '{{.State.ExitCode}}' "${cid:0:8}"
    expect_out 137
    runs podman ps -q
    expect_out ''
    runs podman container rm n
    expect_same "$(containers_left)" ''
}

# Whoever looks on is gone, in the middle of a word or not: the container is none the worse for it.
test_the_end_of_those_attached_is_not_the_containers() {
    link_podman
    local i
    runs podman run -dit --name talks "$busybox" sh -c 'while :; do echo word; done'
    for i in 1 2 3 4 5; do
        tty expect:word signal:KILL -- "$TEST_DIR/bin/podman" attach talks
        expect_status 137
        tty expect:word 'send:\x10\x11' -- "$TEST_DIR/bin/podman" attach talks
        expect_status 0
        runs podman exec talks true
    done
    runs podman rm -f talks
    runs podman run -d --name pipes "$busybox" sh -c 'while :; do echo word; done'
    for i in 1 2 3 4 5; do
        # One of its own each time: the supervisor may have the last one open for a moment yet.
        mkfifo "fifo-$i"
        "$TEST_DIR/bin/podman" attach pipes >"fifo-$i" &
        # In the middle of a line, maybe; who writes to a reader that is gone ends by it.
        [ -n "$(head -c 4 "fifo-$i")" ] || fail "nothing came"
        wait $! || :
        runs podman exec pipes true
    done
    runs podman rm -f pipes
    expect_same "$(containers_left)" ''
}

test_plurality_by_our_words() {
    link_podman
    runs podman create --name app --label tier=one "$busybox" sh -c 'echo served; sleep 1000'
    runs podman ps -a --format '{{.Names}}: {{.Status}}'
    expect_out 'app: Created'
    run podman exec app true
    expect_complaint 125 'app is not running'
    runs podman start app
    runs podman ps --filter label=tier=one --format '{{json .}}'
    grep -q '"Names":"app"' "$TEST_DIR/out" || fail "not in the list"
    run podman rm app
    expect_status 125
    runs podman stop -t 0 app
    runs podman rm app
    expect_same "$(containers_left)" ''
}

test_copies_in_and_out() {
    link_podman
    runs podman run -d --name it "$busybox" sh -c 'mkdir /d; echo a >/d/a; sleep 1000'
    runs podman exec it sh -c 'until [ -e /d/a ]; do sleep 0.01; done'
    mkdir there
    runs podman cp it:/d there
    expect_same "$(cat there/d/a)" a
    runs podman cp it:d/. there
    expect_same "$(cat there/a)" a
    echo b >b
    runs podman cp b it:/d
    runs podman exec it cat /d/b
    expect_out b
    run podman cp it:/nothing .
    expect_complaint 125 'nothing' 'no such file'
    run podman cp a b
    expect_complaint 2 'CONTAINER:PATH'
    runs podman rm -f it
}

# Also with owners where there is more than one.
test_tars_in_and_out() {
    link_podman
    local tree='cd /d; find . | sort | xargs stat -c "%n %f %u:%g %Y"; cat a g'
    runs podman run -d --name one "$busybox" sleep 1000
    runs podman run -d --name two "$busybox" sleep 1000
    runs podman exec one sh -c 'mkdir -p /d/sub; cd /d; echo a >a; ln a h; ln -s a l; mkfifo p; chmod 4711 a
        echo g >g; [ "$1" = single ] || chown 5:7 g; : >sub/empty; touch -d @1000000000 sub; ln -s d /to' - "$mode"
    "$TEST_DIR/bin/podman" cp one:/d - >d.tar || fail "no tar came"
    expect_same "$(tar -tf d.tar | sort)" $'d/\nd/a\nd/g\nd/h\nd/l\nd/p\nd/sub/\nd/sub/empty'
    [ "$mode" = single ] || expect_same "$(tar -tvf d.tar d/g | awk '{ print $2 }')" 5/7
    runs podman exec two rmdir /tmp
    # Straight on, with all that a tar can say; into a directory that is made.
    "$TEST_DIR/bin/podman" cp one:/d/. - | "$TEST_DIR/bin/podman" cp - two:/d || fail "not from one to the other"
    expect_same "$("$TEST_DIR/bin/podman" exec two sh -c "$tree")" "$("$TEST_DIR/bin/podman" exec one sh -c "$tree")"
    # What it names goes where a shell would put it, and links in a tar stay links.
    mkdir src && echo f >src/f && ln src/f src/g
    tar -cf - -C src --transform 's,^,to/,S' f g --owner=33 --group=4000000 | gzip | run podman cp - one:/
    expect_status 0
    runs podman exec one sh -c 'cat /d/f; stat -c %i /d/f /d/g | sort -u | wc -l; [ -L /to ]'
    expect_out $'f\n1'
    runs podman cp one:/to - && tar -tvf "$TEST_DIR/out" | grep -q 'to -> d$' || fail "no link came"
    runs podman rm -f one two
}

test_tars_that_are_none() {
    link_podman
    runs podman run -d --name it "$busybox" sleep 1000
    echo no tar at all, nor anything else that is known | run podman cp - it:/x
    expect_complaint 125 'the tar is damaged'
    head -c 600000 /dev/urandom >big && tar -cf whole.tar big && head -c 300000 whole.tar | run podman cp - it:/x
    expect_complaint 125 'the tar is damaged or cut short'
    runs podman exec it ls /x
    expect_out ''
    tar -cPf up.tar --transform 's,^,../,' big && run podman cp - it:/x <up.tar
    expect_complaint 125 "'\\.\\./big'"
    run podman cp - it:/bin/busybox <whole.tar
    expect_complaint 125 'busybox'
    run podman cp it:/nothing -
    expect_complaint 125 'no such file'
    tty -- "$TEST_DIR/bin/podman" cp it:/bin -
    expect_status 2
    # Nobody reads it to its end.
    "$TEST_DIR/bin/podman" cp it:/bin - | head -c 10 >/dev/null
    runs podman exec it true
    runs podman rm -f it
}

test_copies_of_what_does_not_run() {
    link_podman
    mkdir volume && echo v >volume/v
    echo 'echo made outside' >script
    # Before its beginning, and after its end.
    runs podman create --name it -v "$PWD/volume:/volume" "$busybox" sh /script
    runs podman cp script it:/script
    runs podman start -a it
    expect_out 'made outside'
    runs podman cp it:/script back
    expect_same "$(cat back)" "$(cat script)"
    runs podman cp it:/volume/v .
    expect_same "$(cat v)" v
    tar -cf - script | run podman cp - it:/new
    expect_status 0
    runs podman cp it:/new - && expect_same "$(tar -tf "$TEST_DIR/out")" $'new/\nnew/script'
    runs podman ps -a --format '{{.State}}'
    expect_out exited
    run podman cp it:/nothing .
    expect_complaint 125 'nothing' 'no such file'
    # Killed on the way: the next command finds it as it was.
    mkfifo hold
    "$TEST_DIR/bin/podman" cp - it:/late <hold &
    exec 7>hold
    tar -cf - script >&7
    kill -9 $!
    exec 7>&-
    wait $! 2>/dev/null
    runs podman start -a it
    expect_out 'made outside'
    runs podman rm it
    runs podman create --rm --name it "$busybox" true
    run podman cp script it:/
    expect_complaint 125 '--rm'
    runs podman rm it
    expect_same "$(containers_left)" ''
}

test_templates_and_their_mistakes() {
    link_podman
    runs podman create --name it -e A=1 -l x=y "$busybox" echo hello world
    runs podman inspect -f '{{range .Config.Cmd}}<{{.}}>{{end}}{{if .State.Running}}up{{else}}down{{end}}' it
    expect_out '<echo><hello><world>down'
    runs podman inspect -f '{{index .Config.Labels "x"}} {{len .Config.Cmd}} {{join .Config.Cmd ","}} {{.Name | upper}}' it
    expect_out 'y 3 echo,hello,world IT'
    run podman inspect -f '{{.Nope}}' it
    expect_complaint 125 "no field 'Nope'"
    run podman inspect -f '{{.Name' it
    expect_complaint 125 'not understood'
    run podman ps --filter color=red
    expect_complaint 2 'color=red'
    run podman inspect nothing
    expect_err "no container, image or network 'nothing'"
    expect_status 125
    runs podman rm it
}
