/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container's group of version 2 can be made.
 *
 * A group other than the hierarchy's top may hold processes or hand controllers
 * to groups in it, never both ("no internal processes").  Our own group holds at
 * least ourselves, and is mostly somebody else's: a session's, a service's.  So
 * the container's group is made beside ours where the group above is ours to
 * use; in our own group after we have moved to a leaf of it, if nobody else is
 * there; and where systemd manages the host, in a scope that it makes for us.
 *
 * A base is locked while it is changed, so that two starts, or a start and an
 * end, do not take each other's controllers away.
 */
#include "cgroup_base.h"

#include "cgroup_file.h"
#include "cgroup_record.h"
#include "cgroup_scope.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define LEAF_NAME CGROUP_PREFIX ".supervisor"
/* Processes may be born while their group is emptied. */
#define MAX_ROUNDS 100

/* Conditions of try_base(), the more telling ones last. */
enum refusal {
    REFUSED_ACCESS = 1, /* not ours to write to */
    REFUSED_BUSY,       /* it holds processes */
    REFUSED_MISSING,    /* a controller is not there */
};

/* Why no base was found: the most telling refusal. */
struct search {
    const struct cgroup_request *request;
    enum refusal refusal;
    unsigned missing;
    int code; /* of a failure with no name of its own */
};

static int refuse(struct search *search, enum refusal refusal, unsigned missing) {
    if (refusal > search->refusal) {
        search->refusal = refusal;
        search->missing = missing;
    }
    return (int)refusal;
}

bool cgroup_base_is_ours(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash && str_after(slash + 1, CGROUP_PREFIX);
}

static bool is_leaf(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash && str_eq(slash + 1, LEAF_NAME);
}

static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
}

/* The hierarchy's top is the one group without a type. */
static bool is_top(int fd) {
    return faccessat(fd, "cgroup.type", F_OK, 0) < 0 && errno == ENOENT;
}

static bool is_empty(int fd) {
    _cleanup_free_ char *text = NULL;

    return cgroup_file_read(fd, "cgroup.procs", &text) == 0 && !*text;
}

static unsigned read_controllers(int fd, const char *file) {
    _cleanup_free_ char *text = NULL;

    return cgroup_file_read(fd, file, &text) == 0 ? cgroup_controllers_parse(text, " \n", true) : 0;
}

/* Hands controllers to the groups in @fd, or takes them away: @sign is '+' or '-'. */
static int switch_controllers(int fd, char sign, unsigned mask) {
    int first = 0;

    for (size_t i = 0; i < CGROUP_N_CONTROLLERS; i++) {
        char word[16];
        int r;

        if (!(mask & cgroup_controllers[i].bit) || !cgroup_controllers[i].v2)
            continue;
        snprintf(word, sizeof word, "%c%s", sign, cgroup_controllers[i].v2);
        r = cgroup_file_write(fd, "cgroup.subtree_control", word);
        if (r < 0 && first == 0)
            first = r;
    }
    return first;
}

/* Whether this process is the only one in a group. */
static bool is_alone(int fd) {
    _cleanup_free_ char *text = NULL;
    char own[16];

    snprintf(own, sizeof own, "%d\n", (int)getpid());
    return cgroup_file_read(fd, "cgroup.procs", &text) == 0 && str_eq(text, own);
}

/* Moves all processes of one group to another. */
static int move_all(int from_fd, int to_fd) {
    for (int round = 0; round < MAX_ROUNDS; round++) {
        _cleanup_free_ char *text = NULL;
        char *line, *rest;
        int r = cgroup_file_read(from_fd, "cgroup.procs", &text);

        if (r < 0 || !*text)
            return r;
        for (rest = text; (line = strsep(&rest, "\n")) && *line;) {
            r = cgroup_file_write(to_fd, "cgroup.procs", line);
            if (r < 0 && r != -ESRCH)
                return r;
        }
    }
    return -EBUSY;
}

