/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of files, by inotify(7): a watch on each directory, since it is not
 * recursive.  A directory that appears is watched at once, and counts as changed
 * itself, so that what was made in it before that is not missed.
 *
 * A run that writes into what is watched would start the next one for ever.  What
 * it downloads is known beforehand (watch_ignore()).  Who has written to a volume
 * the kernel does not say, so it is judged by what happened:
 *
 *   appeared while a run lasted                      the run's own, from then on
 *   was there, changed while a run lasted            a person's, once; when the run
 *                                                    that follows changes it again,
 *                                                    the run's own
 *   changed while none lasted                        a person's
 */
#include "watch.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define MASK                                                                                       \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR)
/* After the last of several changes: a save is more than one, and so is a checkout. */
#define QUIET_MSEC 100
#define QUIET_NSEC_MAX (5 * NSEC_PER_SEC)
#define DEPTH_MAX 128

/** struct watched - a directory; @names: those that count; none: all do */
struct watched {
    char *path;
    struct strv names;
};

struct watch {
    int fd;
    struct watched **by_wd; /* indexed by watch descriptor */
    size_t n_by_wd;
    size_t n_watched;
    struct strv ignored, writable;
    struct strv own;     /* paths that runs have written in watched volumes */
    struct strv suspect; /* changed while the run before lasted */
};

static bool has(const struct strv *list, const char *path) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], path))
            return true;
    return false;
}

/* Whether @path is one of @list or below it. */
static bool is_within(const struct strv *list, const char *path) {
    for (size_t i = 0; i < list->n; i++) {
        const char *rest = str_after(path, list->items[i]);

        if (rest && (!*rest || *rest == '/' || str_eq(list->items[i], "/")))
            return true;
    }
    return false;
}

