# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Containers that live longer than a command.

test_run_in_the_foreground() {
    fresh_store
    runs "$mayfly" run --rm "$busybox" sh -c 'echo out; echo err >&2'
    expect_out out
    expect_err '^err$'
    run "$mayfly" run --rm "$busybox" sh -c 'exit 37'
    expect_status 37
    printf 'a\nb\n' | run "$mayfly" run -i --rm "$busybox" sh -c 'while read x; do echo "<$x>"; done'
    expect_out $'<a>\n<b>'
    run "$mayfly" run --rm "$busybox" no-such-program
    expect_complaint 127 'no program no-such-program'
    run "$mayfly" run --rm no-such-image.tar true
    expect_complaint 125 'no-such-image.tar'
    run "$mayfly" run --rm "$busybox" sh -c 'kill -9 $$'
    expect_status 137
    [ -z "$(ls -A "$MAYFLY_STORE"/*/containers "$MAYFLY_STORE"/*/names | grep -v ':$' | tr -d '\n')" ] || fail "left in the store"
}

test_a_life_from_run_to_rm() {
    fresh_store
    runs "$mayfly" run -d --name one -e A=b -w /srv "$busybox" sh -c 'echo "$A" >f; exec sleep 1000'
    [[ $(cat "$TEST_DIR/out") =~ ^[0-9a-f]{64}$ ]] || fail "no id"
    local id supervisor
    id=$(cat "$TEST_DIR/out")
    runs "$mayfly" exec one cat f
    expect_out b
    runs "$mayfly" exec "${id:0:12}" pwd
    expect_out /srv
    run "$mayfly" exec -e X=y -w /tmp "$id" sh -c 'echo "$X$A" "$PWD"; exit 5'
    expect_out 'yb /tmp'
    expect_status 5
    printf 'through\n' | run "$mayfly" exec -i one cat
    expect_out through
    run "$mayfly" exec one nothing-such
    expect_complaint 127 'no program nothing-such'
    run "$mayfly" rm one
    expect_complaint 125 'one is running' 'rm -f'
    run "$mayfly" run -d --name one "$busybox" true
    expect_complaint 125 'name one is taken'
    supervisor=$(kept_state one supervisor)
    runs "$mayfly" stop -t 0 one
    expect_out one
    until_true dead "$supervisor"
    expect_same "$(kept_state one status)" exited
    # What it has changed is still there.
    runs "$mayfly" start one
    runs "$mayfly" exec one cat /srv/f
    expect_out b
    runs "$mayfly" rename one two
    run "$mayfly" exec one true
    expect_complaint 125 "no container 'one'"
    runs "$mayfly" container kill two
    runs "$mayfly" wait two
    expect_out 137
    runs "$mayfly" rm two
    expect_same "$(find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1)" ''
}

test_a_killed_supervisor_takes_its_container_along() {
    fresh_store
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    local supervisor init
    supervisor=$(kept_state it supervisor) init=$(kept_state it pid)
    kill -9 "$supervisor"
    until_true dead "$init"
    run "$mayfly" exec it true
    expect_complaint 125 'it is not running'
    expect_same "$(kept_state it status)" exited
    expect_same "$(kept_state it exit-code)" 137
    [[ $(kept_state it reason) == *'supervisor was killed'* ]] || fail "no reason"
    runs "$mayfly" start it
    runs "$mayfly" exec it true
    runs "$mayfly" rm -f it
}

# runs_inside WORD: a program of container "it" has it as its last argument
runs_inside() { "$mayfly" exec it sh -c 'cat /proc/[0-9]*/cmdline' | tr '\0' ' ' | grep -q "sleep $1 "; }
test_a_killed_client_takes_its_program_along() {
    fresh_store
    make_fifos
    runs "$mayfly" run -d --name it "${fifos[@]}" "$busybox" sleep 1000
    "$mayfly" exec it sh -c 'echo ready >/told; exec sleep 2000' &
    await ready
    until_true runs_inside 2000
    kill -9 $!
    until_true eval '! runs_inside 2000'
    runs "$mayfly" exec -d it sleep 3000
    until_true runs_inside 3000
    runs "$mayfly" rm -f it
}

