# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a run may have left on the machine, beside processes (see reaper.c):
# compared before and after each test.

list_mounts() { cut -d' ' -f4- /proc/self/mountinfo | sort; }
list_links() { ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort; }
list_cgroups() { find /sys/fs/cgroup -type d -name '*mayfly*' 2>/dev/null | sort; }

leftovers_before() {
    mounts_before=$(list_mounts)
    links_before=$(list_links)
    cgroups_before=$(list_cgroups)
}

# added KIND BEFORE AFTER: the lines that are in AFTER alone
added() {
    [ "$2" = "$3" ] || comm -13 <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed "s/^/$1: /"
}

# leftovers_in STORE: runs, imports under way
leftovers_in() {
    find "$1"/*/runs "$1"/*/tmp -mindepth 1 -maxdepth 1 2>/dev/null | sed 's/^/in the store: /'
}

leftovers() {
    added mount "$mounts_before" "$(list_mounts)"
    added interface "$links_before" "$(list_links)"
    added cgroup "$cgroups_before" "$(list_cgroups)"
    leftovers_in "$MAYFLY_STORE"
    # Whoever asked for a store of its own looks there too.
    for store in "$work"/*/store; do
        [ ! -d "$store" ] || leftovers_in "$store"
    done
}
