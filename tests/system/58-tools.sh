# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
#
# What programs of other people's do with containers: Ansible's connection to podman, and the lives
# that tasks and servers have in chroot_tasker and plurality (its server is in 45-nat.sh).

test_ansible_by_its_podman_connection() {
    command -v ansible-playbook >/dev/null || promised "no ansible"
    not_sanitized "many programs of the host's"
    fresh_store
    # The machine's own root has the python3 that Ansible wants; its /root is not everybody's.
    runs "$mayfly" run -d --name target --net none --tmpfs /root host: sleep 100000
    runs "$mayfly" exec target sh -c 'mkdir -p /srv/a && printf "one\ntwo\n" >/srv/a/lines'
    echo copied >source
    cat >play.yml <<-'END'
	- hosts: all
	  gather_facts: false
	  tasks:
	    - ping:
	    - command: cat /srv/a/lines
	      register: said
	    - assert: {that: "said.stdout_lines == ['one', 'two']"}
	    - command: sh -c "exit 3"
	      register: failed
	      failed_when: failed.rc != 3
	    - copy: {src: source, dest: /srv/a/copy, mode: "0640"}
	    - lineinfile: {path: /srv/a/lines, regexp: "^two", line: three}
	    - fetch: {src: /srv/a/lines, dest: fetched, flat: true}
	END
    export HOME=$TEST_DIR ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_RETRY_FILES_ENABLED=false ANSIBLE_FORKS=1
    runs ansible-playbook -i target, -c containers.podman.podman -e "ansible_podman_executable=$mayfly" \
        -e ansible_python_interpreter=/usr/bin/python3 play.yml
    grep -Eq 'ok=7 +changed=[0-9] +unreachable=0 +failed=0' "$TEST_DIR/out" || fail "not all of it was done"
    expect_same "$(cat fetched)" $'one\nthree'
    runs "$mayfly" exec target sh -c 'cat /srv/a/copy; stat -c %a /srv/a/copy; cat /srv/a/lines'
    expect_out $'copied\n640\none\nthree'
    runs "$mayfly" rm -f target
}

# serve DIRECTORY: over http, on a port of loopback that is in $port
serve() {
    mkfifo -m 600 port
    python3 -c '
import functools, http.server, os, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
with open("port", "w") as file:
    file.write(f"{server.server_port}\n")
server.serve_forever()' "$1" 2>/dev/null &
    server=$!
    read -r port <port
}

test_chroot_taskers_life_of_a_task() {
    local server port id
    fresh_store
    make_fifos
    ip link set lo up 2>/dev/null
    mkdir www && cp "$busybox" www/task.tar
    serve www
    runs "$mayfly" run -d --net none --health-cmd 'test -e /tmp/well' --health-interval 1s "${fifos[@]}" \
        "http://127.0.0.1:$port/task.tar" sh -c 'trap "echo interrupted; echo bye >&2; read x </go; exit 3" INT
            echo to stdout; echo to stderr >&2; echo ready >/told; while :; do sleep 0.05; done'
    id=$(cat "$TEST_DIR/out")
    [[ $id =~ ^[0-9a-f]{64}$ ]] || fail "no id"
    await ready
    runs "$mayfly" inspect --format '{{.State.Health.Status}}' "$id"
    grep -Eq '^(starting|unhealthy)$' "$TEST_DIR/out" || fail "healthy before its time"
    runs "$mayfly" exec "$id" touch /tmp/well
    runs "$mayfly" wait --condition healthy "$id"
    runs "$mayfly" ps -q --no-trunc
    expect_out "$id"
    "$mayfly" logs -f "$id" >logged.out 2>logged.err &
    local logs=$!
    runs "$mayfly" kill -s SIGINT "$id"
    until_true grep -q interrupted logged.out
    until_true grep -q bye logged.err
    let_go
    runs "$mayfly" wait "$id"
    expect_out 3
    ends_with 0 $logs
    expect_same "$(cat logged.out)" $'to stdout\ninterrupted'
    expect_same "$(cat logged.err)" $'to stderr\nbye'
    runs "$mayfly" rm "$id"
    expect_same "$(find "$MAYFLY_STORE"/*/{containers,names,runs} -mindepth 1)" ''
    kill "$server"
    wait "$server" 2>/dev/null || true
}