test_signals_by_every_name() {
    fresh_store
    make_fifos
    runs "$mayfly" run -d --name it "${fifos[@]}" "$busybox" sh -c \
        'trap "echo usr1 >/told" USR1; trap "echo hup >/told" HUP; echo ready >/told; while :; do sleep 0.05; done'
    await ready
    runs "$mayfly" kill -s USR1 it
    await usr1
    runs "$mayfly" kill -s SIGHUP it
    await hup
    runs "$mayfly" kill -s 10 it
    await usr1
    run "$mayfly" kill -s NOSUCH it
    expect_complaint 2 "'NOSUCH' is no signal"
    runs "$mayfly" kill it
    runs "$mayfly" wait it
    expect_out 137
    runs "$mayfly" rm it
}

test_stop_asks_before_it_kills() {
    fresh_store
    make_fifos
    runs "$mayfly" run -d --name it --stop-signal INT "${fifos[@]}" "$busybox" sh -c \
        'trap "exit 9" INT; echo ready >/told; while :; do sleep 0.05; done'
    await ready
    runs "$mayfly" stop it
    expect_same "$(kept_state it exit-code)" 9
    runs "$mayfly" rm it
}

test_restarts() {
    fresh_store
    runs "$mayfly" run -d --name it --restart on-failure:2 "$busybox" sh -c 'echo x >>/runs; exit 3'
    runs "$mayfly" wait it
    expect_out 3
    expect_same "$(kept_state it restarts)" 2
    runs "$mayfly" rm it
    runs "$mayfly" run -d --name it --restart always "$busybox" sh -c 'exit 0'
    until_true eval '[ "$(kept_state it restarts)" -ge 2 ]'
    runs "$mayfly" stop it
    runs "$mayfly" rm it
}

test_the_owners_end_is_the_containers() {
    fresh_store
    local supervisor
    bash -c '"$1" run -d --rm --lifetime owner --name it "$2" sleep 1000; cp "$(find "$MAYFLY_STORE"/*/containers/*/state)" state' - "$mayfly" "$busybox"
    supervisor=$(sed -n 's/^supervisor //p' state)
    until_true dead "$supervisor"
    run "$mayfly" exec it true
    expect_status 125
}

test_attach_and_the_keys_that_detach() {
    fresh_store
    runs "$mayfly" run -dit --name it "$busybox" sh
    tty 'send:echo $((6*7))\r' 'expect:42' 'send:\x10\x11' -- "$mayfly" attach it
    expect_status 0
    runs "$mayfly" exec it true
    tty 'send:exit 4\r' -- "$mayfly" attach it
    expect_status 4
    runs "$mayfly" rm it
}

test_files_of_ids_and_pids() {
    fresh_store
    runs "$mayfly" run -d --name it --cidfile cid --pidfile pid "$busybox" sleep 1000
    expect_same "$(cat cid)" "$(cat "$TEST_DIR/out")"
    expect_same "$(cat pid)" "$(kept_state it pid)"
    run "$mayfly" run -d --cidfile cid "$busybox" true
    expect_complaint 125 'cid' 'exists'
    runs "$mayfly" rm -f it
}

test_commit_and_top() {
    fresh_store
    runs "$mayfly" run -d --name it "$busybox" sh -c 'echo made >/file; exec sleep 1000'
    until_true "$mayfly" exec it test -e /file
    runs "$mayfly" top it
    grep -q 'sleep 1000' "$TEST_DIR/out" || fail "not in the list"
    runs "$mayfly" commit it mine:1
    runs "$mayfly" exec it cat /file
    expect_out made
    runs "$mayfly" rm -f it
    runs "$mayfly" run --rm mine:1 cat /file
    expect_out made
    run "$mayfly" commit it mine:2
    expect_complaint 125 "no container 'it'"
}

