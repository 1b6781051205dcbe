/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter (seccomp_compile.h) answers the chown family with success on the spot and sends
 * the calls that set or get ids to PID 1.  Their answers come from a table of
 * the processes that are not root; one that is not in it is what its nearest
 * ancestor in it is, and root without one, as the kernel says too.  As long as
 * nobody has changed an id the table is empty and an answer costs no look-up.
 *
 * A process is known by its pid and the time it started, as pids come again.
 *
 * What the table promises is made of nothing: no access is decided by it, the
 * kernel goes on seeing the one real user.
 */
#include "emulate.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define KEEP UINT32_MAX
#define MAX_ANCESTORS 64

struct ids {
    uint32_t real, effective, saved;
};

struct identity {
    pid_t pid;
    uint64_t started; /* clock ticks since boot */
    struct ids uid, gid;
    uint32_t groups[USER_MAX_GROUPS];
    uint32_t n_groups;
};

struct emulator {
    int fd;
    int proc_fd; /* -1: "/proc" is right */
    struct seccomp_notif *request;
    struct seccomp_notif_resp *response;
    struct identity *table;
    size_t n;
};

int emulator_new(struct emulator **ret_emulator, int notify_fd, struct err *err) {
    struct emulator *emulator = calloc(1, sizeof *emulator);
    int r = emulator ? seccomp_notify_alloc(&emulator->request, &emulator->response) : -ENOMEM;

    if (r < 0) {
        free(emulator);
        close(notify_fd);
        errno = -r;
        return err_errno(err, "cannot emulate file ownership");
    }
    emulator->fd = notify_fd;
    emulator->proc_fd = -1;
    *ret_emulator = emulator;
    return 0;
}

void emulator_use_proc(struct emulator *emulator, int proc_fd) {
    emulator->proc_fd = proc_fd;
}

int emulator_fd(const struct emulator *emulator) {
    return emulator->fd;
}

static bool is_root(const struct identity *identity) {
    const struct ids *u = &identity->uid, *g = &identity->gid;

    return !(u->real | u->effective | u->saved | g->real | g->effective | g->saved |
             identity->n_groups);
}

/* Reads a file of process @pid's. */
static char *read_proc(const struct emulator *emulator, pid_t pid, const char *name) {
    char path[48], *text = NULL;

    snprintf(path, sizeof path, "%s%d/%s", emulator->proc_fd < 0 ? "/proc/" : "", (int)pid, name);
    return fd_read_file(emulator->proc_fd < 0 ? AT_FDCWD : emulator->proc_fd, path, 65536, &text,
                        NULL) < 0
               ? NULL
               : text;
}

/* The parent and the start of a process; false when it is gone.  Spec: proc(5), /proc/[pid]/stat.
 */
static bool read_stat(const struct emulator *emulator, pid_t pid, pid_t *ret_parent,
                      uint64_t *ret_started) {
    _cleanup_free_ char *text = read_proc(emulator, pid, "stat");
    const char *p;

    if (!text)
        return false;
    /* The name in parentheses may hold anything; the last one ends it. */
    p = strrchr(text, ')');
    return p && sscanf(p + 1,
                       " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                       "%*d %" SCNu64,
                       ret_parent, ret_started) == 2;
}

/* The process that thread @tid is of; 0 when it is gone. */
static pid_t process_of(const struct emulator *emulator, pid_t tid) {
    _cleanup_free_ char *text = read_proc(emulator, tid, "status");
    const char *p;

    if (!text)
        return 0;
    p = strstr(text, "\nTgid:");
    return p ? atoi(p + strlen("\nTgid:")) : 0;
}

static struct identity *find(struct emulator *emulator, pid_t pid, uint64_t started) {
    for (size_t i = 0; i < emulator->n; i++)
        if (emulator->table[i].pid == pid && emulator->table[i].started == started)
            return &emulator->table[i];
    return NULL;
}

/* Forgets processes that are gone; of those that PID 1 does not reap itself nothing tells it. */
static void sweep(struct emulator *emulator) {
    uint64_t started;
    pid_t parent;

    for (size_t i = 0; i < emulator->n;) {
        if (read_stat(emulator, emulator->table[i].pid, &parent, &started) &&
            started == emulator->table[i].started)
            i++;
        else
            emulator->table[i] = emulator->table[--emulator->n];
    }
}

