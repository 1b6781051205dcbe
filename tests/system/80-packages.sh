# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# A package manager at work: what takes files of several owners, set-group-ID
# programs, and a process that drops its privileges (apt's own user _apt).

test_apt_get_install_from_a_local_repository() {
    needs_debian
    cp -r "$images/packages" repository
    runs "$mayfly" -i "$debian" -v "$PWD/repository:/repository:ro" \
        -S 'rm -rf /etc/apt/sources.list.d/*; echo "deb [trusted=yes] file:/repository ./" >/etc/apt/sources.list' \
        -S 'apt-get update' \
        -S 'apt-get install -y mayfly-greeting' \
        -S 'mayfly-greeting' \
        -S 'stat -c "%n %A" /usr/bin/mayfly-greeting /var/lib/mayfly-greeting; dpkg -s mayfly-greeting | grep Status' \
        -S 'dpkg --audit; apt-get -y remove mayfly-greeting mayfly-words; ! command -v mayfly-greeting'
    local line
    for line in 'good morning' 'Status: install ok installed' '/usr/bin/mayfly-greeting -rwxr-sr-x' '/var/lib/mayfly-greeting drwxrws---'; do
        grep -qxF "$line" "$TEST_DIR/out" || fail "expected on standard output: $line"
    done
    expect_no_err '^[WE]:'
    ! grep -q '^[WE]:' "$TEST_DIR/out" || fail "apt complains"
}

test_apt_get_installs_files_of_other_owners() {
    only root subuid
    needs_debian
    cp -r "$images/packages" repository
    runs "$mayfly" -q -i "$debian" -v "$PWD/repository:/repository:ro" \
        -S 'rm -rf /etc/apt/sources.list.d/*; echo "deb [trusted=yes] file:/repository ./" >/etc/apt/sources.list' \
        -S 'apt-get -qq update && apt-get -qq install -y mayfly-greeting >/dev/null 2>&1' \
        -S 'stat -c "%U:%G" /usr/bin/mayfly-greeting /var/lib/mayfly-greeting /var/lib/mayfly-words/words'
    expect_out $'root:mail\ngames:games\ngames:games'
}

test_apt_keeps_its_own_user() {
    needs_debian
    runs "$mayfly" -q -i "$debian" -S 'id -u _apt >/dev/null; apt-config dump APT::Sandbox::User'
    expect_out 'APT::Sandbox::User "_apt";'
}

test_tar_as_root_inside() {
    needs_debian
    runs "$mayfly" -q -i "$debian" -W /tmp -S 'mkdir d; touch d/f; chown games:mail d/f; chmod 4750 d/f; tar cf d.tar d; rm -r d; tar xpf d.tar; stat -c %a d/f'
    expect_out 4750
}

test_su_to_another_user() {
    needs_debian
    runs "$mayfly" -q -i "$debian" -S 'su -s /bin/sh games -c "id -un; id -gn"'
    expect_out $'games\ngames'
}

test_setpriv_to_another_user() {
    only root subuid
    needs_debian
    runs "$mayfly" -q -i "$debian" -S 'setpriv --reuid games --regid games --init-groups id -un'
    expect_out games
}
