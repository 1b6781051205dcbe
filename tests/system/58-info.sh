# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Containers, images, networks and the host, looked at: stats, info, inspect,
# templates; and the removal of containers that have ended.

image_named() { "$mayfly" import "$busybox" "$1" >/dev/null || fail "no image $1"; }

stats_where_there_is_a_cgroup() {
    runs "$mayfly" run -d --name busy --pids 50 "$busybox" sleep 1000
    runs "$mayfly" stats --no-stream busy
    grep -q '^CONTAINER ID  NAME  *CPU %' "$TEST_DIR/out" || fail "no heading"
    grep -Eq '^[0-9a-f]{12}  busy .* [1-9][0-9]*$' "$TEST_DIR/out" || fail "no processes counted"
    runs "$mayfly" stats --no-stream --format '{{.Name}} {{.PIDs}} {{.ID}}'
    grep -Eq '^busy [1-9][0-9]* [0-9a-f]{12}$' "$TEST_DIR/out" || fail "no line for it"
    runs "$mayfly" stats --no-stream --format json
    grep -q '"Name":"busy"' "$TEST_DIR/out" || fail "not in the JSON"
    # Until it is told to end: two lists at least, and where they go to nobody reads any more.
    : >lists
    "$mayfly" stats -i 0.05 --format '{{.Name}}' >lists &
    until [ "$(wc -l <lists)" -ge 2 ]; do sleep 0.01; done
    kill $!
    wait $! || :
    # It is the same container under another name.
    runs "$mayfly" rename busy idle
    runs "$mayfly" stats --no-stream --format '{{.Name}}' idle
    expect_out idle
    runs "$mayfly" stop -t 0 idle
    run "$mayfly" stats --no-stream idle
    expect_complaint 125 'idle is not running'
    run "$mayfly" stats --interval 0
    expect_complaint 2 'interval 0'
    runs "$mayfly" rm idle
}
# What a host counts differs: where a container has no cgroup, one line says so.
test_stats_of_what_a_container_uses() {
    fresh_store
    # The limit is what makes a group, where this host lets this user have one.
    if ! "$mayfly" -q -i "$busybox" --pids 50 -S true 2>/dev/null; then
        runs "$mayfly" run -d --name busy "$busybox" sleep 1000
        run "$mayfly" stats --no-stream busy
        expect_complaint 125 'busy has no cgroup' 'mayfly doctor'
        runs "$mayfly" rm -f busy
        return
    fi
    stats_where_there_is_a_cgroup
}

test_info_of_host_and_store() {
    fresh_store
    image_named box:1
    runs "$mayfly" create --name one box:1 true
    runs "$mayfly" info
    grep -q '^  graphRoot: ' "$TEST_DIR/out" || fail "where the store is is missing"
    runs "$mayfly" info -f '{{.Store.GraphRoot}} {{.Containers}} {{.ContainersRunning}} {{.Images}}'
    expect_out "$("$mayfly" info --format '{{.DockerRootDir}}') 1 0 1"
    runs "$mayfly" info --format '{{.Host.Security.Rootless}} {{.OSType}} {{.ServerVersion}}'
    local rootless=true
    [ "$mode" != root ] || rootless=false
    expect_out "$rootless linux $("$mayfly" version | cut -d ' ' -f 2)"
    runs "$mayfly" info --format json
    grep -q '"ContainersStopped":1' "$TEST_DIR/out" || fail "not the number of containers"
    runs "$mayfly" system info -f '{{.Containers}}'
    expect_out 1
    run "$mayfly" system df
    expect_complaint 2 "'system df'" 'info or prune'
    run "$mayfly" info --format '{{.Nothing}}'
    expect_complaint 125 "no field 'Nothing'"
    runs "$mayfly" rm one
}

