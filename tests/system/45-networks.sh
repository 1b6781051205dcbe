# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Networks that are made by a command.

address='ip -4 addr show eth0 | sed -n "s/.*inet \([0-9.]*\).*/\1/p"'

test_network_create_use_inspect_and_remove() {
    fresh_store
    runs "$mayfly" network create --subnet 10.123.4.0/24 --gateway 10.123.4.9 --mtu 1400 lab
    expect_out lab
    runs "$mayfly" -q -i "$busybox" -n lab --name one -S "$address" -S 'cat /sys/class/net/eth0/mtu'
    expect_out $'10.123.4.2\n1400'
    make_fifos
    "$mayfly" -q -i "$busybox" -n lab --name two "${fifos[@]}" --timeout 60 -S 'echo ready >/told; read x </go' &
    await ready
    runs "$mayfly" network inspect lab
    for word in '"Name":"lab"' '"Subnet":"10.123.4.0/24"' '"Gateway":"10.123.4.9"' '"Internal":true' '"two":{' '10.123.4.3/24' '"1400"'; do
        grep -qF "$word" "$TEST_DIR/out" || fail "not in it: $word"
    done
    # On the network it is found, on another one not.
    runs "$mayfly" -q -i "$busybox" -n lab -S 'nslookup two | grep -c 10.123.4.3'
    run "$mayfly" -q -i "$busybox" -S 'nslookup two'
    expect_status 1
    run "$mayfly" network rm lab
    expect_complaint 125 'two'
    let_go
    wait
    runs "$mayfly" network rm lab
    expect_out lab
    run "$mayfly" -q -i "$busybox" -n lab -S true
    expect_complaint 125 'no network lab'
}

test_network_with_ipv6() {
    fresh_store
    runs "$mayfly" network create --ipv6 --subnet 10.123.6.0/24 --subnet fd12:3456:789a:6::/64 six
    make_fifos
    "$mayfly" -q -i "$busybox" -n six --name one "${fifos[@]}" --timeout 60 \
        -S 'ip -6 addr show dev eth0 | sed -n "s/.*inet6 \(fd[0-9a-f:]*\).*/\1/p"; echo ready >/told; nc -ll -p 7000 -e cat & read x </go; kill %1' >out &
    await ready
    # By name alone, over IPv6 alone; in its own files, too.
    runs "$mayfly" -q -i "$busybox" -n six --name two --timeout 60 \
        -S 'nslookup -type=aaaa one | sed -n "s/^Address: \(fd\)/\1/p"' \
        -S 'until echo over six | nc $(nslookup -type=aaaa one | sed -n "s/^Address: \(fd\)/\1/p") 7000; do :; done' -S 'grep -c "^fd12.*two" /etc/hosts' -S 'ip -6 route | grep -c default; true'
    expect_out "$(cat out)"$'\nover six\n1\n0'
    runs "$mayfly" network inspect six
    for word in '"EnableIPv6":true' '"Subnet":"fd12:3456:789a:6::/64","Gateway":"fd12:3456:789a:6::1"' "\"IPv6Address\":\"$(cat out)/64\""; do
        grep -qF "$word" "$TEST_DIR/out" || fail "not in it: $word"
    done
    let_go
    wait
    # A network of its own at random; none without being asked for.
    runs "$mayfly" network create --ipv6 random
    runs "$mayfly" network inspect random
    grep -Eq '"Subnet":"fd[0-9a-f]{2}:[0-9a-f:]*::/64"' "$TEST_DIR/out" || fail "no such subnet"
    runs "$mayfly" network create plain
    runs "$mayfly" network inspect plain
    ! grep -q '"fd' "$TEST_DIR/out" || fail "IPv6 without being asked for"
    runs "$mayfly" -q -i "$busybox" -n plain -S '! ip -6 addr show dev eth0 | grep inet6'
    run "$mayfly" network create --ipv6 --subnet fd00::/48 x
    expect_complaint 125 'fd00::/48' 64
    run "$mayfly" network create --subnet fd00::/64 x
    expect_complaint '2|125' 'fd00::/64' ipv6
    run "$mayfly" network create --ipv6 --subnet fd12:3456:789a:6::/64 x
    expect_complaint 125 'fd12:3456:789a:6::/64' six
}

