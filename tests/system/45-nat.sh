# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# The way out, and ports of the host that lead into a container.

# as_host FUNCTION: with a network of one's own to play the host's; a user is root of it alone
as_host() {
    if [ "$mode" = root ]; then
        "$1"
        return
    fi
    [ -r /dev/net/tun ] && [ -w /dev/net/tun ] || promised "/dev/net/tun is not a user's to open"
    command -v pasta >/dev/null || promised "no pasta"
    unshare --map-root-user --net --mount bash "$scratch/support/test" "${BASH_SOURCE[0]}" "$1" || exit
}

# make_outside: another namespace, 203.0.113.2, which sees the host's address 203.0.113.1 alone
make_outside() {
    ip link set lo up
    mkfifo life ready
    unshare -n sh -c 'ip link set lo up; echo >ready; exec cat' <life &
    outside=$!
    exec 7>life
    read -r <ready
    ip link add up7 type veth peer name eth7 netns $outside || fail "no veth pair"
    ip addr add 203.0.113.1/24 dev up7
    ip link set up7 up
    nsenter -n -t $outside ip addr add 203.0.113.2/24 dev eth7
    nsenter -n -t $outside ip link set eth7 up
    [ "$mode" = root ] || ip route add default via 203.0.113.2
}

end_outside() {
    exec 7>&-
    wait $outside
    ip link del up7 2>/dev/null
    # The link goes with its namespace, which the kernel ends in the background.
    while ip -o link | grep -q mayfly; do :; done
}

# tells_who_asks: at port 7070 of the outside each caller is told which addresses its connections have; $listener
tells_who_asks() {
    nsenter -n -t $outside busybox nc -ll -p 7070 -e sh -c 'busybox netstat -tn | grep ":7070 "' >/dev/null 2>&1 </dev/null &
    listener=$!
}

# asks_who ADDRESS: the shell line of a container that asks it. The side that listens closes first, and nobody waits
# for more than the line: a pasta of Debian 12's loses the end of a connection now and then, so that one has to ask anew.
asks_who() {
    printf '%s' "mkfifo /tmp/never; exec 3<>/tmp/never; until timeout 5 busybox nc $1 7070 <&3 | grep -m 1 .; do :; done"
}

host_nat_reaches_the_outside() {
    local outside listener
    make_outside
    tells_who_asks
    run "$mayfly" -q -i "$busybox" -n nat --timeout 120 -S "$(asks_who 203.0.113.2)"
    kill $listener
    wait $listener 2>/dev/null
    end_outside
    expect_status 0
    grep -Eq '203.0.113.1:[0-9]+ ' "$TEST_DIR/out" || fail "not under the host's address: $(cat "$TEST_DIR/out")"
}
test_nat_reaches_the_outside_under_the_hosts_address() { as_host host_nat_reaches_the_outside; }

# answers_udp PORT: the shell line of a program that answers every datagram; by IPv6 too
answers_udp() {
    printf '%s' "perl -MSocket=:all -e 'socket(S, AF_INET6, SOCK_DGRAM, 0); bind(S, pack_sockaddr_in6($1, IN6ADDR_ANY)) or die; while (\$from = recv(S, \$text, 999, 0)) { send(S, \"heard \$text\", 0, \$from) }'"
}
# ask_udp HOST PORT WORD [COMMAND...]: what comes back; asked from where COMMAND leads
ask_udp() {
    "${@:4}" bash -c 'while [ $SECONDS -lt 60 ]; do exec 3<>"/dev/udp/$0/$1"; echo "$2" >&3; ! timeout 1 dd bs=999 count=1 <&3 || exit 0; sleep 0.1; done' "$1" "$2" "$3" 2>/dev/null
}

# Debian 12's pasta loses answers to the host's own datagrams where the two ports differ, and where
# they were sent to another address than loopback.
udp_port() { [ "$mode" = root ] && echo 53 || echo 5353; }

