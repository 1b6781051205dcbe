/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that one of our containers can cost: what the kernel has to be
 * asked for, and nothing else.  No plan, no checks, no record of the run, no
 * care for a failure beyond giving up.
 *
 *   limit [-n STEPS] DIRECTORY
 *
 * DIRECTORY has layer/, an unpacked root file system with a static /bin/sh.
 * Seven namespaces; the id maps; an overlay over the layer with upper and work
 * beside it; proc, a /dev with six devices, devpts and shm, sysfs read-only;
 * pivot_root; loopback up; STEPS times (default 1) `sh -c true` as a child of
 * PID 1; upper and work removed.  With -n the cost of one more fork, exec and
 * wait of the same shell comes out.
 *
 * Root maps a range of ids that belongs to nobody and shifts the directory by
 * an ID-mapped mount; a user maps the one id there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(long result, const char *what) {
    if (result < 0) {
        perror(what);
        _exit(125);
    }
}

static int sys_open_tree(const char *path) {
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    check(fd, path);
    return fd;
}

static void attach(int mount_fd, int dir_fd, const char *path) {
    check(syscall(SYS_move_mount, mount_fd, "", dir_fd, path, MOVE_MOUNT_F_EMPTY_PATH), path);
}

struct option {
    const char *key;
    const char *value; /* NULL: a flag */
};

/* A mount of a new file system, not attached yet. */
static int new_mount(const char *type, const struct option *options, unsigned attributes) {
    int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), fd;

    check(fs, type);
    for (; options && options->key; options++)
        check(syscall(SYS_fsconfig, fs, options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
                      options->key, options->value, 0),
              options->key);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
    fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
    check(fd, type);
    close(fs);
    return fd;
}

static int mount_overlay(int tree, const char *run) {
    char paths[3][64];
    struct option options[] = {{"lowerdir", paths[0]}, {"upperdir", paths[1]},
                               {"workdir", paths[2]},  {"volatile", NULL},
                               {"userxattr", NULL},    {NULL, NULL}};
    char name[3][64];
    int fd, fds[3];

    snprintf(name[0], sizeof *name, "layer");
    snprintf(name[1], sizeof *name, "%s/upper", run);
    snprintf(name[2], sizeof *name, "%s/work", run);
    attach(tree, AT_FDCWD, "/");
    for (int i = 0; i < 3; i++) {
        fds[i] = openat(tree, name[i], O_PATH | O_CLOEXEC);
        check(fds[i], name[i]);
        snprintf(paths[i], sizeof *paths, "/proc/self/fd/%d", fds[i]);
    }
    fd = new_mount("overlay", options, 0);
    check(umount2("/", MNT_DETACH), "umount");
    attach(fd, AT_FDCWD, "/");
    return fd;
}

static void mount_dev(int root) {
    static const struct option dev_options[] = {{"mode", "755"}, {"size", "64k"}, {NULL, NULL}};
    static const struct option pts_options[] = {{"ptmxmode", "666"}, {"mode", "620"}, {NULL, NULL}};
    static const struct option shm_options[] = {{"mode", "1777"}, {NULL, NULL}};
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {{"pts/ptmx", "ptmx"},
                                           {"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"}};
    int dev = new_mount("tmpfs", dev_options, MOUNT_ATTR_NOSUID);

    attach(dev, root, "dev");
    for (size_t i = 0; i < 6; i++) {
        char path[16];
        int device;

        snprintf(path, sizeof path, "/dev/%s", devices[i]);
        device = sys_open_tree(path);
        check(mknodat(dev, devices[i], S_IFREG | 0644, 0), path);
        attach(device, dev, devices[i]);
        close(device);
    }
    for (size_t i = 0; i < 5; i++)
        check(symlinkat(links[i][0], dev, links[i][1]), links[i][1]);
    check(mkdirat(dev, "pts", 0755), "pts");
    check(mkdirat(dev, "shm", 01777), "shm");
    attach(new_mount("devpts", pts_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), dev, "pts");
    attach(new_mount("tmpfs", shm_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), dev, "shm");
}

static void loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    check(fd, "socket");
    check(ioctl(fd, SIOCSIFFLAGS, &request), "loopback");
    close(fd);
}

static int step(void) {
    int status = 0;
    pid_t pid = vfork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "true", NULL);
        _exit(127);
    }
    check(waitpid(pid, &status, 0), "wait");
    return WEXITSTATUS(status);
}

