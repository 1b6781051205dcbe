/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly run", "create" and "start".  A container in the foreground is no other
 * than one in the background: somebody is attached to it from its beginning.
 */
#include "commands.h"
#include "create_options.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/live/ask.h"
#include "engine/live/attach.h"
#include "engine/live/warden.h"
#include "engine/result.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>

#define DETACH_KEYS "ctrl-p,ctrl-q"

static int apply_create(struct verb_job *job, const struct options *options, struct err *err) {
    const struct create_options *create = job->choice;
    int r = create_options_apply(job->choice, options, err);

    job->quiet = create->quiet;
    return r;
}

static int write_cid_file(const char *path, const struct kept *kept, struct err *err) {
    _cleanup_close_ int fd = -1;
    int r;

    if (!path)
        return 0;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    r = fd < 0 ? -errno : fd_write_all(fd, kept->id, KEPT_ID_BYTES - 1);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "--cidfile %s", path);
    }
    return 0;
}

static int remove_replaced(struct verb_job *job, const char *name, struct err *err) {
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    int r = name ? containers_find(&job->containers, name, &kept, err) : -ENOENT;

    return r == -ENOENT ? 0 : r < 0 ? r : containers_end(&job->containers, &kept, err);
}

/* Makes it, locked. */
static int make(struct verb_job *job, struct kept *kept, struct err *err) {
    struct create_options *create = job->choice;
    int r = create_options_words(create, job->words, job->n_words, err);

    if (r < 0)
        return r == -EINVAL ? VERB_USAGE : r;
    verb_protect(job);
    if (create->replace)
        r = remove_replaced(job, create->life.plan.name, err);
    if (r == 0 && create->cid_file && access(create->cid_file, F_OK) == 0)
        return err_set(err, -EEXIST, "--cidfile %s: the file exists", create->cid_file);
    if (r == 0)
        r = containers_create(&job->containers, &create->life, kept, err);
    if (r == 0) {
        r = write_cid_file(create->cid_file, kept, err);
        if (r < 0)
            (void)containers_remove(&job->containers, kept, NULL);
    }
    return r;
}

/* --- create ------------------------------------------------------------------- */

static int run_create(struct verb_job *job, struct err *err) {
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    int r = make(job, &kept, err);

    if (r == 0)
        verb_print(job, "%s", kept.id);
    return r;
}

/* --- starting ----------------------------------------------------------------- */

/* How a container is started, for 'run' and 'start'. */
struct start {
    struct kept *kept;
    struct life *life;
    const char *detach_keys;
    bool attach;
    bool input;
    bool has_begun;
    int interrupted;
};

static int start_it(struct verb_job *job, struct start *start, int socket_fd, const int stdio[3],
                    struct err *err) {
    const struct run_hooks hooks = {.log = job->log};
    const struct warden_request request = {
        .containers = &job->containers,
        .kept = start->kept,
        .life = start->life,
        .hooks = &hooks,
        .socket_fd = socket_fd,
        .stdio = {stdio[0], stdio[1], stdio[2]},
        .owner = start->attach ? getpid() : getppid(),
    };
    int r = warden_start(&request, &start->interrupted, err);

    kept_unlock(start->kept);
    start->has_begun = r == 0;
    return r;
}

/* Pipes or a terminal, and a connection, as if it had been attached to at once. */
static int join(const struct start *start, struct attachment *a, int stdio[3], struct err *err) {
    const bool wanted[3] = {start->input && start->life->keep_stdin, true, true};
    int fd = -1, r;

    if (!start->life->terminal)
        return attach_streams(a, wanted, true, stdio, err);
    r = attach_terminal(a, wanted[0], &fd, err);
    stdio[0] = fd;
    stdio[1] = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return r;
}

