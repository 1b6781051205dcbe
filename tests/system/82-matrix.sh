# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Several images: the same actions once for each.

# three_images: $images as an argument of -i, and their versions
three_images() {
    local alpine=$scratch/real-images/alpine version
    if [ -e "$alpine/alpine-minirootfs-3.18.9-x86_64.tar.gz" ]; then
        three="$alpine/alpine-minirootfs-{3.18.9,3.19.4,3.20.3}-x86_64.tar.gz"
        names=(alpine-minirootfs-{3.18.9,3.19.4,3.20.3}-x86_64)
    else
        for version in 3.18.9 3.19.4 3.20.3; do
            mkdir -p "small/$version/etc"
            tar -xf "$busybox" -C "small/$version"
            echo $version >"small/$version/etc/alpine-release"
            tar -C "small/$version" -cf "small-$version.tar" .
        done
        three="small-{3.18.9,3.19.4,3.20.3}.tar"
        names=(small-{3.18.9,3.19.4,3.20.3})
    fi
}

# --- which images ---------------------------------------------------------------

test_matrix_of_three_images_in_order() {
    three_images
    runs "$mayfly" -q -i "$three" -S 'cat /etc/alpine-release' -W /tmp -S 'pwd'
    expect_out $'3.18.9\n/tmp\n3.19.4\n/tmp\n3.20.3\n/tmp'
    expect_silence
}

test_matrix_of_images_given_one_by_one() {
    cp "$busybox" other.tar
    runs "$mayfly" -q -i "$busybox" -S 'echo $0 run' -i other.tar
    expect_out $'/bin/sh run\n/bin/sh run'
}

test_matrix_with_a_file_named_with_braces() {
    cp "$busybox" 'a{b,c}.tar'
    runs "$mayfly" -q -i './a\{b,c\}.tar' -S 'echo it'
    expect_out it
    run "$mayfly" -q -i './a{b,c}.tar' -S 'echo it'
    expect_status 125
    expect_err 'ab.tar'
}

test_matrix_complaints() {
    run "$mayfly" -i "$busybox" -i host: -S true -D x
    expect_complaint 2 '-D x: 2 images would write to the same place' '\{image\}'
    run "$mayfly" -i "$busybox" -i host: -j 2 --name one -S true
    expect_complaint 2 '--name one' '\{image\}'
    run "$mayfly" -i "$busybox" -i tar:- -S true
    expect_complaint 2 'tar:-' 'mayfly import'
    run "$mayfly" -i "$busybox" -j many -S true
    expect_complaint 2 "-j 'many'"
    run "$mayfly" -i "$busybox" --output pretty -S true
    expect_complaint 2 "--output 'pretty'" 'live, block, prefix'
    run "$mayfly" -i "$busybox" -i host: -j 2 --output live -S true
    expect_complaint 2 '--output live'
    run "$mayfly" -i 'x{1..2000}' -S true
    expect_complaint 2 'more than 1000'
    run "$mayfly" -i "$busybox" --junit nowhere/x.xml -S true
    expect_complaint 125 '--junit nowhere/x.xml'
}

# --- what comes out of it -------------------------------------------------------

test_matrix_statuses() {
    three_images
    # The first failure in the order of the images, though the third ends before it.
    run "$mayfly" -q -j 3 --keep-going -i "$three" -S 'case $(cat /etc/alpine-release) in 3.19*) sleep 0.5; exit 4;; 3.20*) exit 5;; esac'
    expect_status 4
    run "$mayfly" -q -i "$three" -S 'cat /etc/alpine-release; [ $(cat /etc/alpine-release) != 3.18.9 ] || exit 7'
    expect_status 7
    expect_out 3.18.9
    run "$mayfly" -q --keep-going -i "$three" -S 'cat /etc/alpine-release; [ $(cat /etc/alpine-release) != 3.18.9 ] || exit 7'
    expect_status 7
    expect_out $'3.18.9\n3.19.4\n3.20.3'
}

test_matrix_with_an_image_that_is_not_there() {
    run "$mayfly" --keep-going -i ./missing.tar -i "$busybox" -S 'echo still'
    expect_status 125
    expect_out still
    expect_err '^mayfly: .*missing.tar'
    expect_err '^missing +- +error'
}