test_network_ls() {
    fresh_store
    runs "$mayfly" network ls
    expect_same "$(awk '{ print $2 }' "$TEST_DIR/out" | tr '\n' ' ')" 'ID bridge host nat none '
    runs "$mayfly" network create a
    runs "$mayfly" network create --internal=false b
    runs "$mayfly" network ls -q --no-trunc
    expect_same "$(grep -c '^[0-9a-f]\{64\}$' "$TEST_DIR/out")" 6
    runs "$mayfly" network ls -f name=a --format json
    grep -q '"Driver":"bridge".*"Internal":true,"Name":"a"' "$TEST_DIR/out" || fail "no such object"
    runs "$mayfly" network inspect b
    grep -q '"Internal":false' "$TEST_DIR/out" || fail "b leads nowhere"
    # By the beginning of its id, too; two subnets never overlap.
    runs "$mayfly" network inspect "$("$mayfly" network ls -q -f name=b | tail -n 1)" a
    expect_same "$(grep -o '"Subnet":"[^"]*"' "$TEST_DIR/out" | sort -u | wc -l)" 2
    run "$mayfly" network inspect a nosuch
    [ "$status" = 125 ] || fail "status"
    expect_err nosuch
    grep -q '"Name":"a"' "$TEST_DIR/out" || fail "the one that is there is left out"
}

test_network_commands_that_are_wrong() {
    fresh_store
    run "$mayfly" network fly
    expect_complaint 2 fly
    run "$mayfly" network create
    expect_complaint 2 create
    run "$mayfly" network create --subnet 10.0.0.1/24 x
    expect_complaint 125 '10.0.0.1/24'
    run "$mayfly" network create --gateway 10.0.0.200 --subnet 10.0.0.0/24 x
    expect_complaint 125 '10.0.0.200' 'lower half'
    run "$mayfly" network create --mtu 10 x
    expect_complaint 2 mtu
    run "$mayfly" network create bridge
    expect_complaint 125 bridge
    run "$mayfly" network create 'a b'
    expect_complaint 125 'a b'
    runs "$mayfly" network create --subnet 10.0.0.0/24 x
    run "$mayfly" network create x
    expect_complaint 125 'x already'
    run "$mayfly" network create --subnet 10.0.0.128/25 y
    expect_complaint 125 'overlaps' 'x'
    run "$mayfly" -i "$busybox" -n x -p 80:80 -S true
    expect_complaint 125 'x' 'internal=false'
    run "$mayfly" port nosuch
    expect_complaint 125 nosuch
}

test_the_host_reaches_containers_where_it_shall() {
    only root
    fresh_store
    local peer listener answer
    runs "$mayfly" network create --host-access reach
    mkdir t && mkfifo t/address
    "$mayfly" -q -i "$busybox" -n reach --timeout 60 -v "$PWD/t:/t" --name node \
        -S "$address >/t/address; nc -l -p 7000 -e /bin/cat" \
        -S 'nc -w 1 $(ip route | sed -n "s/^\([0-9.]*\)0\/20.*/\11/p") 7777 </dev/null; echo status $?' >out &
    read -r peer <t/address
    busybox nc -ll -p 7777 -e /bin/cat >/dev/null 2>&1 </dev/null &
    listener=$!
    until (: <>/dev/tcp/127.0.0.1/7777) 2>/dev/null; do :; done
    until answer=$(echo from the host | busybox nc -w 5 "$peer" 7000); do :; done
    ends_with 0 %1
    kill $listener
    wait $listener 2>/dev/null
    expect_same "$answer" 'from the host'
    # The container cannot begin a conversation of its own.
    expect_same "$(cat out)" 'status 1'
    while ip -o link | grep -q mayfly; do :; done
    [ -z "$(nft list tables 2>/dev/null)" ] || fail "rules are left"
}

test_networks_with_a_side_of_the_hosts_are_roots() {
    only subuid single
    fresh_store
    runs "$mayfly" network create --host-access reach
    run "$mayfly" -i "$busybox" -n reach -S true
    expect_complaint 125 reach root
}

test_a_network_without_an_address_left() {
    fresh_store
    runs "$mayfly" network create --subnet 10.123.9.0/29 tiny
    make_fifos
    "$mayfly" -q -i "$busybox" -n tiny --timeout 60 "${fifos[@]}" -S 'echo ready >/told; read x </go' &
    await ready
    run "$mayfly" -q -i "$busybox" -n tiny -S true
    expect_complaint 125 'network tiny' 'every address' 'in use'
    let_go
    ends_with 0 $!
    runs "$mayfly" -q -i "$busybox" -n tiny -S true
}
