# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Copying out and in.

test_download_a_file() {
    runs "$mayfly" -q -i "$busybox" -W /job -S 'echo content >out; chmod 640 out; touch -d "2001-02-03 04:05:06" out' -D out -D /job/out:renamed
    expect_same "$(cat out renamed)" $'content\ncontent'
    expect_same "$(stat -c '%a %u %Y' out)" "640 $(id -u) $(stat -c %Y renamed)"
    expect_same "$(TZ=UTC stat -c %y out | cut -c1-19)" '2001-02-03 04:05:06'
}

test_download_a_directory() {
    runs "$mayfly" -q -i "$busybox" -S 'mkdir -p /d/empty /d/sub; echo 1 >/d/f; echo 2 >/d/sub/g; ln -s f /d/link; ln -s nowhere /d/dangling
        chmod 750 /d/sub; chmod 4755 /d/f; touch -d "2001-02-03 04:05:06" /d/sub /d/f' -D /d
    expect_same "$(cd d && find . -printf '%p %y %l\n' | sort)" $'. d \n./dangling l nowhere\n./empty d \n./f f \n./link l f\n./sub d \n./sub/g f '
    expect_same "$(stat -c %a d/sub)" 750
    expect_same "$(TZ=UTC stat -c %y d/sub d/f | cut -c1-19 | uniq)" '2001-02-03 04:05:06'
    expect_same "$(find d ! -user "$(id -u)")" ''
}

test_download_belongs_to_whoever_ran_it() {
    only root subuid
    runs "$mayfly" -q -i "$busybox" -S 'mkdir /d; touch /d/f; chown -R app:staff /d; chmod 700 /d; chmod 600 /d/f' -D /d
    expect_same "$(stat -c %u:%g d d/f | uniq)" "$(id -u):$(id -g)"
}

test_names_of_every_kind() {
    local nl=$'new\nline'
    runs "$mayfly" -q -i "$busybox" -W /w -S 'for f in "a b" "$(printf "new\nline")" "c:d" -dash "e\\f" "*" "ü"; do echo "$f" >"./$f"; done' \
        -D 'a b' -D "$nl" -D 'c\:d' -D 'c\:d:g\:h' -D './-dash' -D 'e\\f' -D '*' -D 'ü'
    expect_same "$(cat 'a b')" 'a b'
    expect_same "$(cat "$nl")" "$nl"
    expect_same "$(cat c:d g:h)" $'c:d\nc:d'
    expect_same "$(cat ./-dash 'e\f' '*' ü)" $'-dash\ne\\f\n*\nü'
    runs "$mayfly" -q -i "$busybox" -W /w -U 'a b' -U "$nl" -U 'c\:d' -U 'c\:d:x\:y' -U ./-dash -U 'e\\f' -U '*' -U ü -S 'cat "a b" c:d x:y ./-dash "e\\f" "*" ü; find . -type f -print0 | tr -cd "\0" | wc -c'
    expect_out $'a b\nc:d\nc:d\n-dash\ne\\f\n*\nü\n8'
}

test_sparse_and_empty_files() {
    runs "$mayfly" -q -i "$busybox" -S ': >/empty; truncate -s 50M /sparse; echo end >>/sparse' -D /empty -D /sparse
    expect_same "$(stat -c %s empty sparse)" $'0\n52428804'
    [ "$(stat -c %b sparse)" -lt 2048 ] || fail "not sparse any more"
    runs "$mayfly" -q -i "$busybox" -U empty -U sparse -S 'stat -c %s empty sparse; test $(du -k sparse | cut -f1) -lt 1024; tail -c 4 sparse'
    expect_out $'0\n52428804\nend'
}

test_a_large_file_both_ways() {
    head -c 20000000 /dev/urandom >big
    runs "$mayfly" -q -i "$busybox" -U big -D big:copy
    cmp big copy || fail "they differ"
}

test_upload_a_file_and_a_directory() {
    mkdir -p d/sub d/empty
    echo 1 >d/f
    echo 2 >d/sub/g
    ln -s f d/link
    chmod 640 d/f
    chmod 710 d/sub
    touch -d '2001-02-03 04:05:06' d/f d/sub
    runs "$mayfly" -q -i "$busybox" -W /w -U d -U d/f:/etc/deep/er/f -S 'find d | sort; readlink d/link; cat d/sub/g /etc/deep/er/f; stat -c "%a %u:%g" d/f d/sub; TZ=UTC stat -c %y d/f d/sub | cut -c1-19'
    expect_out $'d\nd/empty\nd/f\nd/link\nd/sub\nd/sub/g\nf\n2\n1\n640 0:0\n710 0:0\n2001-02-03 04:05:06\n2001-02-03 04:05:06'
}

test_there_and_back_is_the_same() {
    mkdir -p tree/a/b 'tree/with space'
    seq 1000 >tree/a/numbers
    : >tree/empty
    ln -s a/numbers tree/link
    ln -s /etc/passwd tree/absolute
    chmod 600 tree/empty
    touch -d '1999-12-31 23:59:59.25' tree/a/b tree/empty
    touch -h -d '1998-01-01' tree/link
    runs "$mayfly" -q -i "$busybox" -U tree:/tmp/tree -D /tmp/tree:back
    expect_same "$(cd back && find . ! -name . -printf '%p %y %m %s %T@ %l\n' | grep -v '^[^ ]* d' | sort)" \
        "$(cd tree && find . ! -name . -printf '%p %y %m %s %T@ %l\n' | grep -v '^[^ ]* d' | sort)"
    expect_same "$(cd back && find . -type d -printf '%p %m %T@\n' | sort)" "$(cd tree && find . -type d -printf '%p %m %T@\n' | sort)"
}