test_version_by_templates() {
    local version
    version=$("$mayfly" --version | cut -d ' ' -f 2)
    runs "$mayfly" version
    expect_out "mayfly $version"
    runs "$mayfly" version --format '{{.Client.Version}} {{.Server.Version}} {{.Server.Os}}'
    expect_out "$version $version linux"
    runs "$mayfly" version --format '{{.Version}}'
    expect_out "$version"
    runs "$mayfly" version -f json
    grep -q "\"Client\":{\"Version\":\"$version\"" "$TEST_DIR/out" || fail "not as JSON"
    run "$mayfly" version now
    expect_complaint 2 "'now'"
    run "$mayfly" version -f '{{.Nothing}}'
    expect_complaint 125 "no field 'Nothing'"
}

test_prune_of_containers_that_have_ended() {
    fresh_store
    local id
    runs "$mayfly" create --name never -l tier=one "$busybox" true
    runs "$mayfly" run --name ended -l tier=two "$busybox" true
    runs "$mayfly" run -d --name lives "$busybox" sleep 1000
    # Nothing goes unless it was said.
    run "$mayfly" container prune </dev/null
    expect_status 1
    runs "$mayfly" ps -aq
    expect_same "$(wc -l <"$TEST_DIR/out")" 3
    runs "$mayfly" container prune -f --filter until=1h
    expect_out ''
    runs "$mayfly" container prune -f --filter label=tier=three
    expect_out ''
    id=$("$mayfly" inspect -f '{{.Id}}' ended)
    runs "$mayfly" container prune -f --filter label!=tier=one
    expect_out "$id"
    echo y | run "$mayfly" container prune
    expect_status 0
    runs "$mayfly" ps -a --format '{{.Names}}'
    expect_out lives
    run "$mayfly" container prune -f --filter colour=red
    expect_complaint 2 'colour=red'
    runs "$mayfly" rm -f lives
}

test_inspect_of_images_and_networks() {
    fresh_store
    image_named box:1
    runs "$mayfly" create --name box "$busybox" true
    # The name is a container's first.
    runs "$mayfly" inspect -f '{{.State.Status}}' box
    expect_out created
    runs "$mayfly" inspect --type image -f '{{index .RepoTags 0}} {{.Os}} {{.Size}}' box:1
    grep -Eq '^box:1 linux [1-9][0-9]+$' "$TEST_DIR/out" || fail "not the image"
    runs "$mayfly" image inspect box:1
    grep -q '"Config":{"User":"",' "$TEST_DIR/out" || fail "no configuration"
    runs "$mayfly" inspect -f '{{.Driver}} {{.Internal}}' bridge
    expect_out 'bridge true'
    runs "$mayfly" network inspect -f '{{.Name}}' none
    expect_out none
    run "$mayfly" inspect nothing
    expect_complaint 125 "no container, image or network 'nothing'"
    expect_out '[]'
    run "$mayfly" inspect --type image box
    expect_status 125
    run "$mayfly" inspect --type volume box
    expect_complaint 2 "'volume'" 'container, image, network'
    runs "$mayfly" rm box
}

test_inspect_of_an_address_and_a_program() {
    fresh_store
    local address
    runs "$mayfly" run -d --name it "$busybox" sleep 1000
    address=$("$mayfly" exec it ip -4 -o addr show dev eth0 | sed 's/.* inet \([0-9.]*\).*/\1/')
    [ -n "$address" ] || fail "it has no address"
    runs "$mayfly" inspect -f '{{.NetworkSettings.IPAddress}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' it
    expect_out "$address $address"
    runs "$mayfly" inspect -f '{{.Path}} {{json .Args}} {{.HostConfig.Memory}} <{{.NetworkSettings.Gateway}}>' it
    expect_out 'sleep ["1000"] 0 <>'
    runs "$mayfly" stop -t 0 it
    runs "$mayfly" inspect -f '<{{.NetworkSettings.IPAddress}}>' it
    expect_out '<>'
    runs "$mayfly" rm it
    runs "$mayfly" run -d -n host --name it "$busybox" sleep 1000
    runs "$mayfly" inspect -f '<{{.NetworkSettings.IPAddress}}> {{.HostConfig.NetworkMode}}' it
    expect_out '<> host'
    runs "$mayfly" rm -f it
}