test_matrix_table_at_the_end() {
    three_images
    run "$mayfly" -i "$three" -S 'echo one' -S 'test $(cat /etc/alpine-release) != 3.19.4'
    expect_status 1
    expect_err '^mayfly: image 1/3: .*3\.18\.9'
    expect_err '^mayfly: \[1/2\] -S echo one  ok  '
    expect_no_err 'image 3/3'
    expect_err '^IMAGE +-S echo one +-S test .* +RUN$'
    expect_err "^${names[0]}(.tar)? +ok [0-9.]+ s +ok [0-9.]+ s +ok [0-9.]+ s$"
    expect_err "^${names[1]}(.tar)? +ok [0-9.]+ s +exit 1 [0-9.]+ s +exit 1 [0-9.]+ s$"
    expect_err "^${names[2]}(.tar)? +- +- +not run$"
    # Nothing of it for who wants none, nor for one image.
    run "$mayfly" -q -i "$three" -S 'exit 1'
    expect_silence
    runs "$mayfly" -i "$busybox" -S true
    expect_no_err IMAGE
}

test_matrix_table_on_a_narrow_terminal() {
    cp "$busybox" other.tar
    size=24x40 tty -- "$mayfly" -i other.tar -i "$busybox" -S 'echo one two three four five six' -S 'true one two three four five six'
    expect_status 0
    grep -q 'IMAGE.*\[1\].*\[2\].*RUN' "$TEST_DIR/out" || fail "expected numbers as headings"
}

test_matrix_in_blocks() {
    cp "$busybox" other.tar
    make_fifos
    # Both are at work at the same time: each waits for the other.
    mkfifo -m 666 a b
    runs "$mayfly" -j 2 -i "$busybox" -i other.tar -v ./a:/a -v ./b:/b -v "$PWD:/here:ro" \
        -S 'echo begins; if [ -e /tmp/x ]; then false; fi; (echo x >/a &); read y </a; echo ends; echo warn >&2' -S 'echo again'
    expect_out $'begins\nends\nagain\nbegins\nends\nagain'
    # A message stands where it belongs, when both streams go to one place.
    "$mayfly" -j 2 -i "$busybox" -i other.tar -S 'echo first' -S 'echo second' >both 2>&1 || fail "failed"
    expect_same "$(grep -c . both)" $((2 * 5 + 3))
    expect_same "$(head -n 5 both | sed 's/  .*//' | tail -n 4)" $'first\nmayfly: [1/2] -S echo first\nsecond\nmayfly: [2/2] -S echo second'
}

test_matrix_two_at_once() {
    cp "$busybox" other.tar
    mkfifo -m 666 a b
    # Each tells the other one and waits to be told: one at a time would never end.
    runs "$mayfly" -q --timeout 60s -j auto -j 2 -i "$busybox" -i other.tar -v ./a:/a -v ./b:/b \
        -S 'if mkdir /shared/lock; then echo x >/a; read y </b; else read y </a; echo x >/b; fi; echo $y' -v "$(mkdir -m 777 shared && realpath shared):/shared"
    expect_out $'x\nx'
}

test_matrix_with_prefixes() {
    cp "$busybox" other.tar
    runs "$mayfly" --output prefix -i other.tar -i "$(realpath --relative-to=. "$busybox")" -S 'echo out; printf "no end"' -S 'echo err >&2'
    grep -q '^other\(.tar\)\? *| out$' "$TEST_DIR/out" || fail "no prefix"
    grep -q '^other\(.tar\)\? *| no end$' "$TEST_DIR/out" || fail "no end of line"
    grep -q '^busybox\(.tar\)\? *| out$' "$TEST_DIR/out" || fail "no prefix of the second"
    expect_err '^other(.tar)? *\| err$'
    expect_err '^other(.tar)? *\| mayfly: \[1/2\] -S echo out'
}

test_matrix_live_on_a_terminal() {
    cp "$busybox" other.tar
    tty 'expect:who?' 'send:me\r' 'expect:hello me' 'expect:who?' 'send:you\r' 'expect:hello you' -- \
        "$mayfly" -i "$busybox" -i other.tar -S 'test -t 0 && test -t 1 && echo who? && read x && echo hello $x'
    expect_status 0
}

test_matrix_on_a_terminal_at_once() {
    cp "$busybox" other.tar
    tty -- "$mayfly" -j 2 -i "$busybox" -i other.tar -S 'test -t 0 || test -t 1 || cat'
    expect_status 0
}

# --- standard input -------------------------------------------------------------