test_download_into_a_directory_that_exists() {
    mkdir -p into
    runs "$mayfly" -q -i "$busybox" -S 'echo x >/f; mkdir /d; echo y >/d/g' -D /f:into/ -D /d:into/
    expect_same "$(cd into && find . -type f | sort)" $'./d/g\n./f'
}

test_download_replaces_a_file() {
    echo old >out
    ln -s out keep
    runs "$mayfly" -q -i "$busybox" -S 'echo new >/out' -D /out
    expect_same "$(cat out)" new
}

test_download_through_links_stays_in_the_container() {
    echo "the host's" >secret
    mkdir dir
    echo "the host's" >dir/first
    runs "$mayfly" -q -i "$busybox" -S "ln -s /etc /absolute; ln -s ../../../../../../../etc /relative; ln -s / /etc/up" \
        -D /absolute/first:1 -D /relative/first:2 -D /absolute/up/etc/first:3 -D /../../../etc/first:4
    expect_same "$(sort -u 1 2 3 4)" 'from the first layer'
    run "$mayfly" -q -i "$busybox" -S "mkdir -p ${PWD%/*}; ln -s $PWD/dir /d; ln -s $PWD/secret /s" -D /d/first:5
    expect_complaint 125
    [ ! -e 5 ] || fail "a file of the host came"
    run "$mayfly" -q -i "$busybox" -S "ln -s $PWD/secret /s" -D /s:6
    [ ! -e 6 ] || [ -L 6 ] || fail "a file of the host came"
}

test_download_through_proc_stays_in_the_container() {
    run "$mayfly" -q -i "$busybox" -S true -D "/proc/1/root$PWD:x"
    expect_status 125
    run "$mayfly" -q -i "$busybox" -S 'ln -s /proc/self/root /r; ln -s /proc/self/cwd /c' -D "/r$PWD:x"
    expect_status 125
    run "$mayfly" -q -i "$busybox" -S 'ln -s /proc/self/exe /e' -D "/e:x"
    if [ ! -L x ] && cmp -s x "$mayfly"; then
        fail "mayfly's own program came"
    fi
}

test_upload_through_links_stays_in_the_container() {
    mkdir dir
    echo in >file
    runs "$mayfly" -q -i "$busybox" -S "mkdir -p $PWD/dir; ln -s $PWD/dir /d; ln -s ../../../../../../../../../..$PWD/dir /e" \
        -U file:/d/x -U file:/e/y -S "cd $PWD/dir && cat x y"
    expect_out $'in\nin'
    expect_same "$(ls -A dir)" ''
}

test_a_download_that_is_not_there() {
    run "$mayfly" -q -i "$busybox" -S true -D /no/such/file
    expect_complaint 125 /no/such/file
}

test_an_upload_that_is_not_there() {
    run "$mayfly" -q -i "$busybox" -U no-such-file -S 'echo never'
    expect_complaint 125 no-such-file
    expect_out ''
}

test_a_download_to_where_nothing_can_be_written() {
    mkdir dir
    run "$mayfly" -q -i "$busybox" -S 'echo x >/f' -D /f:no/such/dir/f
    [ "$status" = 125 ] || [ -e no/such/dir/f ] || fail "neither refused nor copied"
    run "$mayfly" -q -i "$busybox" -S 'echo x >/f' -D /f:/proc/mayfly
    expect_complaint 125 /proc/mayfly
}

test_sockets_and_fifos_do_not_block() {
    run "$mayfly" -q -i "$busybox" -S 'mkdir /d; mkfifo /d/fifo; echo x >/d/f' -D /d
    expect_same "$(cat d/f)" x
    mkfifo local
    run "$mayfly" -q -i "$busybox" -U local -S true
    [ "$status" = 0 ] || [ "$status" = 125 ] || fail "expected 0 or 125"
}

test_hard_links_in_a_tree() {
    runs "$mayfly" -q -i "$busybox" -S 'mkdir /d; echo x >/d/a; ln /d/a /d/b' -D /d
    expect_same "$(cat d/a d/b)" $'x\nx'
}

test_download_what_a_process_is_changing() {
    # Somebody inside turns a directory into a link to the host's and back all the time.
    mkdir -p host/inner
    echo "the host's" >host/inner/file
    run "$mayfly" -q -i "$busybox" -S "mkdir -p /t/inner; echo container >/t/inner/file
        (while :; do mv /t/inner /t/away; ln -s $PWD/host/inner /t/inner; rm /t/inner; mv /t/away /t/inner; done) >/dev/null 2>&1 &" \
        -D /t/inner/file:1 -D /t:2 -D /t/inner:3 -D /t:4 -D /t:5
    # A link that came as a link may point anywhere; what is looked at is files.
    expect_same "$(find 1 2 3 4 5 -type f -exec grep -l "the host's" {} + 2>/dev/null)" ''
    [ "$status" = 0 ] || expect_complaint 125
}
