/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's control groups.
 *
 * Each limit goes to the hierarchy that its controller is bound to.  Where the
 * host has version 2 at all the container has a group of it, born into at no
 * cost, also when all controllers are bound to version 1: freezing, killing and
 * counting processor time need none.  Groups of version 1 are made only for
 * limits that need them; since the first of them costs the time, the counting
 * ones come along.
 *
 * A group is on record before it is made (cgroup_record.h), under a name that no
 * other run has: who comes after a kill removes it.
 */
#include "cgroup.h"

#include "cgroup_base.h"
#include "cgroup_file.h"
#include "cgroup_group.h"
#include "cgroup_record.h"
#include "cgroup_remove.h"
#include "cgroup_set.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>

/* What a group counts with where limits are asked for. */
#define COUNTING_V2 (CGROUP_MEMORY | CGROUP_PIDS)
#define COUNTING_V1 (CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPUACCT)

static unsigned needed_controllers(const struct limits *limits) {
    return (limits->memory_bytes ? CGROUP_MEMORY : 0) |
           (limits->cpu_quota_usec || limits->cpu_shares ? CGROUP_CPU : 0) |
           (limits->cpuset ? CGROUP_CPUSET : 0) | (limits->pids ? CGROUP_PIDS : 0) |
           (limits->n_io ? CGROUP_IO : 0);
}

static void group_done(struct cgroup_group *group) {
    if (group->fd >= 0)
        close(group->fd);
    free(group->path);
}

void cgroup_close(struct cgroup *cgroup) {
    if (!cgroup)
        return;
    group_done(&cgroup->v2);
    for (size_t i = 0; i < cgroup->n_v1; i++)
        group_done(&cgroup->v1[i]);
    free(cgroup->leaf);
    free(cgroup);
}

int cgroup_destroy(struct cgroup *cgroup, const struct log *log) {
    int first = 0;

    if (!cgroup)
        return 0;
    for (size_t i = 0; i <= cgroup->n_v1; i++) {
        const char *path = i < cgroup->n_v1 ? cgroup->v1[i].path : cgroup->v2.path;
        int r = path ? cgroup_remove(path) : 0;

        if (r < 0)
            log_warning(log,
                        "cannot remove the cgroup %s, which the next command will try again: %s",
                        path, strerror(-r));
        if (r < 0 && first == 0)
            first = r;
    }
    if (cgroup->leaf)
        cgroup_base_leave(cgroup->leaf);
    cgroup_close(cgroup);
    return first;
}

const struct cgroup_group *cgroup_group_v1(const struct cgroup *cgroup, unsigned controller) {
    for (size_t i = 0; i < cgroup->n_v1; i++)
        if (cgroup->v1[i].controllers & controller)
            return &cgroup->v1[i];
    return NULL;
}

