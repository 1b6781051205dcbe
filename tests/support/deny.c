/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command on a kernel that lacks a system call.
 *
 *   deny [-p] CALL COMMAND [ARG]...
 *
 * The call fails with ENOSYS for the command and all that it starts, as on a
 * kernel that has never heard of it; with -p by EPERM, as under a container
 * engine's filter.  CALL may be linux-5.11, for all that this kernel has never
 * heard of; or linux-5.10, where moreover no overlay (a mount with the flag MS_NODEV
 * alone) can be mounted by mount(2).  An unprivileged user can set a filter only by giving up
 * set-user-ID programs.
 */
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned number;
    unsigned level;
} calls[] = {
    {"clone3", SYS_clone3, 0},
    {"close_range", SYS_close_range, 0},
    {"fsmount", SYS_fsmount, 0},
    {"fsopen", SYS_fsopen, 0},
    {"linux-5.10", SYS_mount_setattr, 2},
    {"linux-5.11", SYS_mount_setattr, 1},
    {"mount_setattr", SYS_mount_setattr, 0},
    {"move_mount", SYS_move_mount, 0},
    {"open_tree", SYS_open_tree, 0},
    {"openat2", SYS_openat2, 0},
    {"pidfd_open", SYS_pidfd_open, 0},
    {"pivot_root", SYS_pivot_root, 0},
    {"sethostname", SYS_sethostname, 0},
    {"unshare", SYS_unshare, 0},
};

/* For a level above 0 also those with higher numbers, above 1 overlays too. */
static int deny(unsigned number, unsigned level, int error) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | (level > 0 ? BPF_JGE : BPF_JEQ) | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, level > 1 ? SYS_mount : UINT_MAX, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MS_NODEV, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv) {
    int error = ENOSYS;

    if (argc > 1 && strcmp(argv[1], "-p") == 0) {
        error = EPERM;
        argv++;
        argc--;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: deny [-p] CALL COMMAND [ARG]...\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(argv[1], calls[i].name) != 0)
            continue;
        if (deny(calls[i].number, calls[i].level, error) == 0)
            execvp(argv[2], argv + 2);
        perror("deny");
        return 2;
    }
    fprintf(stderr, "deny: unknown call %s\n", argv[1]);
    return 2;
}
