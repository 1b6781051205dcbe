# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Containers on a bridge, addresses by DHCP.

address='ip -4 addr show eth0 | sed -n "s/.*inet \([0-9.]*\).*/\1/p"'

test_bridge_gives_an_address_and_names() {
    # Without being asked for, too.
    unset MAYFLY_NET
    runs "$mayfly" -q -i "$busybox" --hostname web -S "$address; cat /etc/hostname; grep -c web /etc/hosts" \
        -S 'ip link show eth0 | grep -c ,UP' -S 'ip route | grep -c default; true'
    [[ "$(head -n 1 "$TEST_DIR/out")" =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "no address"
    expect_same "$(tail -n +2 "$TEST_DIR/out")" $'web\n1\n1\n0'
    # The image's own file is as it was.
    runs "$mayfly" -q -i "$busybox" -n none -S '! grep web /etc/hostname'
    # And another default can be had.
    MAYFLY_NET=none runs "$mayfly" -q -i "$busybox" -S '! ip link show eth0 2>/dev/null'
}

test_wrong_networks() {
    run "$mayfly" -i "$busybox" -n brigde -S true
    expect_complaint 125 'brigde' 'network create'
    run "$mayfly" -i "$busybox" -n bridge: -S true
    expect_complaint 2 'bridge:'
    run "$mayfly" -i "$busybox" -n 'a b' -S true
    expect_complaint 2 'a b'
    run "$mayfly" -i "$busybox" -n none --isolate -S true
    expect_complaint 2 'isolate'
    run "$mayfly" -i "$busybox" -n bridge:nosuch0 -S true
    if [ "$mode" = root ]; then
        expect_complaint 125 'nosuch0'
    else
        expect_complaint 125 'nosuch0' 'root'
    fi
}

# serve NAME OPTION...: a container that echoes one connection to port 7000; its address is in $peer
serve() {
    local name=$1
    shift
    [ -p t/address ] || { mkdir t && mkfifo -m 666 t/address; }
    "$mayfly" -q -i "$busybox" "$@" --timeout 60 -v "$PWD/t:/t" --name "$name" -S "$address >/t/address; nc -l -p 7000 -e /bin/cat" &
    server=$!
    read -r peer <t/address
}

test_containers_on_the_bridge_reach_each_other() {
    local server peer
    serve echo
    runs "$mayfly" -q -i "$busybox" --timeout 60 \
        -S "until echo over the bridge | nc $peer 7000; do :; done; $address"
    wait $server || fail "the server's container failed"
    expect_same "$(head -n 1 "$TEST_DIR/out")" "over the bridge"
    [ "$(tail -n 1 "$TEST_DIR/out")" != "$peer" ] || fail "one address twice"
}

test_containers_find_each_other_by_name() {
    local server peer
    # One that is there first, and asks for one that comes later.
    make_fifos
    "$mayfly" -q -i "$busybox" --timeout 60 --name first "${fifos[@]}" \
        -S 'nslookup later >/dev/null && exit 1; echo ready >/told; read x </go; nslookup -type=a later.example | tail -n 2 | grep Address' \
        -S 'until echo by name | nc later 7000; do :; done' >out &
    local first=$!
    await ready
    serve later --hostname later.example
    let_go
    ends_with 0 $first
    wait $server || fail "the server's container failed"
    expect_same "$(cat out)" "Address: $peer
by name"
}

test_names_are_those_of_running_containers_of_the_same_network() {
    make_fifos
    "$mayfly" -q -i "$busybox" --timeout 60 --name someone "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    await ready
    runs "$mayfly" -q -i "$busybox" --timeout 60 -S 'nslookup SOMEONE | grep -c "^Name"' \
        -S 'nslookup $(nslookup someone | sed -n "s/^Address: //p") | grep -c someone' \
        -S 'nslookup localhost.example; test $? = 1'
    grep -q NXDOMAIN "$TEST_DIR/out" || fail "no answer for a name that is not there"
    let_go
    wait
    run "$mayfly" -q -i "$busybox" --timeout 60 -S 'nslookup someone'
    expect_status 1
}

test_a_name_is_found_by_glibc() {
    needs_debian
    make_fifos
    mkdir t && chmod 777 t
    "$mayfly" -q -i "$busybox" --timeout 60 --name someone -v "$PWD/t:/t" "${fifos[@]}" \
        -S "$address >/t/address; echo ready >/told; read x </go" &
    await ready
    runs "$mayfly" -q -i "$debian" --timeout 60 -S 'getent ahostsv4 someone | head -n 1 | cut -d" " -f1' -S 'getent hosts nosuch; test $? = 2'
    let_go
    wait
    expect_out "$(cat t/address)"
}

test_names_are_found_by_tcp() {
    needs_debian
    make_fifos
    mkdir t && chmod 777 t
    "$mayfly" -q -i "$busybox" --timeout 60 --name someone -v "$PWD/t:/t" "${fifos[@]}" \
        -S "$address >/t/address; echo ready >/told; read x </go" &
    await ready
    # As glibc does it, which takes one connection for both of its questions; a name that is not there, too.
    runs "$mayfly" -q -i "$debian" --timeout 60 -e RES_OPTIONS=use-vc -S 'getent ahosts someone | head -n 1 | cut -d" " -f1' \
        -S 'grep ^Tcp: /proc/net/snmp | tail -n 1 | cut -d" " -f6' -S 'getent hosts nosuch; test $? = 2'
    let_go
    wait
    expect_out "$(cat t/address)"$'\n1'
}

test_isolated_containers_do_not_reach_each_other() {
    local server peer
    serve apart --isolate
    run "$mayfly" -q -i "$busybox" --isolate --timeout 60 -S "nc -w 1 $peer 7000 </dev/null"
    expect_status 1
    # Others do.
    runs "$mayfly" -q -i "$busybox" --timeout 60 -S "until echo hello | nc $peer 7000; do :; done"
    wait $server
}

# listens: a listener on every address of the host, port 7777, which the host reaches
listens() {
    busybox nc -ll -p 7777 -e /bin/cat >/dev/null 2>&1 </dev/null &
    listener=$!
    until (: <>/dev/tcp/127.0.0.1/7777) 2>/dev/null; do kill -0 $listener || fail "no listener"; done
}

test_the_bridge_leads_nowhere_else() {
    local listener each addresses=127.0.0.1
    if [ "$mode" = root ]; then
        # The host's network, and the outside behind it.
        ip link add host7 type veth peer name far7 || fail "no veth pair"
        ip addr add 192.0.2.7/24 dev host7
        ip link set host7 up
        addresses+=' 192.0.2.7'
    fi
    listens
    for each in $addresses; do
        # With whatever routes the container's root makes itself.
        run "$mayfly" -q -i "$busybox" --timeout 60 \
            -S "nc -w 1 $each 7777 </dev/null; echo status \$?" \
            -S "ip route get 192.0.2.7; echo status \$?" \
            -S 'ip route add default via $(cut -d" " -f2 /etc/resolv.conf | head -n 1) 2>/dev/null; '"nc -w 1 $each 7777 </dev/null; echo status \$?" \
            -S "nc -w 1 \$($address | sed 's/[0-9]*\$/1/') 7777 </dev/null; echo status \$?"
        [ "$(grep -c 'status [12]' "$TEST_DIR/out")" = 4 ] || fail "the host was reached at $each"
    done
    kill $listener
    wait $listener 2>/dev/null
    [ "$mode" != root ] || ip link del host7
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

test_a_hundred_containers_at_once() {
    not_sanitized "too much memory"
    local i n=100 pids=() addresses
    # Those that are killed wait for something else: they may be there a moment longer than mayfly.
    mkdir t && mkfifo -m 666 t/told t/go0 t/go1
    exec 7<>t/go0 8<>t/told 9<>t/go1
    for ((i = 0; i < n; i++)); do
        "$mayfly" -q -i "$busybox" --timeout 300 -v "$PWD/t:/t" -S "$address >/t/told; read -r word </t/go$((i % 2))" &
        pids+=($!)
    done
    addresses=$(timeout 200 head -n $n <&8) || fail "not all of them have come up"
    expect_same "$(sort -u <<<"$addresses" | grep -c '^10\|^172\|^192')" $n
    # Half of them are killed, and leave nothing that the next one does not remove.
    for ((i = 0; i < n; i += 2)); do
        kill -9 "${pids[i]}"
    done
    for ((i = 0; i < n; i += 2)); do wait "${pids[i]}" 2>/dev/null; done
    for ((i = 1; i < n; i += 2)); do echo go >&9; done
    for ((i = 1; i < n; i += 2)); do ends_with 0 "${pids[i]}"; done
    runs "$mayfly" -q -i "$busybox" -S true
    [ -z "$(find "$MAYFLY_STORE" -name 'mayfly0.network' -exec grep -l '^member [1-9]' {} +)" ] || fail "leases are left"
}

test_killed_on_the_bridge() {
    local i n=20
    [ "$mode" = root ] || n=8
    for ((i = 0; i < n; i++)); do
        "$helpers/killer" $((RANDOM % 9000)) "$mayfly" -q -i "$busybox" -S 'cat /proc/net/dev >/dev/null' >/dev/null 2>&1 || true
        runs "$mayfly" -q -i "$busybox" -S true
    done
}

test_a_named_container_keeps_its_address() {
    local first
    runs "$mayfly" -q -i "$busybox" --name keeper -S "$address; cat /sys/class/net/eth0/address"
    first=$(cat "$TEST_DIR/out")
    runs "$mayfly" -q -i "$busybox" -S true
    runs "$mayfly" -q -i "$busybox" --name keeper -S "$address; cat /sys/class/net/eth0/address"
    expect_out "$first"
}

test_existing_bridge_with_a_server_of_its_own() {
    only root
    command -v dnsmasq >/dev/null || promised "no dnsmasq"
    ip link add name brtest type bridge
    ip addr add 198.51.100.1/24 dev brtest
    ip link set brtest up
    # It goes into the background when it is ready.
    dnsmasq --conf-file=/dev/null --port=0 --interface=brtest --bind-interfaces --no-ping \
        --dhcp-range=198.51.100.50,198.51.100.60,2m --dhcp-option=option:dns-server,198.51.100.9 --dhcp-option=15,lab.example \
        --dhcp-leasefile="$PWD/leases" --pid-file="$PWD/pid" --user=root --log-facility="$PWD/log" --log-dhcp || fail "no server"
    run "$mayfly" -q -i "$busybox" -n bridge:brtest --hostname guest --timeout 60 -S "$address; cat /etc/resolv.conf"
    kill "$(cat pid)"
    while kill -0 "$(cat pid)" 2>/dev/null; do :; done
    ip link del brtest
    expect_status 0
    while ip -o link | grep -q mayfly; do :; done
    [[ "$(head -n 1 "$TEST_DIR/out")" == 198.51.100.5[0-9] || "$(head -n 1 "$TEST_DIR/out")" == 198.51.100.60 ]] ||
        fail "no address of dnsmasq's"
    grep -q 198.51.100.9 "$TEST_DIR/out" || fail "no name server"
    grep -q lab.example "$TEST_DIR/out" || fail "no domain"
    grep -q guest log || fail "the server was not told the name"
}

# make_bridge: one of the host's own, 198.51.100.1
make_bridge() {
    ip link add name brtest type bridge
    ip addr add 198.51.100.1/24 dev brtest
    ip link set brtest up
}
# end_bridge PIDFILE: with the server on it
end_bridge() {
    local server
    server=$(cat "$1")
    kill "$server"
    while kill -0 "$server" 2>/dev/null; do :; done
    ip link del brtest
    while ip -o link | grep -q 'mayfly\|squatter'; do :; done
}
# serve_addresses FIRST LAST [OPTION...]: dnsmasq, which goes into the background when it is ready
serve_addresses() {
    command -v dnsmasq >/dev/null || promised "no dnsmasq"
    dnsmasq --conf-file=/dev/null --port=0 --interface=brtest --bind-interfaces --no-ping --dhcp-sequential-ip \
        "${@:3}" --dhcp-range="$1,$2,2m" --dhcp-leasefile="$PWD/leases" --pid-file="$PWD/pid" --user=root --log-facility=/dev/null || fail "no server"
}

test_existing_bridge_whose_server_has_no_address_left() {
    only root
    make_bridge
    serve_addresses 198.51.100.50 198.51.100.50
    make_fifos
    "$mayfly" -q -i "$busybox" -n bridge:brtest --timeout 60 "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    await ready
    run "$mayfly" -q -i "$busybox" -n bridge:brtest -S true
    expect_complaint 125 'DHCP: no server answers with an address'
    let_go
    wait
    # What was given back is there for the next.
    "$mayfly" -q -i "$busybox" -n bridge:brtest -S "$address" >out 2>&1
    end_bridge pid
    expect_same "$(cat out)" 198.51.100.50
}

test_existing_bridge_with_an_address_twice() {
    only root
    make_bridge
    serve_addresses 198.51.100.50 198.51.100.51
    # A machine that the server does not know of.
    mkfifo life ready
    unshare -n sh -c 'echo >ready; exec cat' <life &
    local machine=$!
    exec 7>life
    read -r <ready
    ip link add squatter type veth peer name eth0 netns $machine
    ip link set squatter master brtest up
    nsenter -n -t $machine sh -c 'ip addr add 198.51.100.50/24 dev eth0; ip link set eth0 up'
    until_true busybox ping -c 1 -W 1 198.51.100.50
    run "$mayfly" -i "$busybox" -n bridge:brtest -S "$address"
    exec 7>&-
    wait $machine 2>/dev/null
    end_bridge pid
    expect_status 0
    expect_out 198.51.100.51
    expect_err '198.51.100.50 is another machine'
}

test_existing_bridge_holds_a_container_to_its_lease() {
    only root
    command -v nft >/dev/null || promised "no nft"
    local before pid
    make_bridge
    serve_addresses 198.51.100.50 198.51.100.50
    before=$(nft -s list ruleset)
    make_fifos
    "$mayfly" -q -i "$busybox" -n bridge:brtest --cap-add NET_ADMIN --cap-add NET_RAW --timeout 60 "${fifos[@]}" \
        -S 'ping -q -c1 -W30 198.51.100.1 >/dev/null && ip addr add 198.51.100.99/24 dev eth0 && ip link show eth0 >/dev/null' \
        -S '! ping -q -c1 -W1 -I 198.51.100.99 198.51.100.1 >/dev/null' \
        -S 'ip link set eth0 address 02:00:00:00:00:99; ! ping -q -c1 -W1 198.51.100.1 >/dev/null' \
        -S 'echo ready >/told; read x </go' 2>err &
    pid=$!
    await ready
    nft list ruleset | grep -q '^table netdev mayfly' || fail "there are no rules"
    kill -9 $pid
    wait $pid 2>/dev/null
    runs "$mayfly" -q -i "$busybox" -n none -S true
    until_true eval '[ "$(nft -s list ruleset)" = "$before" ]'
    end_bridge pid
    expect_same "$(cat err)" ''
}

# serve_again FIRST LAST [OPTION...]: in place of the one before.  It is asked after a second, and if it
# is not there just then, after five more.
serve_again() {
    local server
    [ ! -e pid ] || server=$(cat pid)
    [ -z "${server:-}" ] || kill "$server"
    while [ "${server:-}" ] && kill -0 "$server" 2>/dev/null; do :; done
    rm -f pid leases
    serve_addresses "$1" "$2" --dhcp-authoritative --dhcp-option=58,1 --dhcp-option=59,6 "${@:3}"
}

test_existing_bridge_whose_server_names_other_name_servers() {
    only root
    make_bridge
    serve_again 198.51.100.50 198.51.100.50 --dhcp-option=6,198.51.100.9 --dhcp-option=15,old.example
    make_fifos
    local own after run
    printf -v own 'nameserver 198.51.100.9\nsearch old.example'
    printf -v after 'nameserver 198.51.100.7\nnameserver 198.51.100.8\nsearch new.example old.example'
    # One that has nobody look at half a file, and one that has made it its own.
    "$mayfly" -i "$busybox" -n bridge:brtest --debug --timeout 200 -e own="$own" -e after="$after" "${fifos[@]}" \
        -S 'exec 3</etc/resolv.conf; echo ready >/told; while it=$(cat /etc/resolv.conf); [ "$it" != "$after" ]; do [ "$it" = "$own" ] || exit 9; done; [ "$(cat <&3)" = "$own" ]' \
        -S 'ls -ln /etc/resolv.conf | cut -d" " -f1; echo more >>/etc/resolv.conf; grep -c " /etc/resolv.conf " /proc/self/mounts; echo ready >/told; read x </go; tail -n 1 /etc/resolv.conf' >out 2>err &
    run=$!
    await ready
    serve_again 198.51.100.50 198.51.100.50 --dhcp-option=6,198.51.100.7,198.51.100.8 --dhcp-option=15,new.example --dhcp-option=119,old.example
    patience=100 until_true grep -q '/etc/resolv.conf says what the new lease says' err
    await ready
    serve_again 198.51.100.50 198.51.100.50 --dhcp-option=6,198.51.100.9
    patience=100 until_true grep -q "something new, but /etc/resolv.conf is the container's own" err
    let_go
    ends_with 0 $run
    # A volume of one's own is one's own, too.
    echo 'nameserver 192.0.2.1' >mine
    "$mayfly" -i "$busybox" -n bridge:brtest --debug --timeout 200 "${fifos[@]}" -v "$PWD/mine:/etc/resolv.conf" \
        -S 'echo ready >/told; read x </go; cat /etc/resolv.conf' >other 2>err2 &
    run=$!
    await ready
    serve_again 198.51.100.50 198.51.100.50 --dhcp-option=6,198.51.100.7
    patience=100 until_true grep -q "/etc/resolv.conf is the container's own" err2
    let_go
    ends_with 0 $run
    end_bridge pid
    expect_same "$(cat out)" $'-rw-r--r--\n1\nmore'
    expect_same "$(cat other mine)" $'nameserver 192.0.2.1\nnameserver 192.0.2.1'
}

test_existing_bridge_whose_server_takes_the_address_back() {
    only root
    make_bridge
    serve_again 198.51.100.50 198.51.100.50
    make_fifos
    "$mayfly" -i "$busybox" -n bridge:brtest --hostname guest --cap-add NET_RAW --timeout 200 "${fifos[@]}" \
        -S 'echo ready >/told; until grep -q "^198.51.100.60.guest$" /etc/hosts; do sleep 0.1; done; ! grep 198.51.100.50 /etc/hosts' -S "$address" \
        -S 'ping -q -c1 -W30 198.51.100.1 >/dev/null && echo reached' >out 2>err &
    local run=$!
    await ready
    serve_again 198.51.100.60 198.51.100.60
    ends_with 0 $run
    end_bridge pid
    expect_same "$(cat out)" $'198.51.100.60\nreached'
    expect_same "$(grep -c 'network: ' err)" 2
    expect_same "$(grep -Ec 'the DHCP server takes 198.51.100.50 back: .+' err)" 1
    expect_same "$(grep -c "the container's address is now 198.51.100.60" err)" 1
}

# serve_briefly FIRST: isc-dhcp-server, leases of eight seconds
serve_briefly() {
    printf '%s\n' 'authoritative; default-lease-time 8; max-lease-time 8; min-lease-time 8;' \
        "subnet 198.51.100.0 netmask 255.255.255.0 { range $1 ${1%?}9; }" >conf
    : >leases
    dhcpd -4 -q -cf "$PWD/conf" -lf "$PWD/leases" -pf "$PWD/pid" brtest >>out.dhcpd 2>&1 || fail "no server"
}
stop_dhcpd() {
    local server
    server=$(cat pid)
    kill "$server"
    while kill -0 "$server" 2>/dev/null; do :; done
    rm -f pid
}

test_existing_bridge_for_as_long_as_the_container_lives() {
    only root
    command -v dhcpd >/dev/null || promised "no dhcpd"
    make_bridge
    serve_briefly 198.51.100.50
    make_fifos
    "$mayfly" -i "$busybox" -n bridge:brtest --timeout 100 "${fifos[@]}" -S 'echo ready >/told; read x </go; '"$address" \
        -S "while ip -4 addr show eth0 | grep -q inet; do sleep 0.1; done" >out 2>err &
    local run=$!
    await ready
    # It is renewed: there are two of it in the server's file, and then by a server that has forgotten all.
    until_true eval '[ "$(grep -c "binding state active" leases)" -ge 2 ]'
    stop_dhcpd
    serve_briefly 198.51.100.50
    until_true grep -q 'binding state active' leases
    # One that gives others is asked for one of them when the lease has ended.
    stop_dhcpd
    serve_briefly 198.51.100.70
    until_true grep -q 'is now 198.51.100.7' err
    let_go
    # And one that is silent has it taken away in the end.
    stop_dhcpd
    ends_with 0 $run
    ip link del brtest
    while ip -o link | grep -q mayfly; do :; done
    expect_same "$(cat out)" 198.51.100.70
    local each
    for each in 50 70; do
        grep -q "the lease of 198.51.100.$each has ended: no DHCP server answers" err || fail "no word of the end of .$each"
    done
}