test_matrix_input_is_the_same_for_each() {
    cp "$busybox" other.tar
    seq 20000 >numbers
    local sum
    sum=$(md5sum <numbers)
    for jobs in 1 2; do
        cat numbers | run "$mayfly" -q -j $jobs -i "$busybox" -i other.tar -S md5sum
        expect_status 0
        expect_out "$sum"$'\n'"$sum"
        run "$mayfly" -q -j $jobs -i "$busybox" -i other.tar -S md5sum <numbers
        expect_out "$sum"$'\n'"$sum"
    done
    run "$mayfly" -q -i "$busybox" -i other.tar -S 'head -n 1 >/dev/null; cat' <<<$'a\nb'
    expect_status 0
    run "$mayfly" -q -i "$busybox" -i other.tar -S 'cat' </dev/null
    expect_status 0
    expect_out ''
}

test_matrix_input_that_never_ends() {
    mkfifo endless
    exec 7<>endless
    runs "$mayfly" -q -j 2 -i "$busybox" -i "$busybox" -S 'echo did not wait' <&7
    exec 7>&-
    expect_out $'did not wait\ndid not wait'
}

test_matrix_output_that_nobody_reads() {
    cp "$busybox" other.tar
    for form in live block prefix; do
        { "$mayfly" -q --output $form --junit x.xml --timeout 60s -i "$busybox" -i other.tar -S 'yes | head -c 1000000; true'; } | head -n 1 >/dev/null
        [[ ${PIPESTATUS[0]} =~ ^(0|141)$ ]] || fail "--output $form: ${PIPESTATUS[*]}"
    done
}

# --- downloads ------------------------------------------------------------------

test_matrix_downloads_into_a_place_of_each_image() {
    three_images
    runs "$mayfly" -q -j 2 -i "$three" -W /tmp -S 'cp /etc/alpine-release version' -D 'version:out/{image}/' -D 'version:{image}.txt'
    expect_same "$(cat "out/${names[0]}/version" "out/${names[1]}/version" "${names[2]}.txt")" $'3.18.9\n3.19.4\n3.20.3'
    # For one image as well, so that a file of options does for both.
    runs "$mayfly" -q -i "$busybox" -S 'echo 1 >/tmp/x' -D '/tmp/x:one/{image}'
    expect_same "$(cat one/busybox)" 1
    # Images whose names do not tell them apart.
    mkdir a b && cp "$busybox" a/x.tar && cp "$busybox" b/x.tar
    runs "$mayfly" -q -i a/x.tar -i b/x.tar -i a/x.tar -S 'echo 1 >/tmp/x' -D '/tmp/x:many/{image}'
    expect_same "$(ls many | tr '\n' ' ')" 'a-x a-x-2 b-x '
}

# --- reports --------------------------------------------------------------------

test_matrix_json() {
    cp "$busybox" other.tar
    run "$mayfly" -q --json r.json -i "$busybox" -i other.tar -i ./third.tar -W /tmp -S 'test $(ls -d /proc/1) = x' -S true
    expect_status 1
    expect_same "$(jq -c '[.version, .outcome, .exit_status, (.runs | length)]' r.json)" '[1,"failed",1,3]'
    expect_same "$(jq -c '[.runs[] | .outcome]' r.json)" '["failed","skipped","skipped"]'
    expect_same "$(jq -c '[.runs[0].actions[] | .outcome]' r.json)" '["ok","failed"]'
    runs "$mayfly" -q --json r.json -i "$busybox" -i other.tar -j 2 -S true
    expect_same "$(jq -c '[.outcome, (.runs[] | .image, .outcome)]' r.json)" "[\"ok\",\"$busybox\",\"ok\",\"other.tar\",\"ok\"]"
}