host_published_ports() {
    local outside answer='' udp
    udp=$(udp_port)
    make_outside
    make_fifos
    "$mayfly" -q -i host: -n nat -p 8088:80 -p 5353:$udp/udp --name served --timeout 90 "${fifos[@]}" \
        -S "busybox nc -ll -p 80 -e cat & $(answers_udp $udp) & read x </go" &
    local run=$!
    until answer=$(echo from the host | busybox nc -w 5 127.0.0.1 8088 2>/dev/null) && [ -n "$answer" ]; do kill -0 $run || fail "it ended"; done
    expect_same "$answer" "from the host"
    expect_same "$(echo by its address | busybox nc -w 5 203.0.113.1 8088)" "by its address"
    expect_same "$(echo from outside | nsenter -n -t $outside busybox nc -w 5 203.0.113.1 8088)" "from outside"
    expect_same "$(ask_udp 127.0.0.1 5353 loopback)" "heard loopback"
    [ "$mode" != root ] || expect_same "$(ask_udp 203.0.113.1 5353 address)" "heard address"
    expect_same "$(ask_udp 203.0.113.1 5353 outside nsenter -n -t $outside)" "heard outside"
    runs "$mayfly" port served
    grep -qx '80/tcp -> 0.0.0.0:8088' "$TEST_DIR/out" || fail "not among the ports"
    grep -qx "$udp/udp -> 0.0.0.0:5353" "$TEST_DIR/out" || fail "not among the ports"
    runs "$mayfly" port served 80
    expect_same "$(head -n 1 "$TEST_DIR/out")" 0.0.0.0:8088
    let_go
    ends_with 0 $run
    end_outside
}
test_published_ports() { as_host host_published_ports; }

# The same from programs: fresh containers of the library and of 'mayfly serve'.
host_published_by_the_library() {
    local outside
    make_outside
    run timeout 60 "$helpers/example-publish" "$busybox" 8089
    end_outside
    expect_status 0
    expect_out $'80/tcp -> 127.0.0.1:8089\nit says: HELLO'
}
test_published_ports_of_the_library() { as_host host_published_by_the_library; }

host_published_by_serve() {
    local outside
    command -v python3 >/dev/null || promised "no python3"
    make_outside
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$scratch/examples run timeout 60 python3 - "$mayfly" "$busybox" <<'END'
import socket
import sys
import threading

import mayfly

with mayfly.Mayfly(sys.argv[1]) as flies:
    m = flies.container(sys.argv[2], net="nat", publish=["127.0.0.1:8089:80", "127.0.0.1:5354:53/udp"])
    ports = sorted((p["address"], p["host_port"], p["container_port"], p["protocol"]) for p in m.ports())
    assert ports == [("127.0.0.1", 5354, 53, "udp"), ("127.0.0.1", 8089, 80, "tcp")], ports
    threading.Thread(target=m, args=("nc -ll -p 80 -e tr a-z A-Z",), kwargs={"check": False}).start()
    answer = b""
    while not answer:
        try:
            with socket.create_connection(("127.0.0.1", 8089), 5) as s:
                s.sendall(b"hello\n")
                answer = s.recv(100)
        except OSError:
            pass
    assert answer == b"HELLO\n", answer
    m.destroy()
print("all well")
END
    end_outside
    expect_status 0
    expect_out 'all well'
}
test_published_ports_of_serve() { as_host host_published_by_serve; }

host_published_on_ipv6() {
    local outside listener answer='' udp
    udp=$(udp_port)
    make_outside
    make_fifos
    ip -6 addr add 2001:db8::1/64 dev up7 nodad
    nsenter -n -t $outside ip -6 addr add 2001:db8::2/64 dev eth7 nodad
    ip -6 route add default via 2001:db8::2
    tells_who_asks
    "$mayfly" -q -i host: -n nat -p '[::]:8088:80' -p "[::]:5353:$udp/udp" --name served --timeout 90 "${fifos[@]}" \
        -S "busybox nc -ll -p 80 -e cat & $(answers_udp $udp) & $(asks_who 2001:db8::2); echo ready >/told; read x </go" >out &
    local run=$!
    await ready
    grep -Eq '2001:db8::1:[0-9]+ ' out || fail "not under the host's address: $(cat out)"
    until answer=$(echo from the host | busybox nc -w 5 ::1 8088 2>/dev/null) && [ -n "$answer" ]; do kill -0 $run || fail "it ended"; done
    expect_same "$answer" "from the host"
    [ "$mode" != root ] || expect_same "$(echo by its address | busybox nc -w 30 2001:db8::1 8088)" "by its address"
    until answer=$(echo from outside | nsenter -n -t $outside busybox nc -w 30 2001:db8::1 8088 2>/dev/null) && [ -n "$answer" ]; do kill -0 $run || fail "it ended"; done
    expect_same "$answer" "from outside"
    expect_same "$(ask_udp ::1 5353 loopback)" "heard loopback"
    [ "$mode" != root ] || expect_same "$(ask_udp 2001:db8::1 5353 address)" "heard address"
    expect_same "$(ask_udp 2001:db8::1 5353 outside nsenter -n -t $outside)" "heard outside"
    runs "$mayfly" port served
    expect_out "80/tcp -> [::]:8088"$'\n'"$udp/udp -> [::]:5353"
    let_go
    ends_with 0 $run
    [ "$mode" != root ] || expect_same "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" 0
    kill $listener
    wait $listener 2>/dev/null
    end_outside
}
test_published_on_ipv6() { as_host host_published_on_ipv6; }

