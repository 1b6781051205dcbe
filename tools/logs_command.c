/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly logs": read from the files, whether the container lives or not; with -f
 * the container's directory is watched for what comes (inotify(7)).
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/live/container_log.h"
#include "moment.h"
#include "verb.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>

struct logs_choice {
    bool follow;
    bool times;
    uint64_t since_nsec;
    uint64_t until_nsec;
    uint64_t tail; /* UINT64_MAX: all */
};

enum logs_option {
    LOGS_OPTION_FOLLOW,
    LOGS_OPTION_TIMESTAMPS,
    LOGS_OPTION_SINCE,
    LOGS_OPTION_UNTIL,
    LOGS_OPTION_TAIL,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct logs_choice *choice = job->choice;
    const char *value = options->value;

    switch ((enum logs_option)options->spec->id) {
    case LOGS_OPTION_FOLLOW:
        choice->follow = true;
        return 0;
    case LOGS_OPTION_TIMESTAMPS:
        choice->times = true;
        return 0;
    case LOGS_OPTION_SINCE:
        return moment_parse("--since", value, clock_realtime(), &choice->since_nsec, err);
    case LOGS_OPTION_UNTIL:
        return moment_parse("--until", value, clock_realtime(), &choice->until_nsec, err);
    case LOGS_OPTION_TAIL:
        if (str_eq(value, "all") || str_eq(value, "-1"))
            choice->tail = UINT64_MAX;
        else if (str_to_u64(value, INT64_MAX, &choice->tail) < 0)
            return err_set(err, -EINVAL, "--tail '%s' is neither a number nor 'all'", value);
        return 0;
    }
    return 0;
}

/* Which lines are shown: counted from the log's beginning, of all streams together. */
struct show {
    const struct logs_choice *choice;
    uint64_t n_lines;
    uint64_t first;
    bool wanted[3]; /* the line that a stream is in */
};

/* Whether a piece belongs to what is shown. */
static bool is_wanted(struct show *show, const struct log_piece *piece) {
    if (piece->is_start) {
        show->wanted[piece->stream] = show->n_lines >= show->first &&
                                      piece->nsec >= show->choice->since_nsec &&
                                      piece->nsec <= show->choice->until_nsec;
        show->n_lines++;
    }
    return show->wanted[piece->stream];
}

static int count_lines(const struct kept *kept, uint64_t *ret_n, struct err *err) {
    _cleanup_log_reader_ struct log_reader reader;
    struct log_piece piece;
    int r = log_reader_open(&reader, kept->dir_fd, err);

    *ret_n = 0;
    while (r >= 0 && (r = log_reader_next(&reader, &piece)) > 0)
        *ret_n += piece.is_start;
    return r;
}

static void put_piece(struct buf *buf, const struct log_piece *piece, bool times) {
    time_t seconds = (time_t)(piece->nsec / NSEC_PER_SEC);
    char text[64];
    struct tm tm;

    if (times && piece->is_start && gmtime_r(&seconds, &tm)) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        buf_printf(buf, "%s.%09" PRIu64 "Z ", text, piece->nsec % NSEC_PER_SEC);
    }
    buf_append(buf, piece->data, piece->size);
    if (piece->is_end)
        buf_puts(buf, "\n");
}

#define ENOUGH_BYTES (64 * 1024)

/* Return: false when nobody reads it any more. */
static bool flush(struct buf *buf, int fd) {
    bool is_fine = buf->size == 0 || fd_write_all(fd, buf->data, buf->size) == 0;

    buf->size = 0;
    return is_fine;
}

/* Shows all that is there.  Return: 1, 0 when nobody reads it any more, or -errno. */
static int show_all(struct log_reader *reader, struct show *show, struct err *err) {
    _cleanup_buf_ struct buf out = BUF_INIT, messages = BUF_INIT;
    struct log_piece piece;
    int r;

    while ((r = log_reader_next(reader, &piece)) > 0) {
        struct buf *buf = piece.stream == LOG_STREAM_OUT ? &out : &messages;

        if (!is_wanted(show, &piece))
            continue;
        put_piece(buf, &piece, show->choice->times);
        if (buf->size >= ENOUGH_BYTES && !flush(buf, buf == &out ? 1 : 2))
            return 0;
    }
    if (r < 0 || buf_failed(&out) || buf_failed(&messages))
        return r < 0 ? err_set(err, r, "cannot read the container's log") : err_nomem(err);
    return flush(&out, 1) && flush(&messages, 2);
}

/* Whether the container lives, asked before what is there is shown for the last time. */
static bool is_live(struct verb_job *job, const char *id) {
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    struct err ignored;

    return containers_find(&job->containers, id, &kept, &ignored) == 0 && kept_is_live(&kept);
}

static int watch(const struct kept *kept, struct err *err) {
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", kept->dir_fd);
    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE) < 0)
        return err_errno(err, "cannot watch the container's log");
    return take_fd(fd);
}

/* A supervisor that is killed changes no file. */
#define LOOK_MSEC 1000

static int follow(struct verb_job *job, const struct kept *kept, struct log_reader *reader,
                  struct show *show, struct err *err) {
    _cleanup_close_ int fd = watch(kept, err);
    int r = fd < 0 ? fd : 1;

    while (r > 0) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = 1, .events = 0}};
        bool live = is_live(job, kept->id);
        char events[4096];

        r = show_all(reader, show, err);
        if (r <= 0 || !live || clock_realtime() > show->choice->until_nsec)
            break;
        if (poll(fds, 2, LOOK_MSEC) < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for the container's log");
        if (fds[1].revents & (POLLERR | POLLNVAL))
            break;
        while (read(fd, events, sizeof events) > 0)
            ;
    }
    return r < 0 ? r : 0;
}

static int run(struct verb_job *job, struct err *err) {
    const struct logs_choice *choice = job->choice;
    _cleanup_log_reader_ struct log_reader reader = {.fd = -1};
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    struct show show = {.choice = choice};
    uint64_t n = 0;
    int r = containers_find(&job->containers, job->words[0], &kept, err);

    if (r == 0 && choice->tail != UINT64_MAX)
        r = count_lines(&kept, &n, err);
    show.first = n > choice->tail ? n - choice->tail : 0;
    if (r == 0)
        r = log_reader_open(&reader, kept.dir_fd, err);
    if (r == 0)
        r = show_all(&reader, &show, err);
    if (r > 0 && choice->follow)
        r = follow(job, &kept, &reader, &show, err);
    return r < 0 ? r : 0;
}

int logs_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"follow", 'f', NULL, "Options", "go on until the container ends", LOGS_OPTION_FOLLOW},
        {"timestamps", 't', NULL, "Options", "a moment before each line", LOGS_OPTION_TIMESTAMPS},
        {"since", 0, "TIME", "Options",
         "what came after: 2026-01-31T12:00:00Z, seconds since 1970, or 10m for so long ago",
         LOGS_OPTION_SINCE},
        {"until", 0, "TIME", "Options", "what came before", LOGS_OPTION_UNTIL},
        {"tail", 'n', "N", "Options", "the last N lines", LOGS_OPTION_TAIL},
    };
    static const struct verb verb = {
        .name = "logs",
        .words = "CONTAINER",
        .about = "Shows what a container's main program has written: its standard output on "
                 "standard output, its standard error on standard error.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = 1,
        .apply = apply,
        .run = run,
    };
    struct logs_choice choice = {.until_nsec = UINT64_MAX, .tail = UINT64_MAX};

    return verb_run(&verb, &choice, argc, argv);
}