test_matrix_junit() {
    cp "$busybox" other.tar
    run "$mayfly" -q --keep-going --junit r.xml -i "$busybox" -i other.tar -i ./missing.tar -W /tmp \
        -S 'printf "a <b> & \"c\" \001\033[31mred\033[0m ]]> \377\n"; true' -S 'echo the reason >&2; exit 3' -S true
    expect_status 3
    expect_out $'a <b> & "c" \001\033[31mred\033[0m ]]> \377\na <b> & "c" \001\033[31mred\033[0m ]]> \377'
    python3 - r.xml <<'END' || fail "r.xml: $(cat r.xml)"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites" and root.get("tests") == "10", root.attrib
assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "1", "5"), root.attrib
suites = root.findall("testsuite")
assert [s.get("tests") for s in suites] == ["3", "3", "4"]
cases = suites[0].findall("testcase")
assert cases[1].get("name") == "[3/4] -S echo the reason >&2; exit 3", cases[1].attrib
failure = cases[1].find("failure")
assert failure.get("message") == "exit 3" and failure.text == "the reason\n", failure.text
assert cases[2].find("skipped") is not None and cases[0].find("failure") is None
assert "missing.tar" in suites[2].findall("testcase")[0].find("error").get("message")
END
    # A step's text with everything that XML does not allow, as the tail of a failure.
    run "$mayfly" -q --junit r.xml -i "$busybox" -S 'printf "a <b> & \"c\" \001\033[31mred\033[0m ]]> \377\n"; false'
    expect_status 1
    python3 -c 'import xml.etree.ElementTree as t
text = t.parse("r.xml").getroot().find("testsuite/testcase/failure").text
assert text == "a <b> & \"c\" \ufffdred ]]> \ufffd\n", repr(text)' || fail "r.xml: $(cat r.xml)"
}

# --- signals --------------------------------------------------------------------

# What two runs say at the same time is kept until it has been read.
make_fifos_for_two() {
    make_fifos
    exec 7<>"$TEST_DIR/told"
}

# matrix_signalled SIGNAL STATUS STEP
matrix_signalled() {
    make_fifos_for_two
    cp "$busybox" other.tar
    env --default-signal "$mayfly" -q -j 2 -i "$busybox" -i other.tar -i "$busybox" "${fifos[@]}" -S "$3" -S 'echo never' >out 2>err </dev/null &
    await ready
    await ready
    kill "-$1" $!
    [ -z "${4:-}" ] || { await caught; await caught; kill "-$1" $!; }
    ends_with "$2" $!
    ! grep -q never out || fail "went on after a signal"
}

test_matrix_ends_by_signals() {
    matrix_signalled INT 130 'echo ready >/told; sleep 1000'
    matrix_signalled TERM 143 'echo ready >/told; sleep 1000'
    matrix_signalled HUP 129 'trap "" HUP; echo ready >/told; sleep 1000'
}

test_matrix_ends_at_once_by_a_second_signal() {
    matrix_signalled INT 130 'trap "echo caught >/told" INT; echo ready >/told; while :; do sleep 0.1; done' twice
}

test_matrix_ends_by_ctrl_c() {
    cp "$busybox" other.tar
    tty 'expect:waiting' 'send:\x03' -- "$mayfly" -i "$busybox" -i other.tar -S 'echo waiting; sleep 1000' -S 'echo never'
    expect_status 130
    expect_same "$(grep -c 'waiting.$' "$TEST_DIR/out")" 1
    # With -j the runs are not in the foreground; mayfly itself gets it and hands it on.
    tty 'expect:| begun' 'expect:| begun' 'send:\x03' -- "$mayfly" --color never -j 2 --output prefix -i "$busybox" -i other.tar -S 'echo begun; sleep 1000' -S 'echo never'
    expect_status 130
    ! grep -q '| never' "$TEST_DIR/out" || fail "went on after Ctrl-C"
}

test_matrix_killed_ends_its_runs() {
    make_fifos_for_two
    cp "$busybox" other.tar
    # Nobody reads what they write any more, so they write nothing.
    "$mayfly" -q -j 2 -i "$busybox" -i other.tar "${fifos[@]}" -S 'exec 2>/dev/null; trap "echo caught >/told; exit" TERM; echo ready >/told; while :; do sleep 0.1; done' &
    await ready
    await ready
    kill -KILL $!
    await caught
    await caught
    wait $!
    # What they are doing last is waited for by the runner, which looks for processes.
    local pid
    for pid in $(grep -lsaF -- "$TEST_DIR/told:/told" /proc/[0-9]*/cmdline | sed 's/[^0-9]//g'); do
        tail --pid="$pid" -f /dev/null
    done
}

test_matrix_on_an_image_that_both_need() {
    # Unpacked once, though both need it at the same time.
    fresh_store
    runs "$mayfly" -q -j 2 -i "$busybox" -i "$busybox" -S 'echo $(($(ls / | wc -l) > 1))'
    expect_out $'1\n1'
    expect_same "$("$mayfly" images -q | wc -l)" 1
}