/* PID 1 of the container. */
static _Noreturn void child(int tree, const char *run, long n_steps) {
    const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    int root, status = 0;

    check(setresgid(0, 0, 0), "setresgid");
    check(setresuid(0, 0, 0), "setresuid");
    root = mount_overlay(tree, run);
    attach(new_mount("proc", NULL, attributes), root, "proc");
    mount_dev(root);
    attach(new_mount("sysfs", NULL, attributes | MOUNT_ATTR_RDONLY), root, "sys");
    check(fchdir(root), "fchdir");
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount");
    check(chdir("/"), "chdir");
    loopback_up();
    while (n_steps-- > 0)
        status = step();
    _exit(status);
}

static void write_file(pid_t pid, const char *name, const char *text) {
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    check(fd, path);
    check(write(fd, text, strlen(text)), path);
    close(fd);
}

static void write_maps(pid_t pid) {
    char uids[64] = "0 1000000 65536", gids[64] = "0 1000000 65536";

    if (geteuid() != 0) {
        snprintf(uids, sizeof uids, "0 %d 1", (int)geteuid());
        snprintf(gids, sizeof gids, "0 %d 1", (int)getegid());
        write_file(pid, "setgroups", "deny");
    }
    write_file(pid, "uid_map", uids);
    write_file(pid, "gid_map", gids);
}

static void shift_ids(int tree, pid_t pid) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE};
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd, path);
    attr.userns_fd = (uint64_t)fd;
    check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr), "mount_setattr");
    close(fd);
}

static void remove_run(int dir, const char *run) {
    static const char *const names[] = {
        "work/work/incompat/volatile", "work/work/incompat", "work/work", "work", "upper", ""};
    char path[96];

    snprintf(path, sizeof path, "%s/work/work", run);
    if (geteuid() != 0)
        check(fchmodat(dir, path, 0700, 0), path);
    snprintf(path, sizeof path, "%s/work/work/incompat/volatile/dirty", run);
    check(unlinkat(dir, path, 0), path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        check(unlinkat(dir, path, AT_REMOVEDIR), path);
    }
}

/* The mount that the child will stand on, ids shifted where that is needed and possible. */
static void hand_over_tree(int socket_fd, const char *directory, pid_t pid) {
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {.iov_base = (void *)"x", .iov_len = 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    int tree = -1;

    if (geteuid() == 0) {
        struct cmsghdr *c = (struct cmsghdr *)control;

        tree = sys_open_tree(directory);
        shift_ids(tree, pid);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof tree);
        memcpy(CMSG_DATA(c), &tree, sizeof tree);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }
    check(sendmsg(socket_fd, &message, 0), "sendmsg");
    if (tree >= 0)
        close(tree);
}

static int receive_tree(int socket_fd, const char *directory) {
    char control[CMSG_SPACE(sizeof(int))] = {0}, byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c;
    int tree;

    check(recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC), "recvmsg");
    c = CMSG_FIRSTHDR(&message);
    if (!c)
        return sys_open_tree(directory);
    memcpy(&tree, CMSG_DATA(c), sizeof tree);
    return tree;
}

int main(int argc, char **argv) {
    struct clone_args args = {
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWNET | CLONE_NEWCGROUP,
        .exit_signal = SIGCHLD,
    };
    int option, dir, pair[2], status;
    char run[32], path[64];
    long n_steps = 1;
    pid_t pid;

    while ((option = getopt(argc, argv, "n:")) != -1)
        if (option == 'n')
            n_steps = strtol(optarg, NULL, 10);
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: limit [-n STEPS] DIRECTORY\n");
        return 2;
    }
    dir = open(argv[optind], O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(dir, argv[optind]);
    snprintf(run, sizeof run, "run.%d", (int)getpid());
    check(mkdirat(dir, run, 0700), run);
    snprintf(path, sizeof path, "%s/upper", run);
    check(mkdirat(dir, path, 0755), path);
    snprintf(path, sizeof path, "%s/work", run);
    check(mkdirat(dir, path, 0700), path);
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    check(pid, "clone3");
    if (pid == 0)
        child(receive_tree(pair[1], argv[optind]), run, n_steps);
    write_maps(pid);
    hand_over_tree(pair[0], argv[optind], pid);
    check(waitpid(pid, &status, 0), "wait");
    remove_run(dir, run);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