static bool is_private_name(const char *name) {
    static const char *const patterns[] = {
        ".git",
        ".hg",
        ".svn",
        ".*.sw[a-z]",
        "*~",
        ".#*",
        "#*#",
        /* O_TMPFILE */ "#[0-9]*",
        "4913",
        "*.kate-swp",
        ".mayfly-*",
        ".goutputstream-*",
        "*___jb_tmp___",
        "*___jb_old___",
        "*.mayfly-*",
    };

    for (size_t i = 0; i < N_ELEMENTS(patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

/* A directory of a path to come, or the path, or what a report is called while it is written. */
static bool is_ignored(const struct watch *watch, const char *path, bool is_directory) {
    if (is_within(&watch->ignored, path))
        return true;
    for (size_t i = 0; i < watch->ignored.n; i++) {
        const char *rest = str_after(watch->ignored.items[i], path);
        const char *suffix = str_after(path, watch->ignored.items[i]);

        if ((is_directory && rest && *rest == '/') ||
            (suffix && *suffix == '.' && strlen(suffix) == strlen(".XXXXXX")))
            return true;
    }
    return false;
}

/* --- what is watched ---------------------------------------------------------- */

static void forget(struct watch *watch, int wd) {
    struct watched *watched = (size_t)wd < watch->n_by_wd ? watch->by_wd[wd] : NULL;

    if (!watched)
        return;
    watch->by_wd[wd] = NULL;
    watch->n_watched--;
    strv_done(&watched->names);
    free(watched->path);
    free(watched);
}

static int note(struct watch *watch, int wd, const char *path, const char *name) {
    size_t n = (size_t)wd + 1;
    struct watched *watched;

    if (n > watch->n_by_wd) {
        struct watched **by_wd = reallocarray(watch->by_wd, n + 64, sizeof *by_wd);

        if (!by_wd)
            return -ENOMEM;
        memset(by_wd + watch->n_by_wd, 0, (n + 64 - watch->n_by_wd) * sizeof *by_wd);
        watch->by_wd = by_wd;
        watch->n_by_wd = n + 64;
    }
    watched = watch->by_wd[wd];
    if (!watched) {
        watched = calloc(1, sizeof *watched);
        if (!watched)
            return -ENOMEM;
        watched->path = strdup(path);
        if (!watched->path || (name && strv_push(&watched->names, name) < 0)) {
            free(watched->path);
            free(watched);
            return -ENOMEM;
        }
        watch->by_wd[wd] = watched;
        watch->n_watched++;
        return 0;
    }
    /* All of it, or one more name. */
    if (!name)
        strv_done(&watched->names);
    else if (watched->names.n > 0 && strv_push(&watched->names, name) < 0)
        return -ENOMEM;
    return 0;
}

static int add(struct watch *watch, const char *path, const char *name, struct err *err) {
    int wd = inotify_add_watch(watch->fd, path, MASK);

    if (wd < 0 && errno == ENOSPC)
        return err_set(err, -ENOSPC,
                       "--watch %s: no more directories can be watched: raise it with sysctl "
                       "fs.inotify.max_user_watches=1048576",
                       path);
    if (wd < 0)
        return err_errno(err, "--watch %s", path);
    return note(watch, wd, path, name) < 0 ? err_nomem(err) : 0;
}

/* A directory and all below it.  One that has gone meanwhile, or is closed to us, is left out. */
static int add_tree(struct watch *watch, const char *path, unsigned depth, struct err *err) {
    _cleanup_closedir_ DIR *dir = NULL;
    const struct dirent *entry;
    int r = add(watch, path, NULL, err);

    if (r < 0)
        return depth > 0 && (r == -ENOENT || r == -ENOTDIR || r == -EACCES) ? 0 : r;
    dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    while (r == 0 && dir && (entry = readdir(dir))) {
        _cleanup_free_ char *below = NULL;
        struct stat st;

        if (str_is_dots(entry->d_name) || is_private_name(entry->d_name) ||
            (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        if (entry->d_type == DT_UNKNOWN &&
            (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
             !S_ISDIR(st.st_mode)))
            continue;
        below = str_printf("%s/%s", str_eq(path, "/") ? "" : path, entry->d_name);
        r = below ? add_tree(watch, below, depth + 1, err) : err_nomem(err);
    }
    return r;
}

/* What has been moved away is not at its old place any more. */
static void drop_tree(struct watch *watch, const char *path) {
    const struct strv list = {.items = (char *[]){(char *)path}, .n = 1};

    for (size_t wd = 0; wd < watch->n_by_wd; wd++)
        if (watch->by_wd[wd] && is_within(&list, watch->by_wd[wd]->path)) {
            (void)inotify_rm_watch(watch->fd, (int)wd);
            forget(watch, (int)wd);
        }
}

static int add_path(struct watch *watch, const char *path, struct err *err) {
    _cleanup_free_ char *real = realpath(path, NULL), *directory = NULL;
    char *slash;
    struct stat st;

    if (!real || stat(real, &st) < 0)
        return err_errno(err, "--watch %s", path);
    if (S_ISDIR(st.st_mode))
        return add_tree(watch, real, 0, err);
    directory = strdup(real);
    if (!directory)
        return err_nomem(err);
    slash = strrchr(directory, '/');
    *slash = '\0';
    // cppcheck-suppress memleak; the cleanup attribute frees it
    return add(watch, *directory ? directory : "/", slash + 1, err);
}

int watch_new(struct watch **ret_watch, const struct strv *paths, struct err *err) {
    struct watch *watch = calloc(1, sizeof *watch);
    int r = 0;

    if (!watch)
        return err_nomem(err);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0 && errno == EMFILE)
        r = err_set(err, -EMFILE,
                    "--watch: this user watches too much at the same time: raise it with sysctl "
                    "fs.inotify.max_user_instances=1024");
    else if (watch->fd < 0)
        r = err_errno(err, "--watch");
    for (size_t i = 0; r == 0 && i < paths->n; i++)
        r = add_path(watch, paths->items[i], err);
    if (r < 0) {
        watch_free(watch);
        return r;
    }
    *ret_watch = watch;
    return 0;
}

void watch_free(struct watch *watch) {
    if (!watch)
        return;
    for (size_t wd = 0; wd < watch->n_by_wd; wd++)
        forget(watch, (int)wd);
    free(watch->by_wd);
    if (watch->fd >= 0)
        close(watch->fd);
    strv_done(&watch->ignored);
    strv_done(&watch->writable);
    strv_done(&watch->own);
    strv_done(&watch->suspect);
    free(watch);
}

/* Adds a path as the kernel knows it; the last part need not be there yet. */
static int push_real(struct strv *list, const char *path) {
    _cleanup_free_ char *copy = strdup(path), *real = realpath(path, NULL), *whole = NULL;
    _cleanup_buf_ struct buf rest = BUF_INIT;

    while (copy && !real) {
        char *slash = strrchr(copy, '/');
        _cleanup_free_ char *tail = strdup(rest.data ? rest.data : "");

        rest.size = 0;
        buf_printf(&rest, "/%s%s", slash ? slash + 1 : copy, tail ? tail : "");
        if (slash && slash != copy)
            *slash = '\0';
        real = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
        if (!slash || slash == copy)
            break;
    }
    if (!real || buf_failed(&rest))
        return -ENOMEM;
    whole =
        str_printf("%s%s", str_eq(real, "/") && rest.size ? "" : real, rest.data ? rest.data : "");
    return strv_push_take(list, take_ptr(whole));
}

int watch_ignore(struct watch *watch, const char *path) {
    return push_real(&watch->ignored, path);
}

int watch_add_writable(struct watch *watch, const char *path) {
    return push_real(&watch->writable, path);
}

/* --- what has changed ----------------------------------------------------------- */

/** struct batch - the changes of one look; @during: of a run */
struct batch {
    struct watch_change *change;
    struct strv suspect;
    bool during;
};

static int count(struct batch *batch, const char *path) {
    /* Several events of one save are one change. */
    if (batch->change->path && str_eq(batch->change->path, path))
        return 0;
    if (!batch->change->path && !(batch->change->path = strdup(path)))
        return -ENOMEM;
    batch->change->n++;
    return 0;
}

/* A change in what the run could write, while it lasted. */
static int judge(struct watch *watch, struct batch *batch, const char *path, uint32_t mask) {
    if (has(&watch->own, path) || is_within(&watch->own, path))
        return 0;
    if (mask & IN_CREATE || has(&watch->suspect, path))
        return strv_push(&watch->own, path);
    if (has(&batch->suspect, path))
        return 0;
    return strv_push(&batch->suspect, path) < 0 ? -ENOMEM : count(batch, path);
}

static int take_event(struct watch *watch, struct batch *batch, const struct inotify_event *event,
                      struct err *err) {
    const struct watched *watched;
    _cleanup_free_ char *path = NULL;
    bool is_directory = event->mask & IN_ISDIR;
    int r = 0;

    if (event->mask & IN_Q_OVERFLOW)
        return count(batch, "more than could be followed") < 0 ? err_nomem(err) : 0;
    if (event->mask & IN_IGNORED) {
        forget(watch, event->wd);
        return 0;
    }
    watched = event->wd >= 0 && (size_t)event->wd < watch->n_by_wd ? watch->by_wd[event->wd] : NULL;
    if (!watched || event->len == 0 || is_private_name(event->name) ||
        (watched->names.n > 0 && !has(&watched->names, event->name)))
        return 0;
    path = str_printf("%s/%s", str_eq(watched->path, "/") ? "" : watched->path, event->name);
    if (!path)
        return err_nomem(err);
    if (is_directory && event->mask & (IN_MOVED_FROM | IN_DELETE))
        drop_tree(watch, path);
    if (is_directory && event->mask & (IN_CREATE | IN_MOVED_TO) && watched->names.n == 0)
        r = add_tree(watch, path, 1, err);
    if (r < 0)
        return r;
    if (is_ignored(watch, path, is_directory))
        return 0;
    r = batch->during && is_within(&watch->writable, path) ? judge(watch, batch, path, event->mask)
                                                           : count(batch, path);
    return r < 0 ? err_nomem(err) : 0;
}

/* All that the kernel has to tell now. */
static int look(struct watch *watch, struct batch *batch, struct err *err) {
    _Alignas(struct inotify_event) char bytes[16 * 1024];
    ssize_t n;

    while ((n = read(watch->fd, bytes, sizeof bytes)) > 0) {
        const struct inotify_event *event;

        for (const char *p = bytes; p < bytes + n; p += sizeof *event + event->len) {
            int r;

            event = (const struct inotify_event *)(const void *)p;
            r = take_event(watch, batch, event, err);
            if (r < 0)
                return r;
        }
    }
    return n < 0 && errno != EAGAIN && errno != EINTR ? err_errno(err, "--watch") : 0;
}

int watch_run_ended(struct watch *watch, struct watch_change *ret_change, struct err *err) {
    struct batch batch = {.change = ret_change, .during = true};
    int r;

    *ret_change = (struct watch_change){0};
    r = look(watch, &batch, err);
    strv_done(&watch->suspect);
    watch->suspect = batch.suspect;
    return r;
}

int watch_wait(struct watch *watch, int signal_fd, struct watch_change *ret_change,
               struct err *err) {
    struct batch batch = {.change = ret_change};
    uint64_t end_nsec = CLOCK_NEVER;

    *ret_change = (struct watch_change){0};
    for (;;) {
        struct pollfd fds[] = {{.fd = watch->fd, .events = POLLIN},
                               {.fd = signal_fd, .events = POLLIN}};
        int n = poll(fds, N_ELEMENTS(fds), ret_change->n > 0 ? QUIET_MSEC : -1), r;

        if (n < 0 && errno != EINTR)
            return err_errno(err, "--watch");
        if (n > 0 && fds[1].revents)
            return WATCH_SIGNALLED;
        if (n == 0)
            return 0;
        r = look(watch, &batch, err);
        if (r < 0)
            return r;
        if (watch->n_watched == 0)
            return err_set(err, -ENOENT, "--watch: all that was watched is gone");
        if (ret_change->n > 0 && end_nsec == CLOCK_NEVER)
            end_nsec = clock_add(clock_monotonic(), QUIET_NSEC_MAX);
        if (clock_monotonic() >= end_nsec)
            return 0;
    }
}
