# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Options and actions from a file.

test_file_of_options() {
    cat >build.mayfly <<END
# What a build takes.

image $busybox
-q
env GREETING=hello  world
  workdir /tmp
-S echo "\$GREETING" # this is the shell's
shellcmd echo one && \\
    echo two
-X /bin/busybox echo 'a  b' "c" d\\ e
exec /bin/busybox echo last ;
END
    runs "$mayfly" -f build.mayfly
    expect_out $'hello  world\none\ntwo\na  b c d e\nlast'
    expect_silence
    runs "$mayfly" --file=build.mayfly -S pwd
    expect_out $'hello  world\none\ntwo\na  b c d e\nlast\n/tmp'
    runs "$mayfly" -f - -S pwd <build.mayfly
    expect_out $'hello  world\none\ntwo\na  b c d e\nlast\n/tmp'
}

test_file_with_what_the_command_line_says_on_top() {
    printf 'image ./nothing.tar\nenv A=file\nenv B=file\nnet host\n-S echo $A $B\n' >f
    runs "$mayfly" -q -f f -i "$busybox" -e A=line -n none -S 'echo more'
    expect_out $'line file\nmore'
    runs "$mayfly" -q -i "$busybox" -f f
    expect_out 'file file'
}

test_file_that_is_a_program() {
    cat >greet <<END
#!/usr/bin/env -S $mayfly -f
image $busybox
quiet
-S echo "hello \$1 of \$#"; echo "\$0" | grep -c greet
-S cat
END
    chmod +x greet
    echo input | run ./greet world 'and more'
    expect_status 0
    expect_out $'hello world of 2\n1\ninput'
    run ./greet --debug -- -S </dev/null
    expect_status 0
    expect_out $'hello -S of 1\n1'
    run "$mayfly" -i "$busybox" stray
    expect_complaint 2 "'stray' is no option"
}

test_file_with_paths_from_where_it_is() {
    mkdir -p there/sub elsewhere
    cp "$busybox" there/sub/small.tar
    echo content >there/data
    cat >there/sub/f <<'END'
image small.tar
volume ../data:/data:ro
upload ../data:/tmp/up
-W /tmp
-S cat /data up; echo made >made
download made
download made:../renamed
json report.json
END
    cd elsewhere || exit
    runs "$mayfly" -q -f ../there/sub/f -D /tmp/made:mine
    expect_out $'content\ncontent'
    expect_same "$(cat ../there/sub/made ../there/renamed mine)" $'made\nmade\nmade'
    [ -s ../there/sub/report.json ] || fail "no report beside the file"
    cd ../there/sub && runs "$mayfly" -q -f f
    expect_out $'content\ncontent'
}

test_file_that_names_another() {
    mkdir common
    echo "image ./box.tar" >common/image
    cp "$busybox" common/box.tar
    printf 'file common/image\n-S echo it\n' >f
    runs "$mayfly" -q -f f
    expect_out it
    echo 'file f' >f
    run "$mayfly" -f f
    expect_complaint 2 'f:1: .*10 deep'
}

test_file_of_a_matrix() {
    cp "$busybox" a.tar
    cp "$busybox" b.tar
    printf 'image {a,b}.tar\nimage \\{c\\}.tar\njobs 2\n-S echo x >/tmp/x\ndownload /tmp/x:out/{image}\n' >f
    cp "$busybox" '{c}.tar'
    runs "$mayfly" -q -f f
    expect_same "$(ls out | tr '\n' ' ')" 'a b c '
}

test_file_complaints() {
    run "$mayfly" -f missing
    expect_complaint 2 '-f missing: No such file'
    printf '# a\n\nimage %s\nshelcmd true\n' "$busybox" >f
    run "$mayfly" -f f
    expect_complaint 2 'f:4: unknown option .--shelcmd.; did you mean .--shellcmd.'
    printf -- '-S true\nread-only yes\n' >f
    run "$mayfly" -f f
    expect_complaint 2 'f:2: .yes. is too much'
    printf -- '-S true \\\n  && true\nworkdir\n' >f
    run "$mayfly" -f f
    expect_complaint 2 "f:3: option '--workdir' needs an argument"
    printf -- "-X echo 'open\n" >f
    run "$mayfly" -f f
    expect_complaint 2 'f:1: a quote is opened'
    printf 'image a\0b\n' >f
    run "$mayfly" -f f
    expect_complaint 2 'f: it is no text'
    printf 'volume /a:b\n' >f
    run "$mayfly" -f f
    expect_complaint 2 'f:1: .*-v'
    run "$mayfly" -f .
    expect_complaint 2 '-f \.: .*directory'
}

# --- the README's Makefile --------------------------------------------------------

test_makefile_of_the_readme() {
    needs_debian
    fresh_store
    sed -n '/^```make$/,/^```$/p' "$scratch/README.md" | sed '1d;$d' >Makefile
    grep -q 'hello-build' Makefile || fail "no Makefile in the README"
    printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >hello.c
    local with=(MAYFLY="$mayfly" BASE="$debian" NET=none SETUP='gcc --version')
    runs make -s "${with[@]}" hello
    expect_same "$(./hello)" hello
    "$mayfly" images -q hello-build | grep -q . || fail "no image hello-build"
    local age
    age=$(stat -c %y .build-image)
    runs make -s "${with[@]}" check
    expect_out hello
    expect_same "$(stat -c %y .build-image)" "$age"
    echo 'int main(void) { return 3; }' >hello.c
    run make -s "${with[@]}" check
    expect_status 2
    # The host's directory is as it was, but for what was asked for.
    expect_same "$(ls -A | tr '\n' ' ')" '.build-image Makefile hello hello.c '
}