# A resolver that answers for one name, on an address that is the host's alone.
host_names_of_the_outside() {
    local outside server
    command -v dnsmasq >/dev/null || promised "no dnsmasq"
    make_outside
    dnsmasq --keep-in-foreground --conf-file=/dev/null --listen-address=127.0.0.53 --bind-interfaces --no-resolv --no-hosts \
        --user=root --group=root --pid-file= --address=/somewhere.example/192.0.2.77 --log-facility=- 2>/dev/null &
    server=$!
    echo 'nameserver 127.0.0.53' >resolv.conf
    unshare --mount bash -c 'mount --bind resolv.conf "$(realpath /etc/resolv.conf)" && shift && exec "$@"' mount mount \
        "$mayfly" -q -i "$busybox" -n nat --name asker --timeout 60 \
        -S 'until nslookup -type=a somewhere.example | grep 192.0.2.77; do :; done' \
        -S 'nslookup asker | grep -c ^Name' -S 'nslookup -type=a nowhere.example; true' >"$TEST_DIR/out" 2>"$TEST_DIR/err"
    status=$?
    kill $server
    wait $server 2>/dev/null
    end_outside
    expect_status 0
    grep -q 'Address: 192.0.2.77' "$TEST_DIR/out" || fail "the host's name server was not asked"
    grep -qx 1 "$TEST_DIR/out" || fail "its own name is not known"
}
test_nat_asks_the_hosts_name_server_on_127_0_0_53() {
    # dnsmasq wants more privileges than a user namespace of one id has.
    only root
    as_host host_names_of_the_outside
}

# A resolver of the host's with more addresses for a name than go into an answer by UDP.
long_answers='
use IO::Select; use IO::Socket::INET;
my ($udp, $tcp) = map { IO::Socket::INET->new(LocalAddr => "127.0.0.53:53", Proto => $_, $_ eq "tcp" ? (Listen => 9) : ()) or die } qw(udp tcp);
sub answer {
    my ($query, $by_tcp) = @_;
    my ($name) = substr($query, 12) =~ /^(.*?\0....)/s or die;
    my $n = $by_tcp && substr($name, -4) eq "\0\1\0\1" ? 200 : 0;
    return substr($query, 0, 2) . pack("n5", $by_tcp ? 0x8180 : 0x8380, 1, $n, 0, 0) . $name .
        join("", map { pack("n3NnC4", 0xc00c, 1, 1, 0, 4, 192, 0, 2, $_) } 1 .. $n);
}
sub take { my ($from, $n) = @_; my $all = ""; while (length($all) < $n) { sysread($from, $all, $n - length($all), length($all)) or return } return $all }
print "ready\n"; close(STDOUT);
my $select = IO::Select->new($udp, $tcp);
while (my @ready = $select->can_read) {
    for my $from (@ready) {
        if ($from == $udp) { my $client = $udp->recv(my $query, 999); $udp->send(answer($query, 0), 0, $client) }
        elsif ($from == $tcp) { $select->add($tcp->accept) }
        else {
            my $size = take($from, 2);
            my $query = $size ? take($from, unpack("n", $size)) : undef;
            if ($query) { syswrite($from, pack("n/a*", answer($query, 1))) } else { $select->remove($from); close($from) }
        }
    }
}'

host_long_answers() {
    local outside server
    make_outside
    mkfifo up
    perl -e "$long_answers" >up &
    server=$!
    read -r <up || fail "no name server"
    echo 'nameserver 127.0.0.53' >resolv.conf
    unshare --mount bash -c 'mount --bind resolv.conf "$(realpath /etc/resolv.conf)" && exec "$@"' mount \
        "$mayfly" -q -i "$debian" -n nat --timeout 60 -S 'getent ahostsv4 long.example | grep -c STREAM' >"$TEST_DIR/out" 2>"$TEST_DIR/err"
    status=$?
    kill $server
    wait $server 2>/dev/null
    end_outside
    expect_status 0
    expect_same "$(cat "$TEST_DIR/out" "$TEST_DIR/err")" 200
}
test_nat_has_long_answers_by_tcp() {
    needs_debian
    as_host host_long_answers
}

