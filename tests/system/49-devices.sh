# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Devices of the host's in a container.

# What can be done with each: r, w, or nothing.
try='try() { (: <$1) 2>/dev/null && echo $1 r; (: >>$1) 2>/dev/null && echo $1 w; chmod 666 $1 2>/dev/null && echo $1 changed; :; }'

test_devices_are_given() {
    runs "$mayfly" -q -n none -i "$busybox" --device /dev/zero:/dev/naught --device /dev/full:/opt/filled:rwm \
        -S "$try; try /dev/naught; try /opt/filled" -S 'head -c 3 /dev/naught | tr "\0" 0; echo; stat -c %t:%T /dev/naught'
    expect_out $'/dev/naught r\n/dev/naught w\n/opt/filled r\n/opt/filled w\n000\n1:5'
    run "$mayfly" -q -n none -i "$busybox" --device /dev/full -u app -S 'echo >/dev/full'
    expect_err 'No space left'
    # Whatever is asked for besides, its permissions stay.
    runs "$mayfly" -q -n none -i "$busybox" --device /dev/zero:/dev/naught --privileged -S "$try; try /dev/naught"
    expect_out $'/dev/naught r\n/dev/naught w'
}

test_devices_of_the_hosts_root() {
    only root
    mknod -m 600 node c 1 5
    runs "$mayfly" -q -n none -i "$busybox" --device "$PWD/node:/dev/made" -u app -S "$try; try /dev/made"
    expect_out $'/dev/made r\n/dev/made w'
    expect_same "$(stat -c '%a %u' node)" '600 0'
    # It is no device where it is no --device.
    runs "$mayfly" -q -n none -i "$busybox" -v "$PWD/node:/dev/made" -v "$PWD:/v" --privileged -S "$try; try /dev/made; try /v/node; echo tried"
    expect_out $'/dev/made changed\n/v/node changed\ntried'
}

test_devices_for_reading_or_writing_alone() {
    only root
    local options
    for options in '' '--privileged' '--cap-add ALL'; do
        # shellcheck disable=SC2086
        runs "$mayfly" -q -n none -i "$busybox" $options --device /dev/zero:/dev/in:r --device /dev/full:/dev/out:wm --device /dev/full:/dev/none:m \
            -S "$try; try /dev/in; try /dev/out; try /dev/none"
        expect_out $'/dev/in r\n/dev/out w'
    done
}

test_devices_of_a_user_cannot_be_narrowed() {
    only subuid single
    run "$mayfly" -n none -i "$busybox" --device /dev/zero:r -S true
    expect_complaint 125 '--device /dev/zero' 'without root' "leave out the ':r'"
}

test_devices_that_are_none() {
    run "$mayfly" -n none -i "$busybox" --device /dev/nowhere -S true
    expect_complaint 125 '--device /dev/nowhere: No such file'
    run "$mayfly" -n none -i "$busybox" --device /dev -S true
    expect_complaint 125 '--device /dev is no device: name those in it'
    run "$mayfly" -n none -i "$busybox" --device /etc/passwd -S true
    expect_complaint 125 '--device /etc/passwd is no device: use -v'
    local text
    for text in zero /dev/zero:x:rw /dev/zero:/a:/b /dev/zero:/a:rx /dev/zero:/a:r:w ''; do
        run "$mayfly" -n none -i "$busybox" --device "$text" -S true
        expect_complaint 2 '--device'
    done
    run "$mayfly" -n none -i "$busybox" --device /dev/zero:/a --tmpfs /a -S true
    expect_complaint 2 '/a' 'already the target'
    run "$mayfly" -r -n none -i "$busybox" --device /dev/zero -S true
    expect_complaint 2 'leave out -r'
}

test_devices_as_podman_takes_and_shows_them() {
    fresh_store
    runs "$mayfly" run --name box -n none --device /dev/zero:/dev/naught "$busybox" sh -c 'head -c 1 /dev/naught | wc -c'
    expect_out 1
    runs "$mayfly" inspect box
    expect_same "$(jq -c '.[0].HostConfig.Devices' "$TEST_DIR/out")" \
        '[{"PathOnHost":"/dev/zero","PathInContainer":"/dev/naught","CgroupPermissions":"rw"}]'
    runs "$mayfly" rm box
}

# What people use it for.
test_devices_make_tunnels() {
    [ -e /dev/net/tun ] || skip "no /dev/net/tun"
    runs "$mayfly" -q -n none -i "$busybox" --device /dev/net/tun --cap-add NET_ADMIN -S 'tunctl -t tap7 >/dev/null && ip -o link show tap7 | cut -d: -f2'
    expect_out ' tap7'
    run "$mayfly" -q -n none -i "$busybox" --cap-add NET_ADMIN -S 'tunctl -t tap7'
    [ "$status" != 0 ] || fail "there was a tunnel without the device"
}
