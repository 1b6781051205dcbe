# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Remembered steps at work: real builds, and kills in the middle of them.

what_ran() { sed -En 's#^mayfly: \[([0-9]+)/[0-9]+\] -[SXU] .*  (ok|exit [0-9]*)  .*#\1#p' "$TEST_DIR/err" | xargs; }

# all_of DIRECTORY: names, types, modes, targets and bytes
all_of() { (cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2); }

# Five steps on a Debian image; each says in a kept directory that it ran, which is no part of a key.
test_remember_five_steps_on_debian() {
    only root subuid # a Debian as one owner's is 36 s of unpacking, and ids are no part of it
    needs_debian
    mkdir v
    printf 'int main(void) { return 0; }\n' >v/main.c
    echo notes >v/notes
    # five THIRD OPTION...: the steps with that third one
    five() {
        local third=$1
        shift
        run "$mayfly" -n none -r -k pids:/pids -i "$debian" -v "$PWD/v:/v:ro" -W /work "$@" \
            -S 'echo $$ >>/pids/1; dpkg --print-architecture >arch' -S 'echo $$ >>/pids/2; cp /v/main.c .' \
            -S "echo \$\$ >>/pids/3; $third" -S 'echo $$ >>/pids/4; ./main && chmod 4755 main' \
            -S 'echo $$ >>/pids/5; sha256sum main >sums'
        expect_status 0
    }
    pids() { "$mayfly" -q -n none -k pids:/pids:ro -i "$busybox" -S 'cat /pids/* | wc -l'; }
    five 'gcc -o main main.c'
    expect_same "$(what_ran)" "2 3 4 5 6"
    expect_same "$(pids)" 5
    # Nothing, also when a file was touched.
    touch v/main.c v/notes v
    five 'gcc -o main main.c'
    expect_same "$(what_ran)" ""
    # From where it matters, and no earlier: the third step's text.
    five 'gcc -O1 -o main main.c'
    expect_same "$(what_ran)" "4 5 6"
    expect_err 'step 4 runs: the command changed'
    expect_same "$(pids)" 8
    # A variable, a mode bit, one byte: each step may depend on them.
    five 'gcc -O1 -o main main.c' -e LEVEL=1
    expect_same "$(what_ran)" "2 3 4 5 6"
    expect_err 'the variable LEVEL changed'
    chmod g-r,o-r v/notes
    five 'gcc -O1 -o main main.c' -e LEVEL=1
    expect_same "$(what_ran)" "2 3 4 5 6"
    expect_err 'step 2 runs: notes changed'
    printf 'noteS\n' >v/notes
    five 'gcc -O1 -o main main.c' -e LEVEL=1
    expect_same "$(what_ran)" "2 3 4 5 6"
    expect_err 'step 2 runs: notes changed'
    expect_same "$(pids)" 23
    five 'gcc -O1 -o main main.c' -e LEVEL=1
    expect_same "$(what_ran)" ""
    expect_same "$(pids)" 23
}

# The same files with -r, without, and when all of it is remembered.
test_remember_builds_the_same_c_project() {
    only root # it takes its time, and ids are no part of it
    needs_debian
    not_sanitized "a build of a project"
    [ -e "$images/hello.tar.gz" ] || promised "no sources of GNU hello"
    local build=(-n none --hostname build -i "$debian" -W /src -U "$images/hello.tar.gz:/src/hello.tar.gz"
        -S 'tar --strip-components=1 -xf hello.tar.gz && rm hello.tar.gz'
        -S './configure --quiet --disable-nls --prefix=/opt/hello'
        -S 'make -s -j2' -S 'make -s install-exec && strip /opt/hello/bin/hello')
    mkdir plain first again
    runs "$mayfly" -q "${build[@]}" -S 'rm -f config.log' -D /src:plain/src -D /opt:plain/opt
    runs "$mayfly" -q -r "${build[@]}" -S 'rm -f config.log' -D /src:first/src -D /opt:first/opt
    runs "$mayfly" -r "${build[@]}" -S 'rm -f config.log' -D /src:again/src -D /opt:again/opt
    expect_same "$(what_ran)" ""
    all_of plain >plain.list
    all_of first >first.list
    all_of again >again.list
    grep -q 'opt/hello/bin/hello$' plain.list || fail "nothing was built"
    diff plain.list first.list || fail "with -r another result"
    diff first.list again.list || fail "from what is remembered another result"
    expect_same "$(first/opt/hello/bin/hello)" 'Hello, world!'
}

# Five steps that write, replace, rename and remove, and what they leave.
tangle=(-S 'mkdir -p /d/a/b; for i in 1 2 3 4 5 6 7 8; do echo $i >/d/a/$i; done'
    -S 'mv /d/a/1 /d/one; rm /d/a/2; echo new >/d/a/3; chmod 700 /d/a'
    -S 'rm -r /d/a/b; mkdir /d/a/b; cp /d/a/3 /d/a/b; echo v >/v/made; rm -f /v/f'
    -S 'ln -s one /d/link; cat /v/made >/d/v; ln /d/one /d/two'
    -S 'mkdir /d/c; cp -r /d/a /d/c; rm /d/a/4')

test_remember_killed_at_random_moments() {
    fresh_store
    RANDOM=${MAYFLY_SEED:-$$}
    echo "seed ${MAYFLY_SEED:-$$}"
    local crashes=${MAYFLY_CRASHES:-200} i killed=0 moment began usual left
    mkdir v
    echo host >v/f
    local run=("$mayfly" -n none -i "$busybox" -v "$PWD/v:/v:cow")
    runs "${run[@]}" -q "${tangle[@]}" -D /d:plain
    all_of plain >plain.list
    began=${EPOCHREALTIME/./}
    runs "${run[@]}" -q -r "${tangle[@]}" -D /d:first
    usual=$((${EPOCHREALTIME/./} - began))
    rm -r first
    for ((i = 0; killed < crashes && i < crashes * 10; i++)); do
        # The same steps under another variable are new ones; forgotten ones replace others.
        local what=(-e "N=$((RANDOM % (crashes / 4 + 1)))" "${tangle[@]}")
        [ $((RANDOM % 3)) != 0 ] || what=(-e N=0 --forget "${tangle[@]}")
        moment=$(((RANDOM * 32768 + RANDOM) % usual))
        if "$helpers/killer" $moment "${run[@]}" -q -r "${what[@]}" >/dev/null 2>&1; then
            killed=$((killed + 1))
            usual=$((usual * 51 / 50))
        else
            usual=$((usual * 9 / 10 + 500))
        fi
        # As whoever comes next, with the very same steps.
        if [ "${what[2]}" = --forget ]; then what=(-e N=0 "${tangle[@]}"); fi
        runs "${run[@]}" -q -r "${what[@]}" -D /d:again
        all_of again >again.list
        cmp -s plain.list again.list || fail "after a kill at $moment microseconds: $(diff plain.list again.list)"
        rm -r again
        left=$(store_leavings)
        [ -z "$left" ] || fail "after a kill at $moment microseconds: $left"
        # Reading all of it costs as much as a run.
        [ $((i % 10)) != 0 ] || runs "$mayfly" doctor --store
    done
    expect_same "$killed" "$crashes"
    runs "$mayfly" doctor --store
    runs "$mayfly" prune -af
    expect_same "$(find "$MAYFLY_STORE"/*/steps -mindepth 1 | wc -l)" 0
}