test_nat_without_the_programs_that_it_takes() {
    only subuid single
    [ ! -w /dev/net/tun ] || command -v pasta >/dev/null || promised "no pasta"
    # In a view of the host's files in which they cannot be executed.
    run unshare --map-root-user --mount bash -c 'for i in /usr/bin/pasta /usr/bin/slirp4netns; do [ ! -e $i ] || mount --bind /dev/null $i; done; exec "$@"' sh \
        "$mayfly" -i "$busybox" -n nat -S true
    expect_complaint 125 pasta passt slirp4netns
}

host_slirp() {
    local answer=
    ip link set lo up
    mount --bind /dev/null "$(command -v pasta)"
    make_fifos
    "$mayfly" -q -i "$busybox" -n nat -p 127.0.0.1:8088:80 --timeout 60 "${fifos[@]}" -S 'ip route | grep -c default' \
        -S 'nc -ll -p 80 -e cat & read x </go; kill %1' >out &
    until answer=$(echo by slirp | busybox nc -w 5 127.0.0.1 8088 2>/dev/null) && [ -n "$answer" ]; do kill -0 $! || fail "it ended"; done
    let_go
    ends_with 0 $!
    expect_same "$answer" "by slirp"
    expect_same "$(cat out)" 1
}
test_nat_through_slirp4netns() {
    only subuid single
    command -v slirp4netns >/dev/null || promised "no slirp4netns"
    as_host host_slirp
}

host_killed_on_nat() {
    local i
    make_outside
    for i in {1..5}; do
        "$helpers/killer" $((RANDOM % 60000)) "$mayfly" -q -i "$busybox" -n nat -S 'cat /proc/net/dev >/dev/null' >/dev/null 2>&1 || true
        runs "$mayfly" -q -i "$busybox" -n nat -S true
    done
    [ "$mode" != root ] || [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || fail "the host goes on forwarding"
    end_outside
}
test_killed_on_nat() { as_host host_killed_on_nat; }

test_publish_without_nat() {
    run "$mayfly" -i "$busybox" -p 80:80 -S true
    expect_complaint 2 'nat'
    run "$mayfly" -i "$busybox" -n nat -p 80:0 -S true
    expect_complaint 2 '80:0'
}

# A host on which others forbid what they do not know.
foreign_rules='
table inet firewalld { chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept; ct state established,related accept; iifname "lo" accept; reject; }; }
table inet free { chain forward { type filter hook forward priority filter; policy accept; }; }'

# What dockerd and podman (netavark) tell iptables when they start and have a container with a port.
docker_and_podman_rules() {
    local chain
    for chain in DOCKER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2 DOCKER-USER NETAVARK_FORWARD; do
        iptables-nft -N $chain || return
    done
    iptables-nft-restore -n <<'END'
*filter
:FORWARD DROP
-A FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
-A NETAVARK_FORWARD -d 10.88.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A NETAVARK_FORWARD -s 10.88.0.0/16 -j ACCEPT
COMMIT
*nat
:DOCKER -
:NETAVARK-HOSTPORT-DNAT -
-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
END
}