# As docker and podman do: the image starts what the container does, changed by lines of a Dockerfile.
test_commit_says_how_the_image_starts() {
    fresh_store
    runs "$mayfly" import "$busybox" box:1
    runs "$mayfly" run --name it -e A=1 -w /tmp -l x=y box:1 sh -c 'pwd; echo "$A"'
    expect_out $'/tmp\n1'
    runs "$mayfly" commit -a me -m 'what it is' it same:1
    runs "$mayfly" run --rm same:1
    expect_out $'/tmp\n1'
    runs "$mayfly" history --format '{{.CreatedBy}}|{{.Comment}}' same:1
    expect_same "$(head -n 1 "$TEST_DIR/out")" 'sh -c pwd; echo "$A"|what it is'
    runs "$mayfly" commit -c 'CMD ["echo", "a  b"]' -c 'ENV B=2 C="x y"' --change 'env D x y' -c 'EXPOSE 80 53/udp' \
        -c 'LABEL q=r' -c 'WORKDIR sub' -c 'VOLUME ["/data"]' -c 'STOPSIGNAL INT' it other:1
    runs "$mayfly" run --rm other:1
    expect_out 'a  b'
    runs "$mayfly" run --rm other:1 sh -c 'pwd; echo "$A $B $C $D"'
    expect_out $'/tmp/sub\n1 2 x y x y'
    runs "$mayfly" image inspect -f '{{json .Config.ExposedPorts}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Config.StopSignal}}' other:1
    expect_out '{"80/tcp":{},"53/udp":{}} {"x":"y","q":"r"} {"/data":{}} INT'
    # The image's program is shown as the container's.
    runs "$mayfly" create --name again other:1
    runs "$mayfly" ps -a --filter name=again --format '{{.Command}}'
    expect_out 'echo a  b'
    runs "$mayfly" inspect -f '{{json .Config.Cmd}}' again
    expect_out '["echo","a  b"]'
    # A shell's line, and a program in place of the other with its words.
    runs "$mayfly" commit -c 'ENTRYPOINT echo from a shell' it third:1
    runs "$mayfly" run --rm third:1
    expect_out 'from a shell'
    run "$mayfly" commit -c 'FROM box' it
    expect_complaint 125 "'FROM box'" 'WORKDIR'
    run "$mayfly" commit -c 'CMD ["a"' it
    expect_complaint 125 'CMD \["a"'
    run "$mayfly" commit -c 'EXPOSE http' it
    expect_complaint 125 "'http'"
    runs "$mayfly" rm it again
    expect_same "$("$mayfly" images -q | wc -l)" 4
}

test_restart() {
    fresh_store
    runs "$mayfly" run -d --name it "$busybox" sh -c 'trap "exit 0" TERM; echo up >>/ups; while :; do sleep 0.1; done'
    until_true "$mayfly" exec it test -e /ups
    local pid
    pid=$(kept_state it pid)
    runs "$mayfly" restart -t 60 it
    expect_out it
    [ "$(kept_state it pid)" != "$pid" ] || fail "it is the same"
    until_true eval '[ "$("$mayfly" exec it grep -c up /ups)" = 2 ]'
    runs "$mayfly" stop -t 0 it
    # One that does not run is started.
    runs "$mayfly" restart it
    until_true eval '[ "$("$mayfly" exec it grep -c up /ups)" = 3 ]'
    runs "$mayfly" rm -f it
    runs "$mayfly" run -d --rm --name passing "$busybox" sleep 1000
    run "$mayfly" restart passing
    expect_complaint 125 'passing' '--rm'
    runs "$mayfly" exec passing true
    runs "$mayfly" rm -f passing
    run "$mayfly" restart passing
    expect_complaint 125 "no container 'passing'"
}