/* Enters what a process has become; without memory it stays what it was. */
static void store(struct emulator *emulator, const struct identity *identity) {
    struct identity *old = find(emulator, identity->pid, identity->started), *table;

    if (old) {
        *old = *identity;
        return;
    }
    if (is_root(identity))
        return;
    if (emulator->n >= 256)
        sweep(emulator);
    table = reallocarray(emulator->table, emulator->n + 1, sizeof *table);
    if (!table)
        return;
    emulator->table = table;
    table[emulator->n++] = *identity;
}

void emulator_set(struct emulator *emulator, pid_t pid, const struct user *user) {
    struct identity identity = {
        .pid = pid,
        .uid = {user->uid, user->uid, user->uid},
        .gid = {user->gid, user->gid, user->gid},
        .n_groups = (uint32_t)user->n_groups,
    };
    pid_t parent;

    memcpy(identity.groups, user->groups, user->n_groups * sizeof *user->groups);
    if (!is_root(&identity) && read_stat(emulator, pid, &parent, &identity.started))
        store(emulator, &identity);
}

void emulator_reap(struct emulator *emulator, pid_t pid) {
    for (size_t i = 0; i < emulator->n; i++)
        if (emulator->table[i].pid == pid) {
            emulator->table[i] = emulator->table[--emulator->n];
            return;
        }
}

/* What thread @tid is: looked up in itself and its ancestors.  false when it is gone. */
static bool identify(struct emulator *emulator, pid_t tid, struct identity *ret) {
    uint64_t started;
    pid_t pid, parent;

    *ret = (struct identity){.pid = tid};
    if (emulator->n == 0)
        return true;
    pid = ret->pid = process_of(emulator, tid);
    for (int i = 0; i < MAX_ANCESTORS && pid > 1; i++, pid = parent) {
        const struct identity *known;

        if (!read_stat(emulator, pid, &parent, &started))
            return i > 0;
        known = find(emulator, pid, started);
        if (known) {
            struct identity own = {.pid = ret->pid, .started = i ? ret->started : started};

            *ret = *known;
            ret->pid = own.pid;
            ret->started = own.started;
            /* Its own children find it here, should it end before them. */
            store(emulator, ret);
            return true;
        }
        if (i == 0)
            ret->started = started;
    }
    return pid > 0;
}

static bool owns(const struct ids *ids, uint32_t id) {
    return id == KEEP || id == ids->real || id == ids->effective || id == ids->saved;
}

/* setuid(2), setreuid(2) and setresuid(2) in one; @privileged: effective uid 0. */
static int set_ids(struct ids *ids, bool privileged, const uint32_t value[3]) {
    for (int i = 0; i < 3; i++)
        if (!privileged && !owns(ids, value[i]))
            return -EPERM;
    if (value[0] != KEEP)
        ids->real = value[0];
    if (value[1] != KEEP)
        ids->effective = value[1];
    if (value[2] != KEEP)
        ids->saved = value[2];
    return 0;
}

static int set_simple(struct ids *ids, bool privileged, uint32_t id) {
    const uint32_t value[3] = {privileged ? id : KEEP, id, privileged ? id : KEEP};

    return id == KEEP ? -EINVAL : set_ids(ids, privileged, value);
}

static int set_real_effective(struct ids *ids, bool privileged, uint32_t real, uint32_t effective) {
    bool save = real != KEEP || (effective != KEEP && effective != ids->real);
    const uint32_t value[3] = {real, effective, KEEP};
    int r = set_ids(ids, privileged, value);

    if (r == 0 && save)
        ids->saved = ids->effective;
    return r;
}

/* Memory of the calling thread.  Return: 0 or -EFAULT. */
static int poke(pid_t pid, uint64_t address, const void *data, size_t size) {
    struct iovec local = {(void *)data, size}, remote = {(void *)(uintptr_t)address, size};

    return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -EFAULT;
}

static int peek(pid_t pid, uint64_t address, void *data, size_t size) {
    struct iovec local = {data, size}, remote = {(void *)(uintptr_t)address, size};

    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -EFAULT;
}