static int open_group(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Empties a base into a leaf of it. */
static int move_to_leaf(struct cgroup_base *base, const struct search *search) {
    _cleanup_free_ char *leaf = str_printf("%s/%s", base->path, LEAF_NAME);
    _cleanup_close_ int fd = -1;
    int r;

    if (!leaf)
        return -ENOMEM;
    r = cgroup_record_add(search->request->run_fd, CGROUP_KIND_LEAF, leaf, NULL);
    if (r == 0 && sys_mkdirat(AT_FDCWD, leaf, 0755) < 0 && errno != EEXIST)
        r = -errno;
    if (r == 0) {
        fd = open_group(leaf);
        r = fd < 0 ? fd : move_all(base->fd, fd);
    }
    if (r < 0) {
        if (fd >= 0)
            (void)move_all(fd, base->fd);
        (void)sys_unlinkat(AT_FDCWD, leaf, AT_REMOVEDIR);
        return r;
    }
    base->leaf = take_ptr(leaf);
    return 0;
}

/* Gives the base what is needed of it, moving its processes away if @may_move. */
static int prepare(struct cgroup_base *base, struct search *search, bool may_move) {
    const struct cgroup_request *request = search->request;
    unsigned offered = read_controllers(base->fd, "cgroup.controllers");
    unsigned missing = request->needed & ~offered, wanted;
    bool top = is_top(base->fd);
    int r;

    base->enabled = read_controllers(base->fd, "cgroup.subtree_control");
    wanted = (request->needed | request->useful) & offered & ~base->enabled;
    if (missing)
        return refuse(search, REFUSED_MISSING, missing);
    if (faccessat(base->fd, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
        faccessat(base->fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return refuse(search, REFUSED_ACCESS, request->needed);
    if (!wanted || (!(request->needed & wanted) && !top && !is_empty(base->fd)))
        return 0;
    if (faccessat(base->fd, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0)
        return request->needed & wanted ? refuse(search, REFUSED_ACCESS, request->needed) : 0;
    if (!top && !is_empty(base->fd)) {
        if (!may_move)
            return refuse(search, REFUSED_BUSY, request->needed & wanted);
        r = move_to_leaf(base, search);
        if (r < 0) {
            search->code = r;
            return refuse(search, REFUSED_BUSY, request->needed & wanted);
        }
    }
    r = switch_controllers(base->fd, '+', request->needed & wanted);
    if (r < 0) {
        search->code = r;
        return refuse(search, REFUSED_BUSY, request->needed & wanted);
    }
    (void)switch_controllers(base->fd, '+', request->useful & wanted);
    base->enabled = read_controllers(base->fd, "cgroup.subtree_control");
    return 0;
}

static int try_base(struct cgroup_base *base, const char *path, struct search *search,
                    bool may_move) {
    int r;

    *base = CGROUP_BASE_INIT;
    base->path = strdup(path);
    base->fd = open_group(path);
    if (!base->path || base->fd < 0) {
        r = refuse(search, REFUSED_ACCESS, search->request->needed);
    } else {
        (void)flock(base->fd, LOCK_EX);
        r = prepare(base, search, may_move);
    }
    if (r != 0) {
        if (base->leaf)
            cgroup_base_leave(base->leaf);
        cgroup_base_done(base);
    }
    return r;
}

/* Our own group, or the one above it when we have moved to a leaf before. */
static int try_own(struct cgroup_base *base, const struct cgroup_place *place,
                   struct search *search, bool may_move) {
    _cleanup_free_ char *above = is_leaf(place->own) ? parent_of(place->own) : NULL;
    int r;

    if (above && strlen(above) >= strlen(place->top)) {
        r = try_base(base, above, search, false);
        if (r == 0) {
            base->leaf = strdup(place->own);
            r = base->leaf ? 0 : -ENOMEM;
        }
        return r;
    }
    return try_base(base, place->own, search, may_move);
}

/* The groups above ours, the nearest first. */
static int try_above(struct cgroup_base *base, const struct cgroup_place *place,
                     struct search *search) {
    _cleanup_free_ char *path = strdup(place->own);
    int r = REFUSED_ACCESS;

    while (r > 0 && path && strlen(path) > strlen(place->top)) {
        char *above = parent_of(path);

        free(path);
        path = above;
        if (path)
            r = try_base(base, path, search, false);
    }
    return r;
}

/* Whether all of our own group may be moved: we are alone, or it is our namespace's top. */
static bool may_empty(const struct cgroup_place *place) {
    _cleanup_close_ int fd = open_group(place->own);

    return fd >= 0 && (is_alone(fd) || (str_eq(place->own, place->top) && !is_top(fd)));
}

static int explain(const struct search *search, const struct cgroup_place *place, bool has_systemd,
                   struct err *err) {
    const struct cgroup_controller *c = cgroup_controller_first(search->missing);
    const char *option = c->option ? c->option : "a limit";

    if (search->refusal == REFUSED_MISSING && geteuid() != 0 && has_systemd)
        return err_set(err, -EACCES,
                       "%s cannot be enforced: the %s controller is not delegated to you; have "
                       "root write 'Delegate=cpu cpuset io memory pids' under [Service] to "
                       "/etc/systemd/system/user@.service.d/delegate.conf, and log in anew",
                       option, c->v2);
    if (search->refusal == REFUSED_MISSING && geteuid() != 0)
        return err_set(err, -EACCES,
                       "%s cannot be enforced: the %s controller is not delegated to you; have "
                       "root make a cgroup below %s that belongs to you and has it",
                       option, c->v2, place->top);
    if (search->refusal == REFUSED_MISSING)
        return err_set(err, -EOPNOTSUPP,
                       "%s cannot be enforced: %s has no %s controller; the kernel lacks it, has "
                       "it switched off at boot (cgroup_enable=%s), or an outer container lacks it",
                       option, place->own, c->v2, c->v2);
    if (place->is_read_only)
        return err_set(err, -EROFS,
                       "%s cannot be enforced: %s is mounted read-only, as in most containers; "
                       "set the limit on the outer container",
                       option, place->top);
    if (search->refusal == REFUSED_BUSY)
        return err_set(err, -EBUSY,
                       "%s cannot be enforced: the cgroup %s, which mayfly runs in, holds other "
                       "processes too and so cannot hand on the %s controller%s%s; start mayfly "
                       "in a cgroup of its own%s",
                       option, place->own, c->v2, search->code ? ": " : "",
                       search->code ? strerror(-search->code) : "",
                       has_systemd ? " (systemd-run --user --scope -p Delegate=yes mayfly ...)"
                                   : "");
    return err_set(err, -EACCES,
                   "%s cannot be enforced: the cgroup %s is not yours to make others in; have root "
                   "delegate one with the %s controller%s",
                   option, place->own, c->v2,
                   has_systemd ? " (systemd-run --user --scope -p Delegate=yes mayfly ...)" : "");
}

int cgroup_base_open(struct cgroup_base *base, struct cgroup_host *host,
                     const struct cgroup_request *request, const struct log *log, struct err *err) {
    struct search search = {.request = request};
    bool may_move, has_systemd = access("/run/systemd/system", F_OK) == 0;
    int r;

    *base = CGROUP_BASE_INIT;
    if (!host->v2.own)
        return err_set(err, -ENOENT,
                       "no cgroups can be seen here: mount them with 'mount -t cgroup2 none "
                       "/sys/fs/cgroup'");
    may_move = request->needed && request->run_fd >= 0 && may_empty(&host->v2);
    r = try_own(base, &host->v2, &search, may_move);
    if (r > 0 && has_systemd && request->run_fd >= 0) {
        struct err reason = {0};

        if (cgroup_scope_enter(&reason) == 0) {
            cgroup_host_done(host);
            r = cgroup_host_read(host, err);
            if (r < 0 || !host->v2.own)
                return r < 0 ? r : -ENOENT;
            search = (struct search){.request = request};
            r = try_own(base, &host->v2, &search, true);
        } else {
            log_debug(log, "no scope of systemd: %s", reason.message);
        }
    }
    if (r > 0)
        r = try_above(base, &host->v2, &search);
    if (r < 0)
        return err_set(err, r, "cannot set up a cgroup");
    return r > 0 ? explain(&search, &host->v2, has_systemd, err) : 0;
}

void cgroup_base_unlock(struct cgroup_base *base) {
    if (base->fd >= 0)
        (void)flock(base->fd, LOCK_UN);
}

void cgroup_base_done(struct cgroup_base *base) {
    if (base->fd >= 0)
        close(base->fd);
    free(base->path);
    free(base->leaf);
    *base = CGROUP_BASE_INIT;
}

/* Whether a base has no group but @name. */
static bool has_only(int fd, const char *name) {
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    while ((entry = readdir(dir)))
        if (entry->d_type == DT_DIR && !str_is_dots(entry->d_name) && !str_eq(entry->d_name, name))
            return false;
    return true;
}

void cgroup_base_leave(const char *leaf) {
    _cleanup_free_ char *path = is_leaf(leaf) ? parent_of(leaf) : NULL;
    _cleanup_close_ int fd = -1, leaf_fd = -1;

    if (!path)
        return;
    fd = open_group(path);
    leaf_fd = open_group(leaf);
    if (fd < 0 || leaf_fd < 0)
        return;
    (void)flock(fd, LOCK_EX);
    if (!has_only(fd, LEAF_NAME))
        return;
    (void)switch_controllers(fd, '-', read_controllers(fd, "cgroup.subtree_control"));
    (void)move_all(leaf_fd, fd);
    (void)sys_unlinkat(AT_FDCWD, leaf, AT_REMOVEDIR);
}