/* Makes a group in @base, on record first. */
static int make_group(struct cgroup_group *group, const char *base, const char *name,
                      enum cgroup_kind kind, int run_fd, struct err *err) {
    int r;

    group->path = str_printf("%s/%s", base, name);
    if (!group->path)
        return err_nomem(err);
    r = cgroup_record_add(run_fd, kind, group->path, err);
    if (r < 0)
        return r;
    if (sys_mkdirat(AT_FDCWD, group->path, 0755) < 0) {
        r = err_errno(err, "cannot make the cgroup %s", group->path);
        /* It is nobody's, or another's. */
        free(group->path);
        group->path = NULL;
        return r;
    }
    group->fd = open(group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return group->fd < 0 ? err_errno(err, "cannot open the cgroup %s", group->path) : 0;
}

static int make_v2(struct cgroup *cgroup, struct cgroup_host *host, const struct limits *limits,
                   unsigned needed, const char *name, int run_fd, const struct log *log,
                   struct err *err) {
    const struct cgroup_request request = {
        .needed = needed,
        .useful = limits_any(limits) ? COUNTING_V2 : 0,
        .run_fd = run_fd,
    };
    _cleanup_(cgroup_base_done) struct cgroup_base base = CGROUP_BASE_INIT;
    int r = cgroup_base_open(&base, host, &request, log, err);

    if (r < 0)
        return r;
    cgroup->leaf = take_ptr(base.leaf);
    r = make_group(&cgroup->v2, base.path, name, CGROUP_KIND_V2, run_fd, err);
    if (r == 0 && needed)
        r = cgroup_set_v2(cgroup->v2.fd, base.fd, limits, err);
    cgroup_base_unlock(&base);
    return r;
}

static int explain_v1(int r, const struct cgroup_place *place, unsigned needed, struct err *err) {
    const struct cgroup_controller *c = cgroup_controller_first(needed & place->controllers);

    if (r != -EACCES && r != -EPERM && r != -EROFS)
        return r;
    if (place->is_read_only || r == -EROFS)
        return err_set(err, r,
                       "%s cannot be enforced: cgroups of version 1 are mounted read-only on %s, "
                       "as in most containers; set the limit on the outer container",
                       c->option, place->top);
    return err_set(err, r,
                   "%s cannot be enforced: the %s controller is bound to version 1 of cgroups, "
                   "where %s is root's; run as root, or boot with "
                   "systemd.unified_cgroup_hierarchy=1",
                   c->option, c->v1, place->own);
}

/* A group in one hierarchy; one that is only to count is done without where it cannot be had. */
static int make_one_v1(struct cgroup *cgroup, const struct cgroup_place *place,
                       const struct limits *limits, unsigned needed, const char *name, int run_fd,
                       struct err *err) {
    struct cgroup_group *group = &cgroup->v1[cgroup->n_v1];
    _cleanup_close_ int base = open(place->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_needed = place->controllers & needed;
    int r = base < 0 ? err_errno(err, "cannot open the cgroup %s", place->own) : 0;

    *group = (struct cgroup_group){.fd = -1, .controllers = place->controllers};
    if (r == 0)
        r = make_group(group, place->own, name, CGROUP_KIND_V1, run_fd, err);
    if (r < 0 && !group->path)
        return is_needed ? explain_v1(r, place, needed, err) : 0;
    cgroup->n_v1++;
    if (r == 0)
        r = cgroup_set_v1(group->fd, base, place->controllers, limits, err);
    return r;
}

static int make_v1(struct cgroup *cgroup, const struct cgroup_host *host,
                   const struct limits *limits, unsigned needed, const char *name, int run_fd,
                   struct err *err) {
    /* Where version 2 cannot freeze, version 1 does. */
    unsigned useful = (needed ? COUNTING_V1 : 0) | (cgroup->v2.fd < 0 ? CGROUP_FREEZER : 0);
    int r = 0;

    for (size_t i = 0; r == 0 && i < host->n_v1; i++)
        if (host->v1[i].controllers & (needed | useful))
            r = make_one_v1(cgroup, &host->v1[i], limits, needed, name, run_fd, err);
    return r;
}

static unsigned bound_to_v1(const struct cgroup_host *host) {
    unsigned mask = 0;

    for (size_t i = 0; i < host->n_v1; i++)
        mask |= host->v1[i].controllers;
    return mask;
}

static int make_all(struct cgroup *cgroup, struct cgroup_host *host, const struct limits *limits,
                    const char *name, int run_fd, const struct log *log, struct err *err) {
    unsigned needed = needed_controllers(limits), needed_v2 = needed & ~bound_to_v1(host);
    struct err reason = {0};
    int r = make_v2(cgroup, host, limits, needed_v2, name, run_fd, log, &reason);

    if (r < 0 && needed_v2) {
        if (err)
            *err = reason;
        return r;
    }
    if (r < 0)
        log_debug(log, "no cgroup of version 2: %s", reason.message);
    r = make_v1(cgroup, host, limits, needed & ~needed_v2, name, run_fd, err);
    if (r == 0 && limits->n_io && cgroup_group_v1(cgroup, CGROUP_IO))
        log_warning(log, "--io-max: version 1 of cgroups does not hold writes that go through the "
                         "page cache to it");
    return r;
}

int cgroup_create(struct cgroup **ret_cgroup, const struct limits *limits, const char *name,
                  int run_fd, const struct log *log, struct err *err) {
    __attribute__((cleanup(cgroup_host_done))) struct cgroup_host host = {0};
    _cleanup_free_ char *unique = NULL;
    struct cgroup *cgroup;
    uint32_t bits;
    int r;

    *ret_cgroup = NULL;
    if (!limits->wanted && !limits_any(limits))
        return 0;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, "cannot get a random number");
    unique = str_printf("%s-%s-%08" PRIx32, CGROUP_PREFIX, name, bits);
    cgroup = calloc(1, sizeof *cgroup);
    if (!unique || !cgroup) {
        free(cgroup);
        return err_nomem(err);
    }
    cgroup->v2.fd = -1;
    r = cgroup_host_read(&host, err);
    if (r == 0)
        r = make_all(cgroup, &host, limits, unique, run_fd, log, err);
    *ret_cgroup = cgroup;
    if (r < 0 && limits_any(limits))
        return r;
    if (r < 0 || (cgroup->v2.fd < 0 && cgroup->n_v1 == 0)) {
        *ret_cgroup = NULL;
        (void)cgroup_destroy(cgroup, log);
    }
    return 0;
}

int cgroup_birth_fd(const struct cgroup *cgroup) {
    return cgroup ? cgroup->v2.fd : -1;
}

int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err) {
    static const char *const files[] = {".", "cgroup.procs", "cgroup.subtree_control",
                                        "cgroup.threads"};

    for (size_t i = 0; cgroup && cgroup->v2.fd >= 0 && i < N_ELEMENTS(files); i++)
        if (fchownat(cgroup->v2.fd, files[i], uid, gid, 0) < 0)
            return err_errno(err, "cannot hand the cgroup %s to the container", cgroup->v2.path);
    return 0;
}

