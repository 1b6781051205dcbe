# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Remembered steps: -r, and what a second run does not do.

# The numbers of the steps that were executed, and of those that were not.
what_ran() { sed -En 's#^mayfly: \[([0-9]+)/[0-9]+\] -[SXU] .*  (ok|exit [0-9]+)  .*#\1#p' "$TEST_DIR/err" | xargs; }
remembered() { sed -En 's#^mayfly: \[([0-9]+)/[0-9]+\] .*  remembered  .*#\1#p' "$TEST_DIR/err" | xargs; }
expect_ran() { [ "$(what_ran)" = "$1" ] || fail "expected to run: $1; ran: $(what_ran)"; }

remember() { "$mayfly" -r -k pids:/pids "$@"; }
# Each step says in a kept directory that it ran, which is no part of any key.
pids() { "$mayfly" -q -k pids:/pids -i "$busybox" -S 'cat /pids/*' | wc -l; }
chain=(-S 'echo $$ >>/pids/1; echo one >/1' -W /work -S 'echo $$ >>/pids/2; cat /1 >2'
    -X /bin/sh -c 'echo $$ >>/pids/3; cp 2 3' ';' -S 'echo $$ >>/pids/4; ln -s 3 4' -S 'echo $$ >>/pids/5; rm 2')

test_remember_a_second_run_executes_nothing() {
    fresh_store
    runs remember -i "$busybox" "${chain[@]}" -D /work:first
    expect_ran "1 3 4 5 6"
    expect_same "$(pids)" 5
    runs remember -i "$busybox" "${chain[@]}" -D /work:second
    expect_ran ""
    expect_same "$(remembered)" "1 3 4 5 6"
    expect_same "$(pids)" 5
    expect_same "$(fingerprint second)" "$(fingerprint first)"
    expect_same "$(cat second/3)" one
}

test_remember_a_change_runs_from_where_it_matters() {
    fresh_store
    mkdir v
    echo a >v/a
    echo b >v/b
    local run=(remember -i "$busybox" -v "$PWD/v:/v:ro")
    runs "${run[@]}" -S 'echo 1' -S 'echo 2' -S 'echo 3' -S 'echo 4'
    expect_ran "1 2 3 4"
    # The third step's text.
    runs "${run[@]}" -S 'echo 1' -S 'echo 2' -S 'echo three' -S 'echo 4'
    expect_ran "3 4"
    expect_err 'step 3 runs: the command changed'
    # And back: what there was is still known.
    runs "${run[@]}" -S 'echo 1' -S 'echo 2' -S 'echo 3' -S 'echo 4'
    expect_ran ""
    # A variable, a mount, a host name, a workdir.
    runs "${run[@]}" -e X=1 -S 'echo 1' -S 'echo 2'
    expect_ran "1 2"
    expect_err 'the variable X changed'
    runs "${run[@]}" --tmpfs /t -S 'echo 1'
    expect_ran "1"
    runs "${run[@]}" --hostname other -S 'echo 1'
    expect_ran "1"
    runs "${run[@]}" -W /w -S 'echo 1'
    expect_ran "2"
    # A mode bit; one byte; a new file; each told by its name.
    chmod 600 v/a
    runs "${run[@]}" -S 'echo 1'
    expect_ran "1"
    expect_err 'step 1 runs: a changed'
    printf 'B\n' >v/b
    runs "${run[@]}" -S 'echo 1'
    expect_ran "1"
    expect_err 'step 1 runs: b changed'
    echo c >v/c
    runs "${run[@]}" -S 'echo 1'
    expect_err 'step 1 runs: c is new'
    # Touching is no change, nor is another name for the container.
    touch v/a v/b v
    runs "${run[@]}" --name another -S 'echo 1'
    expect_ran ""
    # Another image.
    runs remember -i "docker-archive:$images/busybox-docker.tar" -v "$PWD/v:/v:ro" -S 'echo 1'
    expect_ran "1"
}

