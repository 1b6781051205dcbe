# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# --watch: again after each change.

# watches OPTION...: mayfly in the background, its standard error readable as 9
watches() {
    mkfifo messages
    exec 9<>messages
    env --default-signal "$mayfly" -i "$busybox" "$@" >out 2>messages </dev/null &
    pid=$!
}
# says REGEX: waits for a message
says() {
    local line
    while read -rt 60 -u 9 line; do
        echo "$line" >>said
        [[ ! $line =~ $1 ]] || return 0
    done
    fail "expected a message: $1; came: $(cat said)"
}
waits() { says 'watching for changes'; }
stops() {
    kill -INT $pid
    ends_with 130 $pid
    exec 9>&-
}

test_watch_runs_again_after_a_change() {
    mkdir -p src/deep
    echo 1 >src/deep/file
    watches -v ./src:/src:ro --watch src -S 'cat /src/deep/file'
    waits
    echo 2 >src/deep/file
    says 'changed: src/deep/file'
    waits
    # As editors save: a new file takes the name.
    echo 3 >src/deep/.file.tmp
    mv src/deep/.file.tmp src/deep/file
    waits
    mkdir -p src/new/below && echo 4 >src/new/below/file
    waits
    echo 5 >src/new/below/file
    says 'changed: src/new/below/file'
    waits
    stops
    expect_same "$(tr '\n' ' ' <out)" '1 2 3 3 3 '
}

test_watch_of_one_file_and_several_paths() {
    mkdir a b
    echo 1 >a/file
    echo 1 >a/other
    watches --watch a/file b -v ./a:/a:ro -S 'cat /a/file'
    waits
    echo 2 >a/other
    echo 2 >a/new && mv a/new a/file
    says 'changed: a/file$'
    waits
    : >b/any
    says 'changed: b/any'
    waits
    stops
    expect_same "$(tr '\n' ' ' <out)" '1 2 2 '
}

test_watch_leaves_alone_what_the_run_writes() {
    mkdir -p all/src all/results
    echo 1 >all/src/in
    # Downloads into what is watched, a report there, and files made in a volume.
    watches -v ./all/src:/src --watch all --json all/run.json -W /tmp -S 'date +%s%N >now; date +%s%N >/src/new; mkdir -p /src/obj; date >/src/obj/x' -D now:all/ -D now:all/results/ -D 'now:all/out/{image}/copy'
    waits
    echo 2 >all/src/in
    says 'changed: all/src/in$'
    waits
    touch all/end
    says 'changed: all/end$'
    waits
    stops
    [ -s all/now ] && [ -s all/results/now ] && [ -s all/out/busybox/copy ] || fail "no downloads"
    expect_same "$(grep -c 'watching for changes' said)" 3
}

test_watch_settles_when_a_run_rewrites_what_was_there() {
    mkdir src
    echo 1 >src/generated
    watches -v ./src:/src --watch src -S 'date +%s%N >/src/generated; echo run'
    # Who wrote it cannot be known: once more, then it is the run's.
    says 'changed: src/generated'
    waits
    stops
    expect_same "$(tr '\n' ' ' <out)" 'run run '
}

test_watch_sees_what_changes_while_a_run_lasts() {
    mkdir src
    echo 1 >src/file
    make_fifos
    watches "${fifos[@]}" -v ./src:/src --watch src -S 'cat /src/file; echo ready >/told; read x </go'
    await ready
    echo 2 >src/file
    let_go
    says 'changed: src/file'
    await ready
    let_go
    waits
    stops
    expect_same "$(tr '\n' ' ' <out)" '1 2 '
}

test_watch_goes_on_after_a_failure() {
    echo 1 >file
    watches --watch file -v ./file:/file -U file:/tmp/file -S 'read x </tmp/file; exit $x' -S 'echo all'
    says 'exit 1'
    waits
    echo 0 >file
    waits
    stops
    expect_same "$(cat out)" all
}

test_watch_starts_at_the_step_that_the_change_touches() {
    fresh_store
    echo 1 >a
    echo 1 >b
    watches -r --watch a b -S 'echo first' -U a:/tmp/a -S 'cat /tmp/a >/tmp/c' -U b:/tmp/b -S 'cat /tmp/c /tmp/b'
    waits
    : >said
    echo 2 >b
    waits
    grep -q '\[3/5\] .* remembered ' said || fail "step 3 ran: $(cat said)"
    grep -q '\[5/5\] .* ok ' said || fail "step 5 did not run: $(cat said)"
    : >said
    echo 2 >a
    waits
    grep -q '\[1/5\] .* remembered ' said || fail "step 1 ran: $(cat said)"
    grep -q '\[3/5\] .* ok ' said || fail "step 3 did not run: $(cat said)"
    stops
    expect_same "$(tail -n 2 out | tr '\n' ' ')" '2 2 '
}

test_watch_ends_while_a_run_lasts() {
    make_fifos
    watches "${fifos[@]}" --watch . -S 'echo ready >/told; sleep 1000'
    await ready
    stops
}

test_watch_ends_by_ctrl_c_on_a_terminal() {
    mkdir src
    tty 'expect:watching' 'send:\x03' -- "$mayfly" -i "$busybox" --watch src -S 'echo hello'
    expect_status 130
    tty 'expect:busy' 'send:\x03' -- "$mayfly" -i "$busybox" --watch src -S 'echo busy; sleep 1000'
    expect_status 130
    tty 'expect:watching' 'resize:30x90' 'send:\x03' -- "$mayfly" -i "$busybox" --watch src -S 'echo hello'
    expect_status 130
}

test_watch_of_a_matrix() {
    cp "$busybox" other.tar
    mkdir src
    watches -i other.tar -j 2 --watch src -v ./src:/src:ro -S 'cat /src/x 2>/dev/null; true'
    waits
    echo 1 >src/x
    says 'changed: src/x'
    waits
    stops
    expect_same "$(tr '\n' ' ' <out)" '1 1 '
}

test_watch_of_what_is_not_there() {
    run "$mayfly" -i "$busybox" --watch missing -S true
    expect_complaint 125 '--watch missing: No such file'
    mkdir gone
    watches --watch gone -S true
    waits
    rmdir gone
    ends_with 125 $pid
    says 'all that was watched is gone'
}
