# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Root's process that reads an image, were a library of its turned against it.

# A library that is asked for when an image is read, whose maker means harm: it tries all that it
# can, and says what it got.
make_trap() {
    cat >trap.c <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
static void got(const char *what, long r) {
    char text[100];
    if (r >= 0)
        (void)!write(2, text, (size_t)snprintf(text, sizeof text, "got %s\n", what));
}
static long speak(const char *path, int listens) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(to.sun_path, path);
    if (listens)
        return bind(fd, (struct sockaddr *)&to, sizeof to) < 0 ? -1 : listen(fd, 9);
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}
__attribute__((constructor)) static void spring(void) {
    const char *dir = getenv("TRAP_DIR"), *set = getenv("TRAP_SET");
    char path[4096];
    DIR *fds = opendir("/proc/self/fd");
    struct dirent *e;
    if (!set)
        return;
    unsetenv("TRAP_SET");
    if (strcmp(set, "listen") == 0) {
        speak("socket", 1);
        return;
    }
    (void)!write(2, "sprung\n", 7);
    snprintf(path, sizeof path, "%s/made", dir);
    got("a file", open(path, O_CREAT | O_WRONLY, 0600));
    snprintf(path, sizeof path, "%s/victim", dir);
    got("writing", open(path, O_WRONLY));
    got("a mode", chmod(path, 04777));
    got("an owner", chown(path, 1, 1));
    while (fds && (e = readdir(fds))) {
        /* Around the mounts, by what was open before. */
        snprintf(path, sizeof path, "../../../../../../../../../../..%s/victim", dir);
        got("a mode by a descriptor", fchmodat(atoi(e->d_name), path, 0777, 0));
        got("writing by a descriptor", openat(atoi(e->d_name), path, O_WRONLY));
    }
    snprintf(path, sizeof path, "%s/victim", dir);
    got("a removal", unlink(path));
    snprintf(path, sizeof path, "%s/socket", dir);
    got("a service", speak(path, 0));
    snprintf(path, sizeof path, "%s/disk", dir);
    got("a disk", open(path, O_RDONLY));
    got("a node", mknod("disk", S_IFBLK | 0600, makedev(8, 0)));
    got("a trace", ptrace(PTRACE_SEIZE, atoi(getenv("TRAP_PID")), 0, 0));
    got("a signal", kill(atoi(getenv("TRAP_PID")), 0));
    snprintf(path, sizeof path, "echo evil >%s/made 2>/dev/null", dir);
    got("a program that writes", system(path) == 0 ? 0 : -1);
    got("a switch", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    /* The rest only where it should not come to anything. */
    if (strcmp(set, "harmless") == 0)
        return;
    got("another's root", chroot("/proc/1/root"));
    got("a mount", mount("none", "/mnt", "tmpfs", 0, NULL));
    got("a mount that can be written", mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    got("a namespace", unshare(CLONE_NEWNS));
    got("a user", unshare(CLONE_NEWUSER) == 0 ? mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL) : -1);
}
END
    cc -shared -fPIC -Wl,-soname,libisal.so.2 -o libisal.so.2 trap.c || fail "no library"
}

# sprung COMMAND...: with the trap set
sprung() {
    run env LD_LIBRARY_PATH="$PWD/libraries" TRAP_SET=1 "$@"
    [ "$(grep -c sprung "$TEST_DIR/err")" -gt 0 ] || fail "the trap was not sprung"
    ! grep '^got' "$TEST_DIR/err" || fail "something was got"
}

test_a_parser_that_is_turned_against_root() {
    only root
    local got
    not_sanitized "a library of one's own"
    fresh_store
    make_trap
    mkdir libraries harm
    cp libisal.so.2 libraries/
    export TRAP_DIR=$PWD/harm TRAP_PID=$$
    echo precious >harm/victim
    mknod -m 666 harm/disk c 1 5
    (cd harm && exec env TRAP_SET=listen LD_PRELOAD="$PWD/../libisal.so.2" sleep 1000) &
    until_true test -S harm/socket
    # All of it is there to be got by whoever is root.
    (exec 5<harm && run env TRAP_SET=harmless LD_PRELOAD="$PWD/libisal.so.2" true)
    for got in 'a file' writing 'a mode' 'an owner' 'a removal' 'a mode by a descriptor' 'a service' 'a disk' 'a signal' 'a program that writes'; do
        grep -qx "got $got" "$TEST_DIR/err" || fail "not got: $got"
    done
    rm -f harm/made
    echo precious >harm/victim
    chmod 600 harm/victim

    gzip -nc "$busybox" >image.tar.gz
    sprung "$mayfly" import image.tar.gz
    sprung "$mayfly" import - <image.tar.gz
    sprung "$mayfly" -q -n none -i image.tar.gz -S true
    mkdir archive
    cp image.tar.gz archive/layer.tar
    echo "{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": {}, \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:$(sha256sum <"$busybox" | cut -d' ' -f1)\"]}}" >archive/config.json
    echo '[{"Config":"config.json","RepoTags":["trap:latest"],"Layers":["layer.tar"]}]' >archive/manifest.json
    tar -C archive -cf archive.tar manifest.json config.json layer.tar
    # A layer that is there is not read again.
    MAYFLY_STORE=$TEST_DIR/second sprung "$mayfly" load -q -i archive.tar
    MAYFLY_STORE=$TEST_DIR/third sprung "$mayfly" load -q <archive.tar
    expect_same "$(cat harm/victim; stat -c '%a %u' harm/victim; ls harm)" $'precious\n600 0\ndisk\nsocket\nvictim'
    kill %1
    wait
}
