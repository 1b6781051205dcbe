# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What a person types first, and the options one by one.

test_workdir_line_of_the_readme() {
    runs "$mayfly" -i "$busybox" -S pwd -W /tmp -S pwd
    expect_out $'/\n/tmp'
}

test_compile_line_of_the_readme() {
    needs_debian
    cat >hello.c <<-'END'
	#include <stdio.h>
	int main(void) { return puts("hello from a container") < 0; }
	END
    runs "$mayfly" -i "$debian" -v "$(pwd):/root/src:ro" -W /root -S "cp -air ./src/* ." -S "gcc hello.c -o hello" -D hello
    expect_same "$(stat -c %u hello)" "$(id -u)"
    runs ./hello
    expect_out "hello from a container"
}

# The forms of Ephemerun's README, whose Python is a file of ours here: options in quotes, a relative
# volume, everything copied out of it by the shell, then one check after the other.
test_lines_of_ephemeruns_readme() {
    needs_debian
    mkdir -p projectdir tests
    printf '#!/bin/sh\necho "$1 of $(cat name)"\n' >projectdir/check
    chmod +x projectdir/check
    echo project >name
    # shellcheck disable=SC2140
    runs "$mayfly" \
        -i "$debian" \
        -v ".:/root/src:ro" \
        -W "/root" \
        -S "cp -air ./src/* ." \
        -S "sh projectdir/check types" \
        -S "! touch src/written 2>/dev/null" \
        -S "rm -r src/tests 2>/dev/null || projectdir/check tests >report" \
        -S "cat report"
    # cp says what it copies to nobody: what steps write is all there is.
    expect_out $'types of project\ntests of project'
    expect_same "$(find . -name report -o -name written)" ""
    # A failing action ends it with its status, and nothing after it is done.
    run "$mayfly" -i "$debian" -v ".:/root/src:ro" -W "/root" -S "exit 3" -S "echo not reached"
    expect_status 3
    expect_out ""
    # What Ephemerun wishes for: artefacts out, a cache, and several images.
    runs "$mayfly" -i "$debian" -i "$busybox" -k "pip:/root/.cache" -v ".:/root/src:ro" -W "/root" \
        -S "cp ./src/name artefact; echo x >>.cache/runs" -D "artefact:out/{image}/"
    expect_same "$(cat out/*/artefact | sort -u)" project
    runs "$mayfly" -q -i "$busybox" -k "pip:/root/.cache" -S 'wc -l </root/.cache/runs'
    expect_out 2
}

test_make_in_place_on_a_copy_on_write_volume() {
    needs_debian
    printf 'hello: hello.c\n\tgcc -o $@ $<\nclean:\n\trm -f hello\n' >Makefile
    echo 'int main(void) { return 0; }' >hello.c
    mkdir sub
    ln -s ../hello.c sub/link
    touch -d '2001-02-03 04:05:06.789' sub
    local before
    before=$(fingerprint .)
    runs "$mayfly" -i "$debian" -v "$(pwd):/src:cow" -W /src -S "make" -S 'test -x hello && rm -r sub && echo changed >hello.c'
    expect_same "$(fingerprint .)" "$before"
}

test_workdir_is_made_and_relative_to_the_one_before() {
    runs "$mayfly" -i "$busybox" -W /a/b -S pwd -W c -S pwd -W .. -S pwd -W / -S pwd
    expect_out $'/a/b\n/a/b/c\n/a/b\n/'
}

test_steps_share_files_and_nothing_else() {
    runs "$mayfly" -q -i "$busybox" -S 'x=1; cd /tmp; echo kept >/f' -S 'echo "$(cat /f)${x-}"; pwd'
    expect_out $'kept\n/'
}

test_options_stand_anywhere() {
    runs "$mayfly" -S 'echo "$A"' -e A=1 -W /tmp -S 'pwd' -q -i "$busybox"
    expect_out $'1\n/tmp'
    expect_silence
}

test_exec_needs_no_shell() {
    runs "$mayfly" -q -i "$images/noshell.tar" -X /bin/busybox echo -i 'two  words' '$HOME' ';' -X /bin/busybox pwd
    expect_out $'-i two  words $HOME\n/'
}

test_exec_looks_into_the_path() {
    runs "$mayfly" -q -i "$busybox" -X echo yes ';'
    expect_out yes
    run "$mayfly" -q -i "$busybox" -X nowhere-to-be-found ';'
    expect_status 127
    run "$mayfly" -q -i "$busybox" -X /etc/passwd ';'
    expect_status 126
}

test_environment_is_the_images_and_what_is_given() {
    SECRET=1 PASSED='a b' runs "$mayfly" -q -i "oci:$images/busybox-oci:1" -e PASSED -e X=y=z -e ABSENT_ONE -S env
    grep -qx 'PASSED=a b' "$TEST_DIR/out" || fail "PASSED"
    grep -qx 'X=y=z' "$TEST_DIR/out" || fail "X"
    grep -qx 'GREETING=hello from the image' "$TEST_DIR/out" || fail "the image's own"
    grep -qx 'HOME=/root' "$TEST_DIR/out" || fail "HOME"
    ! grep -q '^SECRET\|^ABSENT_ONE\|^MAYFLY' "$TEST_DIR/out" || fail "from the host"
}