test_remember_what_is_uploaded_counts() {
    fresh_store
    mkdir u
    echo one >u/f
    runs remember -i "$busybox" -S true -U u:/u -S 'cat /u/f'
    expect_ran "1 2 3"
    expect_out one
    touch u/f
    runs remember -i "$busybox" -S true -U u:/u -S 'cat /u/f'
    expect_ran ""
    expect_out one
    echo two >u/f
    runs remember -i "$busybox" -S true -U u:/u -S 'cat /u/f'
    expect_ran "2 3"
    expect_err 'step 2 runs: f changed'
    expect_out two
    run "$mayfly" -r -i "$busybox" -U missing:/u
    expect_complaint 125 'missing' 'no such file'
    run "$mayfly" -r -i "$busybox" -v "$PWD/missing:/v" -S true
    expect_complaint 125 'missing' 'make it first'
}

test_remember_output_is_shown_again() {
    fresh_store
    local run=(remember -i "$busybox" -S 'echo out; echo err >&2; printf end' -S 'yes | head -c 300000')
    runs "${run[@]}"
    expect_err '^err$'
    cp "$TEST_DIR/out" first
    expect_same "$(stat -c %s first)" 300007
    runs "${run[@]}"
    expect_ran ""
    cmp first "$TEST_DIR/out" || fail "another output"
    expect_err '^err$'
    # Whoever reads no further is no hindrance.
    runs sh -c '"$@" | head -n 1' - "$mayfly" -q -r -i "$busybox" -S 'yes | head -c 300000; :' -S 'echo on >/on'
    runs "$mayfly" -q --json report -r -i "$busybox" -S 'echo a'
    runs "$mayfly" -q --json report -r -i "$busybox" -S 'echo a'
    grep -q '"remembered": *true' report || fail "$(cat report)"
}

test_remember_nothing_else_comes_into_a_step() {
    fresh_store
    echo secret | run "$mayfly" -q -r -i "$busybox" -S 'cat; hostname; tty || true'
    expect_out $'mayfly\nnot a tty'
    # Without it, standard input is the step's.
    echo secret | run "$mayfly" -q -r -i "$busybox" --no-remember -S cat
    expect_out secret
}

test_remember_a_failed_step_resumes_after_the_fix() {
    fresh_store
    run remember -i "$busybox" -S 'echo 1 >/1' -S 'echo 2 >/2; exit 3' -S 'cat /1'
    expect_status 3
    expect_ran "1 2"
    run remember -i "$busybox" -S 'echo 1 >/1' -S 'echo 2 >/2; exit 3' -S 'cat /1'
    expect_status 3
    expect_ran "2"
    runs remember -i "$busybox" -S 'echo 1 >/1' -S 'echo 2 >/2' -S 'cat /1'
    expect_ran "2 3"
    expect_out 1
}

test_remember_not_and_forget() {
    fresh_store
    local run=(remember -i "$busybox" -S 'echo 1')
    # Fingertip's transient last step.
    runs "${run[@]}" -S 'echo 2' --no-remember -S 'echo 3'
    runs "${run[@]}" -S 'echo 2' --no-remember -S 'echo 3'
    expect_ran "3"
    runs "${run[@]}" --no-remember -S 'echo 2' -S 'echo 3'
    expect_ran "2 3"
    runs "${run[@]}" -S 'echo 2' -S 'echo 3'
    expect_ran "3"
    runs "${run[@]}" --forget -S 'echo 2' -S 'echo 3'
    expect_ran "2 3"
    expect_err 'step 2 runs: --forget'
    runs "${run[@]}" -S 'echo 2' -S 'echo 3'
    expect_ran ""
    run "$mayfly" -r -i "$busybox" -S true --forget
    expect_complaint 2 'forget' 'before the step'
    run "$mayfly" -i "$busybox" --forget -S true
    expect_complaint 2 'forget' '-r'
    runs "$mayfly" -r -i "$busybox" --remember-for 1ms -S 'echo short'
    runs "$mayfly" -r -i "$busybox" --remember-for 1ms -S 'echo short'
    expect_ran "1"
    expect_err 'it had expired'
}

