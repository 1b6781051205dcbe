# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a run may have left on the machine, beside processes (see reaper.c):
# compared before and after each test; the look after one is that before the next.

list_mounts() { cut -d' ' -f4- /proc/self/mountinfo | sort; }
list_links() { ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort; }
# Those of other runs on the machine hold processes; a leaving does not, and processes that were left
# are found by the reaper.
list_cgroups() {
    local group top=/sys/fs/cgroup/tests-$mode # a mode's own, see delegate in run-system
    [ -d "$top" ] || top=/sys/fs/cgroup
    find "$top" -type d -name 'mayfly*' 2>/dev/null | sort | while read -r group; do
        [ -n "$(cat "$group/cgroup.procs" 2>/dev/null)" ] || echo "$group"
    done
}

list_store() {
    # Whoever asked for a store of its own looks there too.
    find "$MAYFLY_STORE"/*/{runs,tmp} "$work"/*/store/*/{runs,tmp} -mindepth 1 -maxdepth 1 2>/dev/null | sort
}

# look: remembers what there is, and what there was at the look before
look() {
    store_before=${store_now-} store_now=$(list_store)
    mounts_before=${mounts_now-} mounts_now=$(list_mounts)
    links_before=${links_now-} links_now=$(list_links)
    cgroups_before=${cgroups_now-} cgroups_now=$(list_cgroups)
}

# added KIND BEFORE AFTER: the lines that are in AFTER alone
added() {
    [ "$2" = "$3" ] || comm -13 <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed -n "s|.|$1: &|p"
}

# left_cgroups: those of another run's, which is at work at the same time, are empty for a moment only
left_cgroups() {
    local left end=$((SECONDS + 20))
    left=$(added cgroup "$cgroups_before" "$cgroups_now")
    while [ "$SECONDS" -lt "$end" ]; do
        [ -n "$left" ] || return 0
        sleep 0.02
        left=$(comm -12 <(printf '%s\n' "$left") <(list_cgroups | sed 's/^/cgroup: /'))
    done
    printf '%s\n' "$left"
}

# leftovers: what has come between the last two looks
leftovers() {
    added mount "$mounts_before" "$mounts_now"
    added interface "$links_before" "$links_now"
    left_cgroups
    added 'in the store' "$store_before" "$store_now"
}