test_environment_of_the_command_line_wins() {
    runs "$mayfly" -q -i "oci:$images/busybox-oci:1" -e GREETING=mine -S 'echo $GREETING'
    expect_out mine
}

test_workdir_of_the_image_is_where_steps_begin() {
    runs "$mayfly" -q -i "oci:$images/busybox-oci:1" -S pwd -W x -S pwd
    expect_out $'/srv\n/srv/x'
}

test_user_by_name_and_number() {
    only root subuid
    runs "$mayfly" -q -i "$busybox" -u app -S 'id -u; id -g; id -G; echo $HOME; touch /home/app/mine'
    expect_out $'1000\n1000\n1000 50\n/home/app'
    runs "$mayfly" -q -i "$busybox" -u 1000:staff -S 'id -u; id -g'
    expect_out $'1000\n50'
    runs "$mayfly" -q -i "$busybox" -u 4242 -S 'id -u; id -g'
    expect_out $'4242\n0'
    run "$mayfly" -q -i "$busybox" -u app -S 'touch /etc/not-mine'
    expect_status 1
}

test_user_is_roots_own_by_default() {
    runs "$mayfly" -q -i "$busybox" -S 'id -u; id -g; touch /etc/x'
    expect_out $'0\n0'
}

test_ids_of_the_image_are_kept() {
    only root subuid
    runs "$mayfly" -q -i "$busybox" -S 'stat -c %u:%g /home/app /bin/busybox; chown 7:8 /etc/passwd; stat -c %u:%g /etc/passwd'
    expect_out $'1000:1000\n0:0\n7:8'
}

test_volume_read_write() {
    mkdir dir
    echo old >dir/file
    runs "$mayfly" -q -i "$busybox" -v "$PWD/dir:/mnt/v" -S 'cat /mnt/v/file; echo new >/mnt/v/file; echo made >/mnt/v/made; mkdir /mnt/v/d'
    expect_out old
    expect_same "$(cat dir/file dir/made)" $'new\nmade'
    expect_same "$(stat -c %u:%g dir/made dir/d)" "$(id -u):$(id -g)"$'\n'"$(id -u):$(id -g)"
}

test_volume_read_only() {
    mkdir -p dir/sub
    echo old >dir/file
    runs "$mayfly" -q -i "$busybox" -v dir:/v:ro -S 'cat /v/file; ! touch /v/x; ! touch /v/sub/x; ! mount -o remount,rw /v 2>/dev/null || ! touch /v/x'
    expect_out old
    expect_same "$(ls dir)" $'file\nsub'
}

test_volume_copy_on_write() {
    mkdir -p dir/sub
    echo old >dir/file
    echo deep >dir/sub/deep
    local before
    before=$(fingerprint dir)
    runs "$mayfly" -q -i "$busybox" -v dir:/v:cow -S 'echo new >/v/file; rm -r /v/sub; mkdir /v/sub; ls -A /v/sub; cat /v/file'
    expect_out new
    expect_same "$(fingerprint dir)" "$before"
}

test_volume_copy_on_write_of_a_file() {
    echo old >file
    runs "$mayfly" -q -i "$busybox" -v file:/etc/v:cow -S 'cat /etc/v; echo new >/etc/v; cat /etc/v'
    expect_out $'old\nnew'
    expect_same "$(cat file)" old
}

test_volume_of_a_file_and_names_with_colons() {
    echo one >'a:b c'
    runs "$mayfly" -q -i "$busybox" -v 'a\:b c:/etc/d\:e' -S 'cat /etc/d:e; echo two >>/etc/d:e'
    expect_same "$(cat 'a:b c')" $'one\ntwo'
}

test_volume_source_is_a_link() {
    mkdir real
    echo x >real/file
    ln -s real link
    runs "$mayfly" -q -i "$busybox" -v link:/v -S 'cat /v/file'
    expect_out x
}

test_volume_below_another_volume() {
    mkdir -p a b
    echo b >b/file
    runs "$mayfly" -q -i "$busybox" -v a:/v -v b:/v/b -S 'cat /v/b/file; touch /v/in-a'
    expect_out b
    [ -e a/in-a ] || fail "not written"
}

test_tmpfs() {
    runs "$mayfly" -q -i "$busybox" --tmpfs /s:1m -S 'grep " /s tmpfs " /proc/mounts >/dev/null; head -c 500000 /dev/zero >/s/a; ! head -c 5000000 /dev/zero >/s/b 2>/dev/null'
    # With a network its names stand there.
    runs "$mayfly" -q -n none -i "$busybox" --tmpfs /etc -S 'ls -A /etc'
    expect_out ''
    # In docker's words; noexec holds, and the mode.
    runs "$mayfly" -q -n none -i "$busybox" --tmpfs /s:rw,noexec,nosuid,size=64k,mode=750 \
        -S 'stat -c %a /s; echo "echo hi" >/s/x; chmod 755 /s/x; /s/x 2>&1 | grep -o denied'
    expect_out $'750\ndenied'
}