test_remember_copy_on_write_volumes() {
    fresh_store
    mkdir src
    echo one >src/f
    local run=(remember -i "$busybox" -v "$PWD/src:/src:cow" -v "$PWD/src/f:/file:cow" -W /src
        -S 'echo two >g; rm f; echo more >>/file' -S 'ls; cat g /file' -S 'cat g >h')
    runs "${run[@]}" -D /src:first
    expect_ran "2 3 4"
    expect_out $'g\ntwo\none\nmore'
    runs "${run[@]}" -D /src:second
    expect_ran ""
    expect_same "$(cat second/h)" two
    expect_same "$(ls second)" "$(ls first)"
    expect_same "$(cat src/f)" one
    echo changed >src/f
    runs "${run[@]}"
    expect_ran "2 3 4"
    expect_out $'g\ntwo\nchanged\nmore'
}

test_remember_a_step_that_changes_a_volume_is_not_skipped() {
    fresh_store
    mkdir v
    local run=(remember -i "$busybox" -v "$PWD/v:/v" -S 'echo a >/a' -S 'cmp -s /a /v/made || cat /a >/v/made' -S 'cat /v/made')
    runs "${run[@]}"
    expect_ran "1 2 3"
    expect_err 'step 2 and what follows are not remembered: .*/v changed'
    # Removed on the host: it is made again.
    rm v/made
    runs "${run[@]}"
    expect_ran "2 3"
    expect_same "$(cat v/made)" a
    expect_out a
    # It changes nothing any more: then it may be skipped.
    runs "${run[@]}"
    expect_ran "1 2 3"
    runs "${run[@]}"
    expect_ran ""
    expect_out a
}

test_remember_not_what_cannot_be_known() {
    fresh_store
    mkfifo fifo
    runs remember -i "$busybox" -v "$PWD/fifo:/fifo" -S 'echo x' -S 'echo y'
    runs remember -i "$busybox" -v "$PWD/fifo:/fifo" -S 'echo x' -S 'echo y'
    expect_ran "1 2"
    expect_err '-r: the steps are not remembered: .*fifo'
    runs "$mayfly" -r -i host: -S 'echo x'
    expect_err 'not remembered: host:'
}

test_remember_on_a_directory_as_an_image() {
    fresh_store
    mkdir image
    tar -C image --no-same-owner -xf "$busybox"
    echo one >image/word
    runs remember -i "$PWD/image" -S 'cat /word >/w' -S 'cat /w'
    runs remember -i "$PWD/image" -S 'cat /word >/w' -S 'cat /w'
    expect_ran ""
    expect_out one
    echo two >image/word
    runs remember -i "$PWD/image" -S 'cat /word >/w' -S 'cat /w'
    expect_ran "1 2"
    expect_err 'the image changed'
    expect_out two
}

test_remember_eight_at_once_execute_each_step_once() {
    fresh_store
    runs "$mayfly" -q -i "$busybox" -S true
    local i all=()
    for i in 1 2 3 4 5 6 7 8; do
        remember -q -i "$busybox" -S 'echo x >>/pids/1; cat /proc/sys/kernel/random/uuid >/1' -S 'echo x >>/pids/2; cat /1 >/2' \
            -S 'echo x >>/pids/3' -S 'echo x >>/pids/4' -S 'echo x >>/pids/5; cat /1 /2' >"out.$i" &
        all+=($!)
    done
    for i in "${all[@]}"; do
        ends_with 0 "$i"
    done
    expect_same "$(wc -l <out.1)" 2
    for i in 2 3 4 5 6 7 8; do
        cmp out.1 "out.$i" || fail "run $i was given another result"
    done
    for i in 1 2 3 4 5; do
        expect_same "$("$mayfly" -q -k pids:/pids -i "$busybox" -S "cat /pids/$i" | wc -l)" 1
    done
}

test_remember_kept_directories_locked_and_private() {
    fresh_store
    make_fifos
    "$mayfly" -q -i "$busybox" -k c:/c:locked "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    local first=$!
    await ready
    # Whoever waits can be stopped.
    run "$mayfly" --timeout 200ms -i "$busybox" -k c:/c:locked -S true
    expect_status 124
    # A private one is another.
    runs "$mayfly" -i "$busybox" -k c:/c:private -S 'echo x >/c/other'
    "$mayfly" -i "$busybox" -k c:/c:locked -S 'echo second >/c/f' 2>err &
    local second=$!
    let_go
    ends_with 0 $first
    ends_with 0 $second
    runs "$mayfly" -q -i "$busybox" -k c:/c:ro -S 'ls /c; touch /c/x 2>/dev/null || echo ro'
    expect_out $'f\nro'
}