test_images_and_ps_by_templates() {
    fresh_store
    image_named box:1
    runs "$mayfly" images --format '{{.Repository}}:{{.Tag}}'
    expect_out box:1
    runs "$mayfly" images --format 'table {{.Repository}}\t{{.ID}}\t{{.CreatedAt}}'
    expect_same "$(head -n 1 "$TEST_DIR/out")" 'REPOSITORY  IMAGE ID      CREATEDAT'
    grep -q '^box  ' "$TEST_DIR/out" || fail "no line for it"
    runs "$mayfly" image ls --format '{{.ID}}'
    expect_out "$("$mayfly" images -q)"
    runs "$mayfly" create --name one box:1 true
    runs "$mayfly" container ls -a --format 'table {{.Names}}\t{{.Image}}\t{{.State}}'
    expect_out $'NAMES  IMAGE  STATE\none    box:1  created'
    run "$mayfly" images --format '{{.Nothing}}'
    expect_complaint 125 "no field 'Nothing'"
    runs "$mayfly" rm one
    runs "$mayfly" image rm box:1
}

test_the_letter_of_the_host_name() {
    fresh_store
    runs "$mayfly" run --rm -h some "$busybox" hostname
    expect_out some
    runs "$mayfly" exec -h
    expect_same "$(head -n 1 "$TEST_DIR/out")" 'Usage: mayfly exec [OPTION]... CONTAINER PROG [ARG]...'
}

test_names_and_name_servers_that_are_given() {
    fresh_store
    local net
    for net in none host; do
        runs "$mayfly" -q -i "$busybox" -n "$net" --add-host db:10.9.8.7 --add-host six:[fd00::5] --dns 10.9.8.1 \
            --dns-search corp.test -S 'cat /etc/hosts /etc/resolv.conf'
        grep -q $'^10.9.8.7\tdb$' "$TEST_DIR/out" || fail "$net: no line for the name"
        grep -q $'^fd00::5\tsix$' "$TEST_DIR/out" || fail "$net: no line for the other"
        [ "$net" = host ] || grep -q localhost "$TEST_DIR/out" || fail "$net: no localhost"
        [ "$net" = none ] || grep -qF "$(head -n 1 /etc/hosts)" "$TEST_DIR/out" || fail "$net: not the host's"
        expect_same "$(grep ^nameserver "$TEST_DIR/out")" 'nameserver 10.9.8.1'
        expect_same "$(grep ^search "$TEST_DIR/out")" 'search corp.test'
    done
    # What is not given stays the network's.
    runs "$mayfly" run --rm -h own --add-host db:10.9.8.7 "$busybox" cat /etc/hosts /etc/resolv.conf
    grep -q $'^10.9.8.7\tdb$' "$TEST_DIR/out" || fail "bridge: no line for the name"
    grep -Eq $'^10\\.[0-9.]+\town$' "$TEST_DIR/out" || fail "bridge: no line for itself"
    grep -q '^nameserver' "$TEST_DIR/out" || fail "bridge: no name server"
    # What a container is told is kept.
    runs "$mayfly" create --name told --add-host db:10.9.8.7 -n none "$busybox" grep db /etc/hosts
    runs "$mayfly" start -a told
    expect_out $'10.9.8.7\tdb'
    runs "$mayfly" rm told
    run "$mayfly" run --add-host db "$busybox" true
    expect_complaint 2 "'db'" 'NAME:ADDRESS'
    run "$mayfly" -i "$busybox" --dns nowhere -S true
    expect_complaint 2 "'nowhere'"
    run "$mayfly" -i "$busybox" --dns-search 'a b' -S true
    expect_complaint 2 "'a b'"
}
