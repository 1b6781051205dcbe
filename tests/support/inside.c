/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program inside a container would try that has no command in busybox:
 *
 *   inside euid                     print the effective user id
 *   inside keyring NAME             look for a key "user" NAME in the session keyring
 *   inside add-key NAME COMMAND...  put such a key into a new session keyring, then run COMMAND
 *   inside sti DESCRIPTOR           type into a terminal, in every way that there is
 *   inside mknod PATH MAJOR MINOR   make a node of a block device and open it
 *   inside ptrace PID               attach to a process, read its memory
 *   inside hunt STOP                attach to and look into every process until there is a STOP
 *   inside abstract NAME            connect to an abstract socket
 *   inside serve NAME COMMAND...    listen on one while COMMAND runs
 *   inside landlock                 print which version of Landlock the kernel has
 *   inside groups                   print the supplementary groups
 *   inside setgroups GROUP          drop to one supplementary group
 *   inside chroot                   climb out of a chroot by a descriptor of the root
 *   inside try CALL                 bpf, perf, userfaultfd, io_uring, userns, mountns, add_key
 *                                   or handle
 *
 * Prints what it got ("open", "refused: EPERM") and exits 0 when the kernel let it, 1 when not.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Says how a call went. */
static int report(const char *what, long r) {
    if (r < 0)
        printf("%s refused: %s\n", what, strerrorname_np(errno));
    else
        printf("%s let through\n", what);
    return r < 0 ? 1 : 0;
}

static long find_key(const char *name) {
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
}

static int add_key_and_run(const char *name, char **command) {
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
        syscall(SYS_add_key, "user", name, "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0 ||
        find_key(name) < 0)
        return report("add-key", -1) + 2;
    execvp(command[0], command);
    return 127;
}

/* The kernel looks at the low half of a request: every high half is the same request. */
static int type_into(int fd) {
    static const unsigned long high[] = {0, 1UL << 32, 0x7fffffffUL << 32, 0xffffffffUL << 32};
    struct {
        char subcode;
        char rest[15];
    } paste = {.subcode = 3};
    const char letter = '!';
    int worst = 1;

    for (size_t i = 0; i < sizeof high / sizeof *high; i++) {
        worst &= report("TIOCSTI", syscall(SYS_ioctl, fd, high[i] | TIOCSTI, &letter));
        worst &= report("TIOCLINUX", syscall(SYS_ioctl, fd, high[i] | TIOCLINUX, &paste));
    }
    return worst;
}

static int make_disk(const char *path, int major, int minor) {
    int worst =
        report("mknod", mknod(path, S_IFBLK | 0666, makedev((unsigned)major, (unsigned)minor)));

    return worst & report("open", open(path, O_RDONLY));
}

static int attach(pid_t pid) {
    char byte, path[64];
    struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)0x400000, 1};
    int worst = report("attach", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
    static const char *const files[] = {"mem", "environ", "root", "cwd", "fd", "maps", "exe"};

    worst &= report("read", process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 ? 0
                            : errno == EFAULT                                    ? 0
                                                                                 : -1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, files[i]);
        errno = 0;
        worst &= report(path, open(path, O_RDONLY));
    }
    return worst;
}

/* Whether a process's program, which can be opened, is one of the container's: busybox or this. */
static int is_own(int exe) {
    static const char *const programs[] = {"/bin/busybox", "/inside"};
    struct stat a, b;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (fstat(exe, &a) == 0 && stat(programs[i], &b) == 0 && a.st_ino == b.st_ino &&
            a.st_dev == b.st_dev)
            return 1;
    return 0;
}

/* Takes hold of a process in every way, and tells what should not be to be had. */
static void seize(const char *pid, const char *stop) {
    static int told;
    char path[64], link[64];
    int exe, traced = ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) == 0;

    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    exe = open(path, O_RDONLY);
    if (exe >= 0 && !is_own(exe))
        printf("reached the program of %s\n", pid);
    else if (exe < 0 && traced && kill(atoi(pid), 0) == 0 && errno == EACCES)
        printf("traced %s\n", pid);
    else if (traced && exe >= 0 && !told++)
        printf("caught one of its own\n");
    if (exe >= 0)
        close(exe);
    for (int fd = 3; fd < 12; fd++) {
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, fd);
        n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        /* Whoever makes it has it open. */
        if (n > 0 && strcmp(link, stop) != 0 && strncmp(link, "/dev/", 5) != 0 &&
            strncmp(link, "pipe:", 5) != 0)
            printf("a descriptor of %s: %s\n", pid, link);
    }
}