test_remember_kept_directories_belong_to_the_steps_user() {
    fresh_store
    runs "$mayfly" -q -i "$busybox" -u app -k c:/var/c -S 'echo x >/var/c/f; stat -c %U /var/c/f'
    expect_out "$([ "$mode" = single ] && echo root || echo app)"
    runs "$mayfly" -q -i "$busybox" -u app -k c:/elsewhere -S 'cat /elsewhere/f; echo y >/elsewhere/f'
    expect_out x
    run "$mayfly" -i "$busybox" -k 'no/name:/c' -S true
    expect_complaint 2 "'no/name' is not a name"
    run "$mayfly" -i "$busybox" -k 'c:/c:often' -S true
    expect_complaint 2 "'often'" 'ro, locked or private'
    [ "$mode" != subuid ] || unshare --map-root-user --map-auto rm -rf "$MAYFLY_STORE"
}

test_remember_an_image_is_made_of_steps() {
    fresh_store
    runs "$mayfly" -i "$busybox" -S 'mkdir /d; echo a >/d/a; rm /bin/cal; chmod 700 /srv' -C made:1 -S 'cat /d/a; echo later >/later' -C made:2
    runs "$mayfly" -q -i made:1 -S 'cat /d/a; ls /later /bin/cal 2>&1 | wc -l; stat -c %a /srv'
    expect_out $'a\n2\n700'
    runs "$mayfly" -q -i made:2 -S 'cat /later'
    expect_out later
    # With remembered steps: the same image, and no step runs for it again.
    runs remember -i "$busybox" -S 'mkdir /d; echo a >/d/a' -S 'rm /bin/cal; echo b >/d/b' -C many -S 'cat /d/a'
    runs remember -i "$busybox" -S 'mkdir /d; echo a >/d/a' -S 'rm /bin/cal; echo b >/d/b' -C many:again -S 'cat /d/a'
    expect_ran ""
    runs "$mayfly" images -q many
    expect_same "$(sort -u "$TEST_DIR/out" | wc -l)" 1
    runs "$mayfly" -q -i many:again -S 'cat /d/a /d/b; ls /bin/cal 2>&1 | wc -l'
    expect_out $'a\nb\n1'
    # It can be carried elsewhere.
    runs "$mayfly" save -o many.tar many
    export MAYFLY_STORE=$TEST_DIR/other
    runs "$mayfly" -q -i docker-archive:many.tar -S 'cat /d/b; ls /bin/cal 2>&1 | wc -l'
    expect_out $'b\n1'
}

test_remember_a_commit_goes_on_with_what_there_was() {
    fresh_store
    mkdir v
    echo host >v/f
    runs "$mayfly" -q -i "$busybox" -v "$PWD/v:/v:cow" -W /w -S 'echo x >x; echo y >/v/y' -C one -S 'pwd; cat x /v/y; echo z >/v/z' -W deep -C two -S 'pwd; ls /v'
    expect_out $'/w\nx\ny\n/w/deep\nf\ny\nz'
    runs "$mayfly" -q -i two -S 'ls -d /w/deep; ls /v'
    expect_out '/w/deep'
    mkdir image
    tar -C image --no-same-owner -xf "$busybox"
    run "$mayfly" -i "$PWD/image" -C name
    expect_complaint 125 '-C name' 'mayfly import'
}

# More steps than an overlay takes layers.
test_remember_a_long_chain() {
    fresh_store
    local i many=()
    for ((i = 0; i < 210; i++)); do
        many+=(-S "mkdir -p /d/$((i % 7)); echo $i >/d/$((i % 7))/$i; rm -f /d/$(((i + 3) % 7))/$((i - 4))")
    done
    runs "$mayfly" -q -n none -r -i "$busybox" "${many[@]}" -D /d:remembered
    runs "$mayfly" -q -n none -i "$busybox" "${many[@]}" -D /d:plain
    diff -r plain remembered || fail "another result"
    expect_same "$(find plain -type f | wc -l)" 4
    runs "$mayfly" -n none -r -i "$busybox" "${many[@]}" -D /d:again
    expect_ran ""
    diff -r plain again || fail "another result"
}