static int start_attached(struct verb_job *job, struct start *start, struct err *err) {
    _cleanup_attachment_ struct attachment a;
    char keys[TERMINAL_MAX_KEYS + 1];
    int pair[2], stdio[3] = {-1, -1, -1}, r;

    if (attach_parse_keys(start->detach_keys, keys, err) < 0) {
        attach_init(&a, -1, true, "");
        return VERB_USAGE;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        pair[0] = pair[1] = -1;
    attach_init(&a, pair[0], true, keys);
    r = pair[0] < 0 ? err_errno(err, "cannot make a socket") : join(start, &a, stdio, err);
    if (r == 0)
        r = start_it(job, start, pair[1], stdio, err);
    close(pair[1]);
    for (int i = 0; i < 3; i++)
        if (stdio[i] >= 0)
            close(stdio[i]);
    if (r == 0) {
        r = attach_wait(&a, err);
        job->status = a.is_detached ? 0 : a.status;
    }
    return r;
}

/* --- run ---------------------------------------------------------------------- */

/* What could not begin is as if it had never been. */
static int undo(struct verb_job *job, const struct start *start, int r, const struct err *err) {
    struct err ignored;

    if (kept_lock(start->kept, true, &ignored) == 0)
        (void)containers_remove(&job->containers, start->kept, &ignored);
    if (!start->interrupted)
        verb_complain(job, err);
    job->status = start->interrupted ? 128 + start->interrupted : r > 0 ? r : EXIT_ENGINE;
    return 0;
}

static int run_run(struct verb_job *job, struct err *err) {
    struct create_options *create = job->choice;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    struct start start = {
        .kept = &kept,
        .life = &create->life,
        .detach_keys = create->detach_keys,
        .attach = !create->detach,
        .input = true,
    };
    static const int nothing[3] = {-1, -1, -1};
    int r = make(job, &kept, err);

    if (r != 0)
        return r;
    r = create->detach ? start_it(job, &start, -1, nothing, err) : start_attached(job, &start, err);
    if (r == 0 && create->detach)
        verb_print(job, "%s", kept.id);
    return r != 0 && !start.has_begun ? undo(job, &start, r, err) : r;
}

/* --- both --------------------------------------------------------------------- */

/* They differ in nothing but what they do once the container is described. */
static int command(const char *name, const char *about,
                   int (*act)(struct verb_job *job, struct err *err), int argc, char **argv) {
    const struct verb verb = {
        .name = name,
        .words = "IMAGE [PROG [ARG]...]",
        .about = about,
        .specs = create_options_specs,
        .n_specs = n_create_options_specs,
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .options_end = 1,
        .takes_container_options = true,
        .apply = apply_create,
        .run = act,
    };
    struct create_options create = {.detach_keys = DETACH_KEYS};
    int status;

    life_init(&create.life);
    status = verb_run(&verb, &create, argc, argv);
    life_done(&create.life);
    return status;
}

int create_command(int argc, char **argv) {
    return command("create",
                   "Makes a container that lives longer than a command, without starting it: "
                   "'mayfly start' does.",
                   run_create, argc, argv);
}

int life_command(int argc, char **argv) {
    return command(
        "run",
        "Makes a container, starts it, and shows what its program writes; with -d it is "
        "left running.  The exit status is the program's; 125 when there was no starting "
        "it, 126 and 127 when the program cannot be executed or is missing.",
        run_run, argc, argv);
}

/* --- start -------------------------------------------------------------------- */

struct start_choice {
    bool attach;
    bool input;
    const char *detach_keys;
    int timeout_msec; /* of 'restart'; -1: the container's own */
};

enum start_option {
    START_OPTION_TIME,
    START_OPTION_ATTACH,
    START_OPTION_INTERACTIVE,
    START_OPTION_DETACH_KEYS,
};

static int apply_start(struct verb_job *job, const struct options *options, struct err *err) {
    struct start_choice *choice = job->choice;

    if (options->spec->id == START_OPTION_TIME)
        return verb_duration("time", options->value, &choice->timeout_msec, err);
    choice->attach |= options->spec->id == START_OPTION_ATTACH;
    choice->input |= options->spec->id == START_OPTION_INTERACTIVE;
    if (options->spec->id == START_OPTION_DETACH_KEYS)
        choice->detach_keys = options->value;
    return 0;
}

static int start_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct start_choice *choice = job->choice;
    _cleanup_life_ struct life life;
    struct start start = {
        .kept = kept,
        .life = &life,
        .detach_keys = choice->detach_keys,
        .attach = choice->attach,
        .input = choice->input,
    };
    static const int nothing[3] = {-1, -1, -1};
    int r;

    life_init(&life);
    /* A container that runs is where 'start' is to bring it. */
    if (kept_is_live(kept) && !choice->attach)
        return 0;
    r = kept_lock(kept, !kept_is_live(kept), err);
    /* Somebody else has brought it there. */
    if (r == -EBUSY && kept_is_live(kept) && !choice->attach)
        return 0;
    if (r == 0)
        r = kept_life(kept, &life, err);
    if (r < 0)
        return r;
    r = choice->attach ? start_attached(job, &start, err) : start_it(job, &start, -1, nothing, err);
    return r == 0 ? 0 : r < 0 ? err_wrap(err, "container %s", kept->name) : -EIO;
}