static int get_three(pid_t pid, const uint64_t *address, const struct ids *ids) {
    if (poke(pid, address[0], &ids->real, 4) < 0 || poke(pid, address[1], &ids->effective, 4) < 0 ||
        poke(pid, address[2], &ids->saved, 4) < 0)
        return -EFAULT;
    return 0;
}

static int set_groups(struct identity *identity, pid_t pid, const uint64_t *args) {
    uint32_t groups[USER_MAX_GROUPS];

    if (identity->uid.effective != 0)
        return -EPERM;
    if (args[0] > USER_MAX_GROUPS)
        return -EINVAL;
    if (args[0] > 0 && peek(pid, args[1], groups, args[0] * sizeof *groups) < 0)
        return -EFAULT;
    memcpy(identity->groups, groups, args[0] * sizeof *groups);
    identity->n_groups = (uint32_t)args[0];
    return 0;
}

static int get_groups(const struct identity *identity, pid_t pid, const uint64_t *args) {
    int n = (int)identity->n_groups;

    if ((int)args[0] == 0)
        return n;
    if ((int)args[0] < n)
        return -EINVAL;
    return n && poke(pid, args[1], identity->groups, (size_t)n * 4) < 0 ? -EFAULT : n;
}

/* The answer to a call: what it returns, or -errno. */
static int answer(struct identity *identity, pid_t pid, int call, const uint64_t *args) {
    const uint32_t value[3] = {(uint32_t)args[0], (uint32_t)args[1], (uint32_t)args[2]};
    bool privileged = identity->uid.effective == 0;

    if (call == SCMP_SYS(getuid))
        return (int)identity->uid.real;
    if (call == SCMP_SYS(geteuid))
        return (int)identity->uid.effective;
    if (call == SCMP_SYS(getgid))
        return (int)identity->gid.real;
    if (call == SCMP_SYS(getegid))
        return (int)identity->gid.effective;
    if (call == SCMP_SYS(getresuid))
        return get_three(pid, args, &identity->uid);
    if (call == SCMP_SYS(getresgid))
        return get_three(pid, args, &identity->gid);
    if (call == SCMP_SYS(getgroups))
        return get_groups(identity, pid, args);
    if (call == SCMP_SYS(setgroups))
        return set_groups(identity, pid, args);
    if (call == SCMP_SYS(setuid))
        return set_simple(&identity->uid, privileged, value[0]);
    if (call == SCMP_SYS(setgid))
        return set_simple(&identity->gid, privileged, value[0]);
    if (call == SCMP_SYS(setreuid))
        return set_real_effective(&identity->uid, privileged, value[0], value[1]);
    if (call == SCMP_SYS(setregid))
        return set_real_effective(&identity->gid, privileged, value[0], value[1]);
    if (call == SCMP_SYS(setresuid))
        return set_ids(&identity->uid, privileged, value);
    if (call == SCMP_SYS(setresgid))
        return set_ids(&identity->gid, privileged, value);
    return -ENOSYS;
}

/* After a call that succeeded with 0, as all do that change an id. */
static void remember(struct emulator *emulator, pid_t tid, struct identity *identity) {
    pid_t parent;

    if (is_root(identity) && emulator->n == 0)
        return;
    identity->pid = process_of(emulator, tid);
    if (identity->pid && read_stat(emulator, identity->pid, &parent, &identity->started))
        store(emulator, identity);
}

void emulator_dispatch(struct emulator *emulator) {
    struct seccomp_notif *request = emulator->request;
    struct seccomp_notif_resp *response = emulator->response;
    struct identity identity;
    uint64_t args[6];
    int r = -ESRCH;

    /* The kernel takes no buffer with anything in it. */
    memset(request, 0, sizeof *request);
    if (seccomp_notify_receive(emulator->fd, request) < 0)
        return;
    for (int i = 0; i < 6; i++)
        args[i] = request->data.args[i];
    if (identify(emulator, (pid_t)request->pid, &identity)) {
        r = answer(&identity, (pid_t)request->pid, request->data.nr, args);
        if (r == 0)
            remember(emulator, (pid_t)request->pid, &identity);
    }
    memset(response, 0, sizeof *response);
    response->id = request->id;
    response->error = r < 0 ? r : 0;
    response->val = r < 0 ? 0 : r;
    /* A caller that was killed meanwhile makes this fail, and nobody waits. */
    (void)seccomp_notify_respond(emulator->fd, response);
}