# What is on disk after a power cut is less than what was kept.
test_remember_after_another_boot() {
    only root
    fresh_store
    local run=(remember -n none -i "$busybox" -S 'head -c 100000 /dev/zero >/f; echo x >/g' -S 'cat /g')
    later() { # later BOOT: as after a restart
        echo "$1" >boot
        # shellcheck disable=SC2016
        unshare -m sh -c 'mount --bind boot /proc/sys/kernel/random/boot_id && shift && exec "$@"' - - "$mayfly" -r "${run[@]:1}" -k pids:/pids
    }
    runs "${run[@]}"
    run later one
    expect_status 0
    expect_ran ""
    expect_out x
    # The second step's key is below the first one's: whichever has the large file is damaged.
    local file
    file=$(find "$MAYFLY_STORE/root/steps" -path '*/tree/f')
    truncate -s 50000 "$file"
    truncate -s 100000 "$file"
    touch -d @1 "$file"
    run later two
    expect_err 'step 1 runs: its files are not what was kept'
    runs "${run[@]}"
    expect_ran "1 2"
    # Half a record, half an output.
    for file in "$MAYFLY_STORE"/root/steps/*/output; do
        truncate -s 1 "$file"
    done
    runs "${run[@]}"
    expect_ran "2"
    for file in "$MAYFLY_STORE"/root/steps/*/record; do
        truncate -s -1 "$file"
    done
    runs "${run[@]}"
    expect_ran "1 2"
}

test_remember_steps_are_listed_and_pruned() {
    fresh_store
    mkdir v
    echo one >v/main.c
    local run=(remember -i "$busybox" -v "$PWD/v:/v:ro" -S 'head -c 300000 /dev/zero >/f; echo x >/pids/p' -S 'cat /v/main.c >/g')
    runs "${run[@]}"
    echo two >v/main.c
    runs "${run[@]}"
    runs "$mayfly" -r -i "$busybox" --remember-for 1ms -S 'echo short'
    runs "$mayfly" steps
    expect_same "$(grep -c 'main.c changed$' "$TEST_DIR/out")" 1
    expect_same "$(grep -c ' new$' "$TEST_DIR/out")" 2
    expect_same "$(grep -c 'step 1 before it ran$' "$TEST_DIR/out")" 2
    grep -q '  1     head -c 300000 /dev/zero.*  3[0-9][0-9]kB .* 6 days ' "$TEST_DIR/out" || fail "size and age"
    grep -Eq '^pids .*(kB|B)  ' "$TEST_DIR/out" || fail "no kept directory"
    runs "$mayfly" steps -q
    expect_same "$(wc -l <"$TEST_DIR/out")" 5
    # What has expired goes, and no more.
    runs "$mayfly" prune -f
    expect_same "$(grep -c '^Forgotten step: ' "$TEST_DIR/out")" 1
    runs "${run[@]}"
    expect_ran ""
    # What a run has stays.
    "$mayfly" -q -n none -r -k pids:/pids -i "$busybox" -S 'echo held' --no-remember -S 'echo ready >/pids/told; while ! [ -e /pids/go ]; do sleep 0.1; done' &
    local held=$!
    until [ -n "$("$mayfly" -q -n none -i "$busybox" -k pids:/pids:ro -S 'cat /pids/told 2>/dev/null || :')" ]; do :; done
    runs "$mayfly" prune -af
    grep -q '^Total reclaimed space: [0-9.]*kB' "$TEST_DIR/out" || fail "nothing freed"
    runs "$mayfly" steps -q
    expect_same "$(wc -l <"$TEST_DIR/out")" 1
    "$mayfly" -q -n none -i "$busybox" -k pids:/pids -S 'touch /pids/go'
    ends_with 0 $held
    runs "$mayfly" prune -af
    expect_same "$(grep -c '^Forgotten step\|^Deleted kept directory: pids' "$TEST_DIR/out")" 2
    expect_same "$("$mayfly" steps | wc -l)" 1
    expect_same "$(find "$MAYFLY_STORE"/*/inputs "$MAYFLY_STORE"/*/keep -mindepth 1 | wc -l)" 0
}
