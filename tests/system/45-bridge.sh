# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Containers on a bridge, addresses by DHCP.

address='ip -4 addr show eth0 | sed -n "s/.*inet \([0-9.]*\).*/\1/p"'

test_bridge_gives_an_address_and_names() {
    only root
    runs "$mayfly" -q -i "$busybox" -n bridge --hostname web -S "$address; cat /etc/hostname; grep -c web /etc/hosts" \
        -S 'ip link show eth0 | grep -c ,UP' -S 'ip route | grep -c default; true'
    [[ "$(head -n 1 "$TEST_DIR/out")" =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "no address"
    expect_same "$(tail -n +2 "$TEST_DIR/out")" $'web\n1\n1\n0'
    # The image's own file is as it was.
    runs "$mayfly" -q -i "$busybox" -S '! grep web /etc/hostname'
}

test_bridge_needs_root_so_far() {
    only subuid single
    run "$mayfly" -i "$busybox" -n bridge -S true
    expect_complaint 125 'root.*--net'
}

test_wrong_networks() {
    run "$mayfly" -i "$busybox" -n brigde -S true
    expect_complaint 2 'brigde'
    run "$mayfly" -i "$busybox" -n bridge: -S true
    expect_complaint 2 'bridge:'
    only root
    run "$mayfly" -i "$busybox" -n bridge:nosuch0 -S true
    expect_complaint 125 'nosuch0'
}

test_containers_on_the_bridge_reach_each_other() {
    only root
    mkdir t && mkfifo t/address
    "$mayfly" -q -i "$busybox" -n bridge --timeout 60 -v "$PWD/t:/t" -S "$address >/t/address; nc -l -p 7000 -e /bin/cat" &
    local server=$! peer
    read -r peer <t/address
    runs "$mayfly" -q -i "$busybox" -n bridge --timeout 60 \
        -S "until echo over the bridge | nc $peer 7000; do :; done; $address"
    wait $server || fail "the server's container failed"
    expect_same "$(head -n 1 "$TEST_DIR/out")" "over the bridge"
    [ "$(tail -n 1 "$TEST_DIR/out")" != "$peer" ] || fail "one address twice"
}

test_the_bridge_leads_nowhere_else() {
    only root
    # A listener on an address of the host's, reached from the host and not from the bridge.
    ip link add dummy7 type dummy
    ip addr add 192.0.2.7/24 dev dummy7
    ip link set dummy7 up
    run "$mayfly" -q -i "$busybox" -n bridge --timeout 60 -S 'nc -w 3 192.0.2.7 7777 </dev/null; echo "status $?"; ip route get 192.0.2.7 2>&1'
    ip link del dummy7
    grep -q 'status 1' "$TEST_DIR/out" || fail "the host was reached"
    grep -qi 'unreachable' "$TEST_DIR/out" || fail "there is a route to the host's network"
}

test_ping_needs_no_privilege() {
    # Of iputils' ping, that is: busybox's knows raw sockets alone.
    runs "$mayfly" -q -i "$busybox" -S 'tr "\t" " " </proc/sys/net/ipv4/ping_group_range'
    case $mode in
    single) expect_out '0 0' ;;
    subuid) expect_out '0 65536' ;;
    *) expect_out '0 65535' ;;
    esac
}

test_containers_at_once_have_addresses_of_their_own() {
    only root
    local i pids=()
    for i in {1..12}; do
        "$mayfly" -q -i "$busybox" -n bridge -S "$address" >"address.$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" || fail "one of twelve failed"; done
    for i in {1..12}; do [ -s "address.$i" ] || fail "one has no address"; done
}

test_killed_on_the_bridge() {
    only root
    local i pid
    for i in {1..20}; do
        "$helpers/killer" $((RANDOM % 9000)) "$mayfly" -q -i "$busybox" -n bridge -S 'cat /proc/net/dev >/dev/null' >/dev/null 2>&1 || true
        runs "$mayfly" -q -i "$busybox" -n bridge -S true
    done
}

test_existing_bridge_with_a_server_of_its_own() {
    only root
    command -v dnsmasq >/dev/null || promised "no dnsmasq"
    ip link add name brtest type bridge
    ip addr add 198.51.100.1/24 dev brtest
    ip link set brtest up
    dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=brtest --bind-interfaces \
        --dhcp-range=198.51.100.50,198.51.100.60,2m --dhcp-option=option:dns-server,198.51.100.9 --dhcp-option=15,lab.example \
        --dhcp-leasefile="$PWD/leases" --pid-file= --user=root --log-facility="$PWD/log" --log-dhcp &
    local server=$!
    run "$mayfly" -q -i "$busybox" -n bridge:brtest --hostname guest --timeout 60 -S "$address; cat /etc/resolv.conf"
    kill $server
    wait $server || true
    ip link del brtest
    expect_status 0
    while ip -o link | grep -q mayfly; do :; done
    [[ "$(head -n 1 "$TEST_DIR/out")" == 198.51.100.5[0-9] || "$(head -n 1 "$TEST_DIR/out")" == 198.51.100.60 ]] ||
        fail "no address of dnsmasq's"
    grep -q 198.51.100.9 "$TEST_DIR/out" || fail "no name server"
    grep -q lab.example "$TEST_DIR/out" || fail "no domain"
    grep -q guest log || fail "the server was not told the name"
}

test_nat_reaches_the_outside_and_publishes_ports() {
    only root
    # The outside: another network namespace, which sees the host's address alone.
    local outside reached answer=
    mkfifo life ready
    unshare -n sh -c 'ip link set lo up; echo >ready; exec cat' <life &
    outside=$!
    exec 7>life
    read -r <ready
    ip link add up7 type veth peer name eth7 netns $outside
    ip addr add 203.0.113.1/24 dev up7
    ip link set up7 up
    nsenter -n -t $outside ip addr add 203.0.113.2/24 dev eth7
    nsenter -n -t $outside ip link set eth7 up
    nsenter -n -t $outside busybox nc -l -p 7070 -e /bin/cat &
    run "$mayfly" -q -i "$busybox" -n nat --timeout 60 -S 'until echo hello | nc 203.0.113.2 7070; do :; done'
    reached=$(cat "$TEST_DIR/out")
    "$mayfly" -q -i "$busybox" -n nat -p 8088:80 --timeout 60 -S 'nc -l -p 80 -e /bin/cat' &
    until answer=$(echo from the host | busybox nc -w 5 127.0.0.1 8088); do :; done
    wait $!
    expect_same "$answer" "from the host"
    "$mayfly" -q -i "$busybox" -n nat -p 8088:80 --timeout 60 -S 'nc -l -p 80 -e /bin/cat' &
    until answer=$(echo from outside | nsenter -n -t $outside busybox nc -w 5 203.0.113.1 8088); do :; done
    wait $!
    exec 7>&-
    wait $outside
    ip link del up7 2>/dev/null
    expect_same "$answer" "from outside"
    [[ $reached == *hello* ]] || fail "the outside was not reached"
    # The link goes with its namespace, which the kernel ends in the background.
    while ip -o link | grep -q mayfly; do :; done
}

test_publish_without_nat() {
    run "$mayfly" -i "$busybox" -p 80:80 -S true
    expect_complaint 2 'nat'
    run "$mayfly" -i "$busybox" -n nat -p 80:0 -S true
    expect_complaint 2 '80:0'
}