static int hunt(const char *stop) {
    while (access(stop, F_OK) < 0) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;

        while (proc && (entry = readdir(proc)))
            if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
                seize(entry->d_name, stop);
        if (proc)
            closedir(proc);
        /* Whom one traces ends for one first. */
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
    }
    return 0;
}

static socklen_t abstract(const char *name, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "%s", name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static int serve(const char *name, char **command) {
    struct sockaddr_un address;
    socklen_t size = abstract(name, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
    pid_t pid;

    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4) < 0)
        return report("serve", -1) + 2;
    pid = fork();
    if (pid == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int connect_to(const char *name) {
    struct sockaddr_un address;
    socklen_t size = abstract(name, &address);

    return report("connect",
                  connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size));
}

static int print_groups(void) {
    gid_t groups[64];
    int n = getgroups(64, groups);

    for (int i = 0; i < n; i++)
        printf("%u\n", groups[i]);
    return n < 0;
}

static int try(const char *what) {
    char attribute[128] = {0};
    struct file_handle *handle = (struct file_handle *)(void *)attribute;

    if (strcmp(what, "bpf") == 0)
        return report(what, syscall(SYS_bpf, 5, attribute, sizeof attribute));
    if (strcmp(what, "perf") == 0)
        return report(what, syscall(SYS_perf_event_open, attribute, 0, -1, -1, 0));
    if (strcmp(what, "userfaultfd") == 0)
        return report(what, syscall(SYS_userfaultfd, 1));
    if (strcmp(what, "io_uring") == 0)
        return report(what, syscall(SYS_io_uring_setup, 1, attribute));
    if (strcmp(what, "userns") == 0)
        return report(what, unshare(CLONE_NEWUSER));
    if (strcmp(what, "mountns") == 0)
        return report(what, unshare(CLONE_NEWNS));
    if (strcmp(what, "add_key") == 0)
        return report(what, syscall(SYS_add_key, "user", "k", "v", 1, KEY_SPEC_PROCESS_KEYRING));
    if (strcmp(what, "handle") == 0) {
        /* The "shocker": the inode 2 of a file system of the host's, by its number. */
        handle->handle_bytes = 8;
        handle->handle_type = 1;
        handle->f_handle[0] = 2;
        return report(what, open_by_handle_at(open("/", O_RDONLY), handle, O_RDONLY));
    }
    return 2;
}

/* With a descriptor of the root outside of a chroot one climbs out of it: as far as the container.
 */
static int climb_out(void) {
    int root = open("/", O_RDONLY | O_DIRECTORY);

    mkdir("/tmp/jail", 0755);
    if (root < 0 || chroot("/tmp/jail") < 0 || fchdir(root) < 0)
        return report("chroot", -1);
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            return report("climb", -1);
    return report("climb", chroot("."));
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "", *first = argc > 2 ? argv[2] : "";

    setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(what, "euid") == 0)
        return printf("%u\n", geteuid()) < 0;
    if (strcmp(what, "keyring") == 0)
        return report(what, find_key(first));
    if (strcmp(what, "add-key") == 0 && argc > 3)
        return add_key_and_run(first, argv + 3);
    if (strcmp(what, "sti") == 0)
        return type_into(atoi(first));
    if (strcmp(what, "mknod") == 0 && argc > 4)
        return make_disk(first, atoi(argv[3]), atoi(argv[4]));
    if (strcmp(what, "ptrace") == 0)
        return attach(atoi(first));
    if (strcmp(what, "hunt") == 0)
        return hunt(first);
    if (strcmp(what, "abstract") == 0)
        return connect_to(first);
    if (strcmp(what, "serve") == 0 && argc > 3)
        return serve(first, argv + 3);
    if (strcmp(what, "landlock") == 0)
        return printf("%ld\n", syscall(SYS_landlock_create_ruleset, NULL, 0, 1)) < 0;
    if (strcmp(what, "groups") == 0)
        return print_groups();
    if (strcmp(what, "setgroups") == 0) {
        gid_t group = (gid_t)atoi(first);

        return report(what, setgroups(1, &group));
    }
    if (strcmp(what, "chroot") == 0)
        return climb_out();
    return try(first);
}
