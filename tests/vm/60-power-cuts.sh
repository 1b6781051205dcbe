# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# The power goes while images are brought in.
#
# The kernel's dm-log-writes records what reaches the disk that holds the store,
# in the order in which it becomes durable: a write that no flush has followed
# is not among it.  From any beginning of that record follows what the disk
# holds when the power goes there.  MAYFLY_CUTS=N cuts at N random places (10),
# MAYFLY_SEED=N says which, and each time at once after a success was reported.

mib=2048 size=$((96 * mib)) # in sectors
export DM_DISABLE_UDEV=1

# plain NAME SECTORS FIRST-SECTOR: a part of the empty disk
plain() { dmsetup create "$1" --table "0 $2 linear /dev/vdc $3" || fail "no device $1"; }
no_devices() {
    local name
    umount store cut 2>/dev/null
    for name in cut logged data log replica rest; do
        dmsetup info "$name" >/dev/null 2>&1 && { dmsetup remove --retry "$name" || echo "device $name stays"; }
    done
}

make_devices() {
    local module
    for module in dm-mod dm-log-writes dm-snapshot; do modprobe $module || fail "no $module"; done
    plain data $size 0
    plain replica $size $size
    plain rest $size $((2 * size))
    plain log $((400 * mib)) $((3 * size))
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/data || fail "no file system"
    dd if=/dev/mapper/data of=/dev/mapper/replica bs=1M 2>/dev/null
    dmsetup create logged --table "0 $size log-writes /dev/mapper/data /dev/mapper/log" || fail "no log"
    mkdir store cut
    mount /dev/mapper/logged store
}

# An image of many files.
make_many() {
    local i
    mkdir -p many/bin many/d
    cp "$(command -v busybox)" many/bin/busybox
    ln -s busybox many/bin/sh
    for i in {1..150}; do echo "$i $RANDOM" >"many/d/$i"; done
    for i in 1 2 3; do head -c 400000 /dev/urandom >"many/big$i"; done
    tar -C many -czf many.tar.gz .
}

# contents NAME: one sum of all names, kinds, modes, owners and contents
contents() {
    "$mayfly" -q --pull never -i "$1" -n none -X /bin/busybox sh -c '
        b=/bin/busybox
        $b find / -xdev ! -path "/dev/*" ! -path "/proc/*" ! -path "/sys/*" ! -path "/etc/resolv.conf" ! -path /etc/hosts ! -path /etc/hostname \
            -exec $b stat -c "%N %F %a %u %g %s" {} + | $b sort
        $b find / -xdev -type f ! -path "/dev/*" ! -path "/proc/*" ! -path "/sys/*" ! -path "/etc/*" -exec $b sha256sum {} + | $b sort' ';' >listing &&
        sha256sum <listing
}

# bring NAME: brings one image in under this name, from the work directory
bring() {
    case $1 in
    busybox) "$mayfly" load -q -i "$images/busybox-docker.tar" && "$mayfly" tag mayfly.test/busybox:1 busybox ;;
    *) "$mayfly" import "$1.tar.gz" "$1" ;;
    esac >/dev/null
}

# look_at INDEX: at the store as the disk has it after so many writes
look_at() {
    local name index sum count=0
    # Mounting, which replays the journal, and all else go to a copy on write.
    dd if=/dev/zero of=/dev/mapper/rest bs=4k count=2 2>/dev/null
    dmsetup create cut --table "0 $size snapshot /dev/mapper/replica /dev/mapper/rest N 8" || fail "no snapshot"
    mount /dev/mapper/cut cut || fail "cannot mount the disk as it was at $1"
    export MAYFLY_STORE=$PWD/cut/store
    run "$mayfly" doctor --store
    expect_status 0
    while read -r index name; do
        if [ "$index" -lt "$1" ]; then
            sum=$(contents "$name") || fail "at $1: $name had been reported at $index, and does not run"
            [ "$sum" = "${sums[$name]}" ] || fail "at $1: $name had been reported at $index, and is not whole"
            count=$((count + 1))
        elif sum=$(contents "$name" 2>"$TEST_DIR/err"); then
            # Between the last write and the report.
            [ "$sum" = "${sums[$name]}" ] || fail "at $1: $name is there and not whole"
        fi
    done <marks
    # And the next one comes in.
    run bring next
    expect_status 0
    sum=$(contents next)
    [ "$sum" = "${sums[next]}" ] || fail "at $1: the next image is not whole"
    umount cut
    dmsetup remove --retry cut
    echo "cut at write $1: $count images whole"
}

test_power_cuts_while_images_are_brought_in() {
    only root
    local name end previous=0 at
    declare -A sums
    trap no_devices EXIT
    RANDOM=${MAYFLY_SEED:-$RANDOM}
    make_many
    tar -C many --transform 's|^\./d|./e|' -czf next.tar.gz .
    make_devices
    export MAYFLY_STORE=$PWD/store/store
    for name in busybox many; do
        bring $name || fail "cannot bring in $name"
        dmsetup message logged 0 mark $name
    done
    sync
    dmsetup message logged 0 mark last
    for name in busybox many; do sums[$name]=$(contents $name); done
    bring next || fail "cannot bring in next"
    sums[next]=$(contents next)
    umount store
    dmsetup remove --retry logged
    "$helpers/written" /dev/mapper/log >marks
    end=$(sed -n 's/ last$//p' marks)
    sed -i '/ last$/,$d' marks
    [ "$end" -gt 20 ] || fail "only $end writes"
    {
        awk '{ print $1 + 1 }' marks
        for ((at = 0; at < ${MAYFLY_CUTS:-10}; at++)); do echo $((1 + (RANDOM * 32768 + RANDOM) % end)); done
    } | sort -nu >cuts
    echo "$end writes"
    # In ascending order, so that each adds to the one before.
    while read -r at; do
        "$helpers/written" /dev/mapper/log /dev/mapper/replica "$previous" "$at" || fail "cannot write as far as $at"
        previous=$at
        look_at "$at"
    done <cuts
    cat marks
}