test_read_only_root() {
    runs "$mayfly" -q -i "$busybox" --read-only --tmpfs /tmp -S 'touch /tmp/x; ! touch /x; ! touch /etc/x; ! mkdir /home/y'
}

test_hostname_and_name() {
    runs "$mayfly" -q -i "$busybox" --hostname box.example -S hostname
    expect_out box.example
    make_fifos
    "$mayfly" -q -i "$busybox" --name twin "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    await ready
    run "$mayfly" -i "$busybox" --name twin -S true
    expect_complaint 125 twin
    let_go
    ends_with 0 $!
    runs "$mayfly" -i "$busybox" --name twin -S true
}

test_network_of_its_own() {
    runs "$mayfly" -q -i "$busybox" -n none -S 'ls /sys/class/net; ip addr show lo | grep -o "<LOOPBACK,UP[^>]*>\|127.0.0.1/8"'
    expect_out $'lo\n<LOOPBACK,UP,LOWER_UP>\n127.0.0.1/8'
    runs "$mayfly" -q -i "$busybox" -n none -S 'readlink /proc/self/ns/net'
    [ "$(cat "$TEST_DIR/out")" != "$(readlink /proc/self/ns/net)" ] || fail "the host's own"
}

test_network_of_the_host() {
    runs "$mayfly" -q -i "$busybox" -n host -S 'readlink /proc/self/ns/net'
    expect_out "$(readlink /proc/self/ns/net)"
    MAYFLY_NET=host runs "$mayfly" -q -i "$busybox" -S 'readlink /proc/self/ns/net'
    expect_out "$(readlink /proc/self/ns/net)"
}

test_report_as_json() {
    run "$mayfly" -q -i "$busybox" --json report.json -S 'echo "a \"b\""' -W /tmp -S 'exit 3' -S 'never'
    expect_status 3
    runs "$mayfly" -q -i "$busybox" -v "$PWD:/v" -S 'tr -d " \n" </v/report.json'
    local part
    for part in '"exit_status":3' '"outcome":"failed"' '"status":3' '"kind":"shell"' '"error":null'; do
        grep -qF "$part" "$TEST_DIR/out" || fail "report.json lacks $part"
    done
    ! grep -q never "$TEST_DIR/out" || fail "a step that did not run is in it"
    runs "$mayfly" -q -i "$busybox" --json report.json -S true
    grep -q '"exit_status": *0' report.json || fail "not written anew"
    expect_same "$(ls)" report.json
}

test_messages_one_line_a_step() {
    run "$mayfly" -i "$busybox" -S 'echo out' -S 'exit 4'
    expect_out out
    expect_err '^mayfly: \[1/2\] -S echo out  ok  [0-9.]+ s$'
    expect_err '^mayfly: \[2/2\] -S exit 4  exit 4  [0-9.]+ s$'
    expect_same "$(wc -l <"$TEST_DIR/err")" 2
}

test_messages_quiet_debug_and_colour() {
    runs "$mayfly" -q -i "$busybox" -S true
    expect_silence
    runs "$mayfly" --debug -i "$busybox" -S true
    [ "$(wc -l <"$TEST_DIR/err")" -gt 2 ] || fail "says no more"
    runs "$mayfly" --color always -i "$busybox" -S true
    grep -q $'\e\[' "$TEST_DIR/err" || fail "no colour"
    runs "$mayfly" --color never -i "$busybox" -S true
    ! grep -q $'\e' "$TEST_DIR/err" || fail "colour"
    tty -- env NO_COLOR=1 "$mayfly" -i "$busybox" -S true
    ! grep -q $'\e' "$TEST_DIR/out" || fail "colour in spite of NO_COLOR"
    tty -- "$mayfly" -i "$busybox" -S true
    grep -q $'\e\[' "$TEST_DIR/out" || fail "no colour on a terminal"
}

test_help_and_version() {
    runs "$mayfly" --help
    local option
    for option in -i -v -W -S -X -D -U -e -u -n --timeout --step-timeout --tmpfs --read-only --hostname --name --on-failure --json -q --debug --color -h --version; do
        grep -Eq -e "(^|[ ,])$option([ ,]|\$)" "$TEST_DIR/out" || fail "--help lacks $option"
    done
    runs "$mayfly" --version
    grep -Eqx 'mayfly [0-9]+\.[0-9]+\.[0-9]+' "$TEST_DIR/out" || fail "no version"
}

test_doctor_finds_no_problem() {
    runs "$mayfly" doctor
    [ -s "$TEST_DIR/out" ] || fail "says nothing"
}

test_image_alone_is_a_run_without_steps() {
    runs "$mayfly" -q -i "$busybox"
    expect_out ''
}

test_twelve_runs_at_once() {
    fresh_store
    local i pids=()
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        "$mayfly" -q -i "$busybox" -S "echo $i >/tmp/x; cat /tmp/x" >"$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        ends_with 0 "$i"
    done
    expect_same "$(cat 1 2 3 4 5 6 7 8 9 10 11 12 | tr '\n' ' ')" '1 2 3 4 5 6 7 8 9 10 11 12 '
}
