# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Hosts that systemd manages, in a container of which it is the init: it gives
# mayfly a scope, whose groups are mayfly's to make.

# What is done on such a host: a run with limits, from a group that holds other processes too.
look='mkfifo -m 666 "$1/told" "$1/go"
    MAYFLY_STORE=$1/store /mayfly -q -n none -i /img -m 32m --pids 20 -v "$1/told:/told" -v "$1/go:/go" \
        -S "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; echo ready >/told; read x </go" &
    [ "$(timeout 60 cat "$1/told")" = ready ] || exit 9
    own=$(cut -d: -f3 "/proc/$!/cgroup")
    echo "$own" | sed "s|.*/mayfly-[0-9a-f]*[.]scope.*|in a scope|"
    systemctl $2 show -p Delegate "$(echo "$own" | grep -o "mayfly-[0-9a-f]*[.]scope")"
    timeout 60 sh -c "echo go >$1/go"
    wait $!
    echo "status $?"
    i=0
    while systemctl $2 list-units --no-legend "mayfly-*.scope" | grep -q . && [ $((i += 1)) -lt 100 ]; do sleep 0.1; done
    systemctl $2 list-units --no-legend "mayfly-*.scope"'
expected=$'33554432\n20\nin a scope\nDelegate=yes\nstatus 0'

boot_systemd() {
    needs_debian
    fresh_store
    mkdir img
    tar -C img --no-same-owner -xf "$busybox" 2>/dev/null
    printf '%s\n' "$look" >look
    runs "$mayfly" run -d --name it --init-system --privileged -n none -m 600m --pids 1000 --cpuset 0-1 -v "$mayfly:/mayfly:ro" -v "$PWD/img:/img:ro" -v "$PWD/look:/look:ro" \
        --tmpfs /store "$debian"
    until_true "$mayfly" exec it test -S /run/systemd/private
    # It says so when all is done, whatever came of it.
    run timeout 60 "$mayfly" exec it systemctl is-system-running --wait
    echo "systemd: $(cat "$TEST_DIR/out")"
}

test_a_scope_of_systemds() {
    only root
    boot_systemd
    runs "$mayfly" exec it systemd-run -q --wait --pipe sh /look /store
    expect_out "$expected"
    # A service of its own needs none.
    runs "$mayfly" exec it systemd-run -q --wait --pipe -p Delegate=yes -E MAYFLY_STORE=/store/store \
        /mayfly -q -n none -i /img -m 32m -S 'cat /sys/fs/cgroup/memory.max'
    expect_out 33554432

    # A user's manager gives one too, of what it was given itself.
    # There is no pam_systemd in the image, which would tell it where its directory is.
    runs "$mayfly" exec it sh -c 'useradd -m -u 1234 person && mkdir -m 700 /store/person && chown person /store/person
        mkdir -p /etc/systemd/system/user@.service.d
        printf "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n" >/etc/systemd/system/user@.service.d/runtime.conf
        systemctl daemon-reload
        systemctl start user@1234.service || { systemctl status user@1234.service user-runtime-dir@1234.service; journalctl -n 30 --no-pager; exit 1; } >&2'
    # Not even of the user's own manager's: as after su.
    local as_person=(exec it systemd-run -q --wait --pipe --uid=person)
    runs "$mayfly" "${as_person[@]}" -E XDG_RUNTIME_DIR=/run/user/1234 sh /look /store/person --user
    expect_out "$expected"
    run "$mayfly" "${as_person[@]}" -E MAYFLY_STORE=/store/person/store /mayfly -n none -i /img --cpuset 0 -S true
    expect_complaint 125 '--cpuset cannot be enforced: the cpuset controller is not delegated' 'delegate.conf'
    # As it says.
    runs "$mayfly" exec it sh -c 'printf "[Service]\nDelegate=cpu cpuset io memory pids\n" >/etc/systemd/system/user@.service.d/delegate.conf
        systemctl daemon-reload; systemctl restart user@1234.service'
    runs "$mayfly" "${as_person[@]}" -E MAYFLY_STORE=/store/person/store /mayfly -q -n none -i /img --cpuset 0 -S nproc
    expect_out 1
    runs "$mayfly" rm -f it
}
