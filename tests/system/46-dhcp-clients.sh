# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Other people's DHCP clients in containers: each gets a lease from mayfly's
# server, renews it and gives it back.  What the server saw stands in the
# messages of --debug; the first lease is that of mayfly's own client.

# client PROGRAM OPTION... <SCRIPT: as root of the host's files with an interface that has no
# address; the server's side of it is in $seen, a word a message
client() {
    [ -x "$(command -v "$1")" ] || promised "no $1"
    shift
    {
        echo 'set -e; address=$(ip -4 -o addr show eth0 | tr "/" " " | cut -d " " -f 7)'
        echo 'ip addr flush dev eth0; exec 3<>/run/events.fifo'
        # said WORD: until the script of the client has said so
        echo 'said() { while read -r event <&3; do [ "$event" != "$*" ] || return 0; done; }'
        cat
        # What was sent has been dealt with when a later question is answered.
        echo 'ip addr replace $address/20 dev eth0; busybox nslookup guest >/dev/null'
    } >script
    runs "$mayfly" --debug -i host: --hostname guest --timeout 60 --tmpfs /run -v "$PWD/script:/opt/script:ro" \
        --cap-add NET_ADMIN --cap-add NET_RAW --cap-add NET_BROADCAST "$@" -S 'mkfifo /run/events.fifo' -X bash /opt/script ';'
    seen=$(sed -n 's/^mayfly: network mayfly0: DHCP: \(.*\) [0-9.]*$/\1/p' "$TEST_DIR/err" | tr '\n' ',')
}
# event SCRIPT: the shell line that makes a program which says a word
event='says() { printf "#!/bin/sh\n%s\n" "$1" >/run/says; chmod +x /run/says; }'

test_udhcpc_in_a_container() {
    client busybox <<END
$event
says 'case \$1 in bound) ip addr add \$ip/\$mask dev \$interface;; deconfig) ip addr flush dev \$interface;; esac; echo \$1 \$ip >/run/events.fifo'
busybox udhcpc -f -i eth0 -R -t 30 -s /run/says >/run/out 2>&1 &
said bound \$address
kill -USR1 \$!
said renew \$address
kill -USR2 \$!
said deconfig
kill \$!
wait
END
    # It asks before it listens, and so may have to ask again.
    [[ "$seen" =~ ^given,offered,given,(given,)+given\ back,$ ]] || fail "the server saw: $seen"
}

test_dhclient_in_a_container() {
    client dhclient <<END
$event
says 'echo \$reason \$new_ip_address \$new_host_name >/run/events.fifo; case \$reason in BOUND|REBOOT) ip addr add \$new_ip_address/20 dev \$interface;; esac; exit 0'
dhclient() { command dhclient -v -sf /run/says -lf /run/leases -pf /run/pid -cf /run/conf "\$@" >>/run/out 2>&1; }
printf '%s;' 'supersede dhcp-renewal-time 2' 'supersede dhcp-rebinding-time 300' 'request subnet-mask, host-name' >/run/conf
dhclient -1 eth0
said BOUND \$address guest
said RENEW \$address guest
# Again, with the lease that it has: a request without an offer.
kill \$(cat /run/pid)
while kill -0 \$(cat /run/pid) 2>/dev/null; do :; done
dhclient -1 eth0
said REBOOT \$address guest
dhclient -r eth0
said RELEASE
END
    [[ "$seen" =~ ^given,offered,given,given,(given,)+given\ back,$ ]] || fail "the server saw: $seen"
}

test_dhcpcd_in_a_container() {
    # It writes to /proc/sys.
    client dhcpcd --privileged <<END
$event
says 'echo \$reason \$new_ip_address >/run/events.fifo'
mount -t tmpfs none /var/lib/dhcpcd 2>/dev/null || rm -rf /var/lib/dhcpcd/*
dhcpcd() { exec dhcpcd -4 -B -A -f /dev/null -c /run/says "\$@" >>/run/out 2>&1; }
# A signal is lost on it while it deals with the end of its script.
insist() { (while kill -\$1 \$2; do sleep 0.1; done) 2>/dev/null & }
dhcpcd eth0 &
pid=\$!
said BOUND \$address
insist USR1 \$pid
said RENEW \$address
kill \$!
insist ALRM \$pid
said STOPPED
wait
# It has the address by other means, and asks for the rest.
ip addr add \$address/20 dev eth0
dhcpcd --inform=\$address/20 eth0 &
pid=\$!
said INFORM \$address
insist TERM \$pid
said STOPPED
wait
END
    [[ "$seen" =~ ^given,offered,given,(given,)+given\ back,(asked\ about,)+$ ]] || fail "the server saw: $seen"
}

test_systemd_networkd_in_a_container() {
    # It becomes another user.
    only root subuid
    command -v dbus-daemon >/dev/null || promised "no dbus-daemon"
    client networkctl <<'END'
mkdir -p /run/systemd/network /run/dbus
printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n[DHCPv4]\nClientIdentifier=mac\nRapidCommit=yes\n' >/run/systemd/network/10-eth0.network
dbus-daemon --system --fork --nopidfile
ip -o monitor address >/run/events.fifo &
/lib/systemd/systemd-networkd >/run/out 2>&1 &
server=$!
while read -r event <&3; do [[ $event != *" $address/"* ]] || break; done
networkctl renew eth0
while read -r event <&3; do [[ $event != *" $address/"* ]] || break; done
kill $server
wait $server
END
    expect_same "$seen" 'given,offered,given,given,given back,'
}