int cgroup_hierarchies(const struct cgroup *cgroup, struct strv *ret_names) {
    for (size_t i = 0; cgroup && i < cgroup->n_v1; i++) {
        _cleanup_buf_ struct buf names = BUF_INIT;

        for (size_t j = 0; j < CGROUP_N_CONTROLLERS; j++)
            if (cgroup->v1[i].controllers & cgroup_controllers[j].bit)
                buf_printf(&names, "%s%s", names.size ? "," : "", cgroup_controllers[j].v1);
        if (strv_push_take(ret_names, buf_take(&names)) < 0)
            return -ENOMEM;
    }
    return 0;
}

int cgroup_enter(const struct cgroup *cgroup, pid_t pid, struct err *err) {
    for (size_t i = 0; cgroup && i < cgroup->n_v1; i++) {
        int r = cgroup_file_write_u64(cgroup->v1[i].fd, "cgroup.procs", (uint64_t)pid);

        if (r < 0) {
            errno = -r;
            return err_errno(err, "cannot put the container into the cgroup %s",
                             cgroup->v1[i].path);
        }
    }
    return 0;
}

static int load_one(void *argument, enum cgroup_kind kind, const char *path) {
    struct cgroup *cgroup = argument;
    struct cgroup_group group = {.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    bool is_v2 = kind == CGROUP_KIND_V2;

    /* On record, and not made in the end. */
    if (kind == CGROUP_KIND_LEAF || group.fd < 0 || (!is_v2 && cgroup->n_v1 == CGROUP_HOST_MAX) ||
        (is_v2 && cgroup->v2.path)) {
        if (group.fd >= 0)
            close(group.fd);
        return 0;
    }
    group.path = strdup(path);
    if (is_v2)
        cgroup->v2 = group;
    else
        cgroup->v1[cgroup->n_v1++] = group;
    return group.path ? 0 : -ENOMEM;
}

/* What a group of version 1 is for shows by its files. */
static unsigned controllers_of(int fd) {
    static const struct {
        const char *file;
        unsigned controller;
    } files[] = {
        {"cpu.shares", CGROUP_CPU},
        {"cpuacct.usage", CGROUP_CPUACCT},
        {"cpuset.cpus", CGROUP_CPUSET},
        {"freezer.state", CGROUP_FREEZER},
        {"blkio.throttle.io_service_bytes", CGROUP_IO},
        {"memory.limit_in_bytes", CGROUP_MEMORY},
        {"pids.max", CGROUP_PIDS},
    };
    unsigned mask = 0;

    for (size_t i = 0; i < N_ELEMENTS(files); i++)
        if (faccessat(fd, files[i].file, F_OK, 0) == 0)
            mask |= files[i].controller;
    return mask;
}

int cgroup_load(struct cgroup **ret_cgroup, int run_fd, struct err *err) {
    struct cgroup *cgroup = calloc(1, sizeof *cgroup);
    int r;

    if (!cgroup)
        return err_nomem(err);
    cgroup->v2.fd = -1;
    r = cgroup_record_each(run_fd, load_one, cgroup);
    if (r == 0 && cgroup->v2.fd < 0 && cgroup->n_v1 == 0)
        r = -ENOENT;
    for (size_t i = 0; i < cgroup->n_v1; i++)
        cgroup->v1[i].controllers = controllers_of(cgroup->v1[i].fd);
    if (r < 0) {
        cgroup_close(cgroup);
        return err_set(err, r,
                       r == -ENOENT ? "the container has no cgroup of its own on this host"
                                    : "cannot read the container's cgroups");
    }
    *ret_cgroup = cgroup;
    return 0;
}
