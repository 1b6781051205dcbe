/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container as its PID 1 finds it: the users in its files, the environment
 * of its programs, its directories and terminals.
 */
#include "inside.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "rootfs/keep_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAX_USERS_BYTES (4u << 20)
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int inside_find_user(const struct inside *inside, const char *spec, struct user *ret_user,
                     struct err *err) {
    const struct container *c = inside->container;
    _cleanup_free_ char *passwd = NULL, *group = NULL;
    int r;

    if (!spec)
        spec = c->plan->user ? c->plan->user : c->image.config.user;
    /* A file that is missing, or no file at all, names nobody. */
    (void)fd_read_file(AT_FDCWD, "/etc/passwd", MAX_USERS_BYTES, &passwd, NULL);
    (void)fd_read_file(AT_FDCWD, "/etc/group", MAX_USERS_BYTES, &group, NULL);
    r = user_lookup(ret_user, spec, passwd ? passwd : "", group ? group : "", err);
    if (r < 0 || inside_has_single_id(inside))
        return r;
    if (!idmap_has(c->map.uids, c->map.n_uids, ret_user->uid) ||
        !idmap_has(c->map.gids, c->map.n_gids, ret_user->gid)) {
        bool has_uid = idmap_has(c->map.uids, c->map.n_uids, ret_user->uid);

        r = err_set(err, -EINVAL,
                    "user %s cannot be had: the container's user namespace has no id %u", spec,
                    has_uid ? ret_user->gid : ret_user->uid);
        user_done(ret_user);
    }
    return r;
}

static int set_env(struct strv *env, const char *name, const char *value) {
    _cleanup_free_ char *assignment = str_printf("%s=%s", name, value);

    return assignment ? strv_set_env(env, assignment) : -ENOMEM;
}

/* Later ones win: our defaults, the image's, the plan's. */
static int make_env(struct inside *inside, struct err *err) {
    const struct container *c = inside->container;
    const struct strv *sources[] = {&c->image.config.env, &c->plan->env};
    const char *term = getenv("TERM");
    int r = strv_set_env(&inside->env, DEFAULT_PATH);

    if (r == 0)
        r = set_env(&inside->env, "HOME", inside->user.home);
    if (r == 0)
        r = set_env(&inside->env, "HOSTNAME", container_hostname(c));
    if (r == 0 && container_has_terminal(c))
        r = set_env(&inside->env, "TERM", term && *term ? term : "xterm");
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(sources); i++)
        for (size_t j = 0; r == 0 && j < sources[i]->n; j++)
            r = strv_set_env(&inside->env, sources[i]->items[j]);
    return r < 0 ? err_nomem(err) : 0;
}

char *inside_path(const struct inside *inside, const char *dir) {
    return plan_workdir(inside->workdir, dir);
}

int inside_set_workdir(struct inside *inside, const char *dir, struct err *err) {
    _cleanup_free_ char *path = inside_path(inside, dir);
    bool single = inside_has_single_id(inside);
    _cleanup_close_ int fd = -1;

    if (!path)
        return err_nomem(err);
    fd = fd_mkdir_in_root(inside->root_fd, path, 0755, single ? 0 : inside->user.uid,
                          single ? 0 : inside->user.gid);
    if (fd == -ENOTDIR || fd == -EEXIST)
        return err_set(err, -ENOTDIR, "workdir %s is not a directory: something else is in the way",
                       path);
    if (fd < 0) {
        errno = -fd;
        return err_errno(err, "cannot make the workdir %s", path);
    }
    free(inside->workdir);
    inside->workdir = take_ptr(path);
    return 0;
}

int inside_open_terminal(const struct inside *inside, const struct user *owner,
                         const struct winsize *window, int *ret_master, int *ret_slave,
                         struct err *err) {
    _cleanup_close_ int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    _cleanup_close_ int slave = -1;
    int unlock = 0;

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
        return err_errno(err, "cannot make a terminal in the container");
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || ioctl(master, TIOCSWINSZ, window) < 0)
        return err_errno(err, "cannot set up a terminal in the container");
    if (!inside_has_single_id(inside) && fchown(slave, owner->uid, (gid_t)-1) < 0)
        return err_errno(err, "cannot give the terminal to the step's user");
    *ret_master = take_fd(master);
    *ret_slave = take_fd(slave);
    return 0;
}

/* A kept directory that is new belongs to whoever runs the steps. */
static int own_keeps(const struct inside *inside, struct err *err) {
    const struct plan *plan = inside->container->plan;

    for (size_t i = 0; i < plan->n_keeps; i++) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (plan->keeps[i].read_only)
            continue;
        fd = fd_open_in_root(inside->root_fd, plan->keeps[i].target, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & 07777) != KEEP_FRESH_MODE)
            continue;
        if ((!inside_has_single_id(inside) && fchown(fd, inside->user.uid, inside->user.gid) < 0) ||
            fchmod(fd, 0755) < 0)
            return err_errno(err, "cannot set up the kept directory %s", plan->keeps[i].name);
    }
    return 0;
}

/* Directories that the image wants to be there; where something else is, or nothing can be made, it
 * has what it has. */
static void make_volumes(const struct inside *inside) {
    const struct strv *volumes = &inside->container->image.config.volumes;

    for (size_t i = 0; i < volumes->n; i++) {
        int fd = fd_mkdir_in_root(inside->root_fd, volumes->items[i], 0755, 0, 0);

        if (fd >= 0)
            close(fd);
    }
}

int inside_init(struct inside *inside, const struct container *container, struct emulator *emulator,
                struct err *err) {
    const struct plan *plan = container->plan;
    const char *dir = container->workdir ? NULL
                      : plan->workdir    ? plan->workdir
                                         : container->image.config.working_dir;
    int r;

    *inside = (struct inside){.container = container,
                              .emulator = emulator,
                              .proc_fd = -1,
                              .root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                              .workdir = strdup(container->workdir ? container->workdir : "/")};
    if (inside->root_fd < 0 || !inside->workdir)
        return err_errno(err, "cannot begin in the container");
    r = inside_find_user(inside, NULL, &inside->user, err);
    if (r == 0)
        r = make_env(inside, err);
    if (r == 0)
        r = own_keeps(inside, err);
    if (r == 0)
        make_volumes(inside);
    if (r == 0 && dir && *dir && !str_eq(dir, "/"))
        r = inside_set_workdir(inside, dir, err);
    return r;
}