static int run_start(struct verb_job *job, struct err *err) {
    const struct start_choice *choice = job->choice;

    if (choice->attach && job->n_words > 1)
        return err_set(err, VERB_USAGE, "--attach is for one container alone");
    verb_protect(job);
    return verb_for_each(job, 0, start_one, !choice->attach, err);
}

int start_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"attach", 'a', NULL, "Options", "show what its program writes, and wait for its end",
         START_OPTION_ATTACH},
        {"interactive", 'i', NULL, "Options", "with -a, hand standard input on",
         START_OPTION_INTERACTIVE},
        {"detach-keys", 0, "KEYS", "Options", "with -a, what to type to go; ctrl-p,ctrl-q",
         START_OPTION_DETACH_KEYS},
    };
    static const struct verb verb = {
        .name = "start",
        .words = "CONTAINER...",
        .about = "Starts containers that were made or have ended, with the files that they left.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply_start,
        .run = run_start,
    };
    struct start_choice choice = {.detach_keys = DETACH_KEYS};

    return verb_run(&verb, &choice, argc, argv);
}

/* --- restart ------------------------------------------------------------------ */

static int restart_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct start_choice *choice = job->choice;
    int r = 0;

    if (kept_is_live(kept) && kept->state.remove)
        return err_set(err, -EINVAL,
                       "container %s was made with --rm: it is gone when it ends, and cannot be "
                       "started again",
                       kept->name);
    if (kept_is_live(kept))
        r = ask_simple(kept, ASK_STOP, choice->timeout_msec, NULL, err);
    /* It may have ended by itself; its supervisor does so a moment after it. */
    if (r == 0 || r == -ENOTCONN || r == -EPIPE)
        r = kept_lock(kept, true, err);
    kept_unlock(kept);
    return r < 0 && r != -EBUSY ? r : start_one(job, kept, err);
}

static int run_restart(struct verb_job *job, struct err *err) {
    verb_protect(job);
    return verb_for_each(job, 0, restart_one, true, err);
}

int restart_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"time", 't', "SECONDS", "Options",
         "how long to wait before it is killed; what 'run --stop-timeout' said, or 10",
         START_OPTION_TIME},
    };
    static const struct verb verb = {
        .name = "restart",
        .words = "CONTAINER...",
        .about = "Ends containers as 'stop' does, and starts them again; one that does not run is "
                 "started.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply_start,
        .run = run_restart,
    };
    struct start_choice choice = {.detach_keys = DETACH_KEYS, .timeout_msec = -1};

    return verb_run(&verb, &choice, argc, argv);
}