# Whoever comes second finds it running, and waits neither for its end nor for nothing.
test_starts_at_once_of_one_container() {
    fresh_store
    local i pids=() ids
    runs "$mayfly" create --name it "$busybox" sleep 100000
    for i in 1 2 3 4 5 6 7 8; do
        "$mayfly" start it >/dev/null &
        pids+=($!)
    done
    for i in "${pids[@]}"; do ends_with 0 "$i"; done
    runs "$mayfly" exec it true
    pids=()
    for i in 1 2 3 4 5 6; do
        "$mayfly" restart -t 0 it >/dev/null &
        pids+=($!)
    done
    for i in "${pids[@]}"; do ends_with 0 "$i"; done
    runs "$mayfly" exec it true
    # Removed while others start it; what they then have to say is that it is not there.
    pids=() ids=()
    for i in 1 2 3 4; do
        "$mayfly" restart -t 0 it >/dev/null 2>&1 &
        pids+=($!)
        "$mayfly" rm -f it >/dev/null &
        ids+=($!)
    done
    for i in "${ids[@]}"; do ends_with 0 "$i"; done
    for i in "${pids[@]}"; do wait "$i"; done
    runs "$mayfly" rm -f it
    expect_same "$(find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1)" ''
}

test_pause_and_unpause() {
    fresh_store
    mkfifo -m 666 ticks
    runs "$mayfly" run -d --name it -v "$PWD/ticks:/ticks" "$busybox" sh -c 'while :; do echo tick; done >/ticks'
    exec 7<>ticks
    local tick
    read -rt 60 tick <&7
    run "$mayfly" pause it
    if [ "$status" != 0 ] && [ "$mode" != root ]; then
        # No cgroup that this user may use.
        expect_complaint 125 'no cgroup of its own' '--pids'
        runs "$mayfly" rm -f it
        return
    fi
    expect_status 0
    runs "$mayfly" ps
    grep -q 'Paused' "$TEST_DIR/out" || fail "ps does not say so"
    # What is in the pipe is all that comes.
    dd if=ticks of=/dev/null bs=1M count=1 iflag=nonblock 2>/dev/null
    ! read -rt 0.1 tick <&7 || ! read -rt 0.1 tick <&7 || ! read -rt 0.1 tick <&7 || fail "it goes on"
    runs "$mayfly" unpause it
    read -rt 60 tick <&7 || fail "it does not go on"
    runs "$mayfly" rm -f it
}

test_programs_of_another_user_and_on_a_terminal() {
    fresh_store
    only root subuid
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    runs "$mayfly" exec -u 1000:1000 it id -u
    expect_out 1000
    tty 'send:exit 6\r' -- "$mayfly" exec -it it sh
    expect_status 6
    tty 'expect:# ' 'send:\x10\x11' -- "$mayfly" exec -it it sh
    expect_status 0
    runs "$mayfly" exec -t it tty
    grep -q /dev/ "$TEST_DIR/out" || fail "no terminal"
    runs "$mayfly" rm -f it
}

# namespaces_of OPTION...: those that a program of container "it" is in
namespaces_of() { "$mayfly" exec "$@" it sh -c 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup'; }
test_privileged_programs() {
    fresh_store
    make_fifos
    runs "$mayfly" run -d --name it -e A=b "${fifos[@]}" "$busybox" sleep 1000
    run "$mayfly" exec it mount -t tmpfs none /tmp
    expect_status 1
    # All that there is, as the kernel counts capabilities.
    runs "$mayfly" exec --privileged it sh -c 'grep -E "^(CapEff|CapBnd|Seccomp):" /proc/self/status'
    local all
    all=$(printf %016x $(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1)))
    expect_out "CapEff:	$all
CapBnd:	$all
Seccomp:	0"
    runs "$mayfly" exec --privileged it mount -t tmpfs none /tmp
    runs "$mayfly" exec it sh -c 'mount | grep -c " /tmp "'
    expect_out 1
    # It is where the others are, limits included.
    expect_same "$(namespaces_of --privileged)" "$(namespaces_of)"
    run "$mayfly" exec --privileged -e C=d -w /etc it sh -c 'echo "$A$C $PWD"; exit 5'
    expect_out 'bd /etc'
    expect_status 5
    printf 'through\n' | run "$mayfly" exec -i --privileged it cat
    expect_out through
    tty 'send:tty; exit 6\r' 'expect:/dev/pts' -- "$mayfly" exec -it --privileged it sh
    expect_status 6
    run "$mayfly" exec --privileged it no-such-program
    expect_complaint 127 'no program no-such-program'
    # With its caller it ends, unless it is detached.
    "$mayfly" exec --privileged it sh -c 'sleep 4000 & echo ready >/told; exec sleep 2000' &
    await ready
    until_true runs_inside 4000
    kill -9 $!
    until_true eval '! runs_inside 2000 && ! runs_inside 4000'
    runs "$mayfly" exec -d --privileged it sleep 3000
    until_true runs_inside 3000
    runs "$mayfly" stop -t 0 it
    run "$mayfly" exec --privileged it true
    expect_complaint 125 'it is not running'
    runs "$mayfly" rm it
}