test_nat_beside_firewalls_that_drop() {
    only root
    command -v nft >/dev/null || promised "no nft"
    command -v iptables-nft >/dev/null || promised "no iptables"
    local outside before pid
    make_outside
    docker_and_podman_rules || promised "no rules of iptables' to try with"
    nft -f - <<<"$foreign_rules" || fail "no rules to try with"
    before=$(nft -s list ruleset)
    nsenter -n -t $outside busybox nc -ll -p 7070 -e echo reached >/dev/null 2>&1 </dev/null &
    local listener=$!
    make_fifos
    "$mayfly" -q -i "$busybox" -n nat --timeout 60 -p 8088:80 "${fifos[@]}" \
        -S 'until sleep 0.3 | nc 203.0.113.2 7070 | grep -m 1 reached; do :; done; echo ready >/told; nc -l -p 80 -e echo published; read x </go' >out &
    pid=$!
    await ready
    until sleep 0.3 | nsenter -n -t $outside busybox nc -w 5 203.0.113.1 8088 2>/dev/null | grep -qx published; do
        kill -0 $pid || fail "it ended"
    done
    # Two rules each in those that are in the way, none in the one that is not.
    expect_same "$(nft list ruleset | grep -c 'comment "mayfly: ')" 4
    ! nft list table inet free | grep -q mayfly || fail "a rule where none is needed"
    let_go
    ends_with 0 $pid
    expect_same "$(cat out)" reached
    expect_same "$(nft -s list ruleset)" "$before"
    # The same when it is killed, after one more command.
    "$mayfly" -q -i "$busybox" -n nat --timeout 60 "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    pid=$!
    await ready
    kill -9 $pid
    wait $pid 2>/dev/null
    expect_same "$(nft list ruleset | grep -c 'comment "mayfly: ')" 4
    runs "$mayfly" network ls
    expect_same "$(nft -s list ruleset)" "$before"
    expect_same "$(cat /proc/sys/net/ipv4/ip_forward)" 0
    kill $listener
    wait $listener 2>/dev/null
    nft flush ruleset
    end_outside
}

# firewalld itself, with a bus and settings of its own; its zone for what it does not know rejects.
test_nat_beside_firewalld() {
    only root
    command -v firewalld >/dev/null || promised "no firewalld"
    local outside before bus daemon pid listener
    export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$PWD/bus
    make_outside
    mkdir conf
    cp /etc/firewalld/firewalld.conf conf/
    dbus-daemon --session --address="$DBUS_SYSTEM_BUS_ADDRESS" --nofork --nopidfile >/dev/null 2>&1 &
    bus=$!
    until_true test -S bus
    firewalld --nofork --nopid --system-config "$PWD/conf" --log-target console >log 2>&1 &
    daemon=$!
    patience=100 until_true firewall-cmd --state
    before=$(nft -s list ruleset)
    grep -q 'table inet firewalld' <<<"$before" || fail "it has no rules: $(cat log)"
    nsenter -n -t $outside busybox nc -ll -p 7070 -e echo reached >/dev/null 2>&1 </dev/null &
    listener=$!
    make_fifos
    "$mayfly" -q -i "$busybox" -n nat --timeout 100 -p 8088:80 "${fifos[@]}" \
        -S 'until sleep 0.3 | nc 203.0.113.2 7070 | grep -m 1 reached; do :; done; echo ready >/told; nc -l -p 80 -e echo published; read x </go' >out &
    pid=$!
    await ready
    until sleep 0.3 | nsenter -n -t $outside busybox nc -w 5 203.0.113.1 8088 2>/dev/null | grep -qx published; do
        kill -0 $pid || fail "it ended"
    done
    let_go
    ends_with 0 $pid
    expect_same "$(cat out)" reached
    expect_same "$(nft -s list ruleset)" "$before"
    kill $daemon $listener
    wait $daemon $listener 2>/dev/null
    kill $bus
    wait $bus 2>/dev/null
    nft flush ruleset
    end_outside
}

# In plurality's words: create IMAGE NAME, start, list, status, stop, delete.
host_a_server_that_stays() {
    local outside
    make_outside
    fresh_store
    # Of one static program: no shell, no libraries.
    runs "$mayfly" create --name echo --net nat -p 3333:3333 "$images/noshell.tar" \
        /bin/busybox nc -ll -p 3333 -e /bin/busybox cat
    runs "$mayfly" ps -a --format '{{.Names}} {{.State}}'
    expect_out 'echo created'
    runs "$mayfly" start echo
    runs "$mayfly" inspect --format '{{.State.Status}}' echo
    expect_out running
    runs "$mayfly" port echo
    grep -q 3333 "$TEST_DIR/out" || fail "the port is not shown"
    # It listens a moment after it has begun.
    until_true eval '[ "$(echo hello | busybox nc -w 5 127.0.0.1 3333)" = hello ]'
    runs "$mayfly" stop -t 0 echo
    ! echo hello | busybox nc -w 5 127.0.0.1 3333 || fail "somebody answers"
    runs "$mayfly" start echo
    until_true eval '[ "$(echo again | busybox nc -w 5 127.0.0.1 3333)" = again ]'
    runs "$mayfly" rm -f echo
    runs "$mayfly" ps -aq
    expect_out ''
    end_outside
}
test_a_server_that_stays() { as_host host_a_server_that_stays; }