# What was left goes on, and does not wait for anybody to read what it shows.
test_programs_that_are_left() {
    fresh_store
    make_fifos
    local option
    for option in -it --privileged; do
        runs "$mayfly" run -d --name it "${fifos[@]}" "$busybox" sleep 1000
        tty 'expect:ready' 'send:\x10\x11' -- "$mayfly" exec -it "$option" it \
            sh -c 'echo ready; read x </go; yes | head -n 100000; [ -t 0 ] && [ -t 1 ] && echo done >/told; exec sleep 9000'
        expect_status 0
        let_go
        await 'done'
        until_true runs_inside 9000
        runs "$mayfly" rm -f it
    done
}

test_supervisors_hear_their_own_user_alone() {
    only root
    [ -x /usr/bin/python3 ] || promised "no python3"
    fresh_store
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    # As if the store had been opened to everybody: the connection ends without a word.
    exec 9<"$(kept it .)"
    chmod 711 "/proc/$BASHPID/fd/9/." && chmod 777 "$(kept it socket)"
    runs setpriv --reuid 4711 --regid 4711 --clear-groups /usr/bin/python3 -c '
import socket
caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
caller.settimeout(20)
caller.connect("/proc/self/fd/9/socket")
print(len(caller.recv(100)))'
    expect_out 0
    exec 9<&-
    runs "$mayfly" exec it true
    runs "$mayfly" rm -f it
}

test_after_the_machine_went_down() {
    fresh_store
    local state
    runs "$mayfly" run -d --name it -e A=b "$busybox" sh -c 'echo run >>/runs; exec sleep 1000'
    until_true "$mayfly" exec it test -e /runs
    runs "$mayfly" exec it sh -c 'echo kept >/file'
    state=$(kept it state)
    local init
    init=$(kept_state it pid)
    kill -9 "$(kept_state it supervisor)"
    until_true dead "$init"
    # After a boot its numbers are other processes'.
    sed -i "s/^pid .*/pid $$/; s/^supervisor .*/supervisor $PPID/" "$state"
    runs "$mayfly" ps -a --format '{{.Names}} {{.State}} {{.Status}}'
    grep -q '^it exited Exited (137)' "$TEST_DIR/out" || fail "not shown as exited"
    runs "$mayfly" inspect --format '{{.State.Running}} {{.State.Pid}} {{.State.Error}}' it
    grep -q '^false 0 .*machine went down' "$TEST_DIR/out" || fail "why is not said"
    runs "$mayfly" start it
    runs "$mayfly" exec it sh -c 'cat /file; echo "$A"'
    expect_out $'kept\nb'
    until_true eval '[ "$("$mayfly" exec it cat /runs)" = "run
run" ]'
    runs "$mayfly" rm -f it
}

test_containers_outlive_their_terminal() {
    fresh_store
    # Put into the background on a terminal that ends, and left in the foreground of one.
    tty -- sh -c '"$1" run -d --name one "$2" sleep 1000' - "$mayfly" "$busybox"
    expect_status 0
    tty 'expect:# ' 'send:echo on-$((6*7))\r' 'expect:on-42' hangup -- "$mayfly" run -it --name two "$busybox" sh
    runs "$mayfly" exec one true
    runs "$mayfly" exec two true
    runs "$mayfly" ps -q
    expect_same "$(grep -c . "$TEST_DIR/out")" 2
    # Whoever comes back finds it as it was.
    tty 'send:exit 4\r' -- "$mayfly" attach two
    expect_status 4
    runs "$mayfly" rm -f one two
}
