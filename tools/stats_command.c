/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly stats": what containers use.  The share of the processors is that
 * since the last time; the first time, since the container began.  On a terminal
 * the list is shown again and again in the same place, elsewhere one below the
 * other.
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/live/kept_stats.h"
#include "image_table.h"
#include "rows.h"
#include "verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <time.h>

/* To the upper left, and all below it cleared.  Spec: ECMA-48, CUP and ED. */
#define HOME "\033[H\033[J"

/* What the last round has seen of a container. */
struct seen {
    char id[KEPT_ID_BYTES];
    uint64_t cpu_nsec;
    uint64_t at_nsec;
};

struct stats_choice {
    const char *format;
    bool all;
    bool once;
    bool full;
    bool no_reset;
    int interval_msec;
    struct seen *seen;
    size_t n_seen;
};

enum stats_option {
    STATS_OPTION_ALL,
    STATS_OPTION_FORMAT,
    STATS_OPTION_INTERVAL,
    STATS_OPTION_NO_RESET,
    STATS_OPTION_NO_STREAM,
    STATS_OPTION_NO_TRUNC,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct stats_choice *choice = job->choice;

    switch ((enum stats_option)options->spec->id) {
    case STATS_OPTION_ALL:
        choice->all = true;
        break;
    case STATS_OPTION_FORMAT:
        choice->format = str_eq(options->value, "table") ? NULL : options->value;
        return rows_check_format(options->value, err);
    case STATS_OPTION_INTERVAL:
        if (verb_duration("interval", options->value, &choice->interval_msec, err) < 0)
            return -EINVAL;
        if (choice->interval_msec == 0)
            return err_set(err, -EINVAL, "--interval 0 leaves no time between two lists");
        break;
    case STATS_OPTION_NO_RESET:
        choice->no_reset = true;
        break;
    case STATS_OPTION_NO_STREAM:
        choice->once = true;
        break;
    case STATS_OPTION_NO_TRUNC:
        choice->full = true;
        break;
    }
    return 0;
}

/* The processor time and the time in which it was spent, from the last round on. */
static double cpu_share(struct stats_choice *choice, const struct kept *kept,
                        const struct kept_stats *stats) {
    uint64_t now = clock_monotonic(), cpu = stats->cgroup.cpu_nsec, length = stats->up_nsec;
    struct seen *seen = NULL, *more;

    for (size_t i = 0; i < choice->n_seen && !seen; i++)
        if (str_eq(choice->seen[i].id, kept->id))
            seen = &choice->seen[i];
    if (seen && cpu >= seen->cpu_nsec) {
        length = now - seen->at_nsec;
        cpu -= seen->cpu_nsec;
    }
    if (!seen && (more = reallocarray(choice->seen, choice->n_seen + 1, sizeof *more))) {
        choice->seen = more;
        seen = &more[choice->n_seen++];
    }
    if (seen) {
        *seen = (struct seen){.cpu_nsec = stats->cgroup.cpu_nsec, .at_nsec = now};
        memcpy(seen->id, kept->id, sizeof seen->id);
    }
    return length > 0 ? 100.0 * (double)cpu / (double)length : 0;
}

static void put_size(struct buf *buf, uint64_t bytes) {
    if (bytes == CGROUP_UNKNOWN)
        buf_puts(buf, "--");
    else
        image_table_size(buf, bytes);
}

static void add_pair(struct value *row, const char *key, uint64_t one, uint64_t other) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    put_size(&text, one);
    buf_puts(&text, " / ");
    put_size(&text, other);
    value_add_text(row, key, text.data ? text.data : "");
}

static void add_percent(struct value *row, const char *key, bool is_known, double percent) {
    char text[32];

    snprintf(text, sizeof text, "%.2f%%", percent);
    value_add_text(row, key, is_known ? text : "--");
}

static uint64_t memory_limit(const struct life *life) {
    uint64_t limit = life->plan.limits.memory_bytes;
    struct sysinfo info;

    if (limit == 0 && sysinfo(&info) == 0)
        limit = (uint64_t)info.totalram * info.mem_unit;
    return limit > 0 ? limit : CGROUP_UNKNOWN;
}

static struct value *make_row(struct stats_choice *choice, const struct kept *kept,
                              const struct life *life, const struct kept_stats *stats) {
    const struct cgroup_stats *cgroup = &stats->cgroup;
    struct value *row = value_new(VALUE_OBJECT);
    uint64_t memory = cgroup->memory_bytes, limit = memory_limit(life);
    char id[KEPT_ID_BYTES], pids[24];

    /* What would be given back for the asking is nobody's need. */
    if (memory != CGROUP_UNKNOWN && cgroup->memory_cache_bytes < memory)
        memory -= cgroup->memory_cache_bytes;
    snprintf(id, sizeof id, "%.*s", choice->full ? KEPT_ID_BYTES - 1 : KEPT_SHORT_ID_DIGITS,
             kept->id);
    snprintf(pids, sizeof pids, "%" PRIu64, cgroup->pids);
    value_add_text(row, "ID", id);
    value_add_text(row, "Container", id);
    value_add_text(row, "Name", kept->name);
    add_percent(row, "CPUPerc", cgroup->cpu_nsec != CGROUP_UNKNOWN, cpu_share(choice, kept, stats));
    add_pair(row, "MemUsage", memory, limit);
    add_percent(row, "MemPerc", memory != CGROUP_UNKNOWN && limit != CGROUP_UNKNOWN,
                100.0 * (double)memory / (double)limit);
    add_pair(row, "NetIO", stats->net_received_bytes, stats->net_sent_bytes);
    add_pair(row, "BlockIO", cgroup->io_read_bytes, cgroup->io_write_bytes);
    value_add_text(row, "PIDs", cgroup->pids == CGROUP_UNKNOWN ? "--" : pids);
    return row;
}

/* A row for a container, if there is something to tell. */
static int add_row(struct verb_job *job, const struct kept *kept, struct value *rows,
                   struct err *err) {
    _cleanup_life_ struct life life;
    struct kept_stats stats;
    int r;

    life_init(&life);
    r = kept_life(kept, &life, err);
    if (r == 0)
        r = kept_stats(&job->containers, kept, &stats, err);
    if (r == 0 && !value_add(rows, NULL, make_row(job->choice, kept, &life, &stats)))
        r = err_nomem(err);
    return r;
}

static int add_named(struct verb_job *job, struct value *rows, struct err *err) {
    for (size_t i = 0; i < job->n_words; i++) {
        _cleanup_kept_ struct kept kept = KEPT_INIT;
        int r = containers_find(&job->containers, job->words[i], &kept, err);

        if (r == 0)
            r = add_row(job, &kept, rows, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_all(struct verb_job *job, struct value *rows, struct err *err) {
    struct kept *kept = NULL;
    size_t n = 0;
    int r = containers_list(&job->containers, &kept, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!kept_is_live(&kept[i]))
            continue;
        r = add_row(job, &kept[i], rows, err);
        if (r == -ENOTCONN) /* it has ended since it was listed */
            r = 0;
    }
    kept_list_done(kept, n);
    return r;
}

static int show(struct verb_job *job, struct err *err) {
    static const struct rows_column columns[] = {
        {"CONTAINER ID", "ID"},   {"NAME", "Name"},
        {"CPU %", "CPUPerc"},     {"MEM USAGE / LIMIT", "MemUsage"},
        {"MEM %", "MemPerc"},     {"NET I/O", "NetIO"},
        {"BLOCK I/O", "BlockIO"}, {"PIDS", "PIDs"},
    };
    const struct stats_choice *choice = job->choice;
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = !rows              ? err_nomem(err)
            : job->n_words > 0 ? add_named(job, rows, err)
                               : add_all(job, rows, err);

    if (!choice->once && !choice->no_reset && !choice->format && job->out.columns > 0)
        buf_puts(&text, HOME);
    if (r == 0 && choice->format)
        r = rows_format(&text, choice->format, columns, N_ELEMENTS(columns), rows, err);
    else if (r == 0)
        rows_table(&text, columns, N_ELEMENTS(columns), rows, true);
    if (r == 0)
        job->status = console_print(&job->out, &text);
    return r;
}

static int run(struct verb_job *job, struct err *err) {
    const struct stats_choice *choice = job->choice;
    const struct timespec pause = {.tv_sec = choice->interval_msec / 1000,
                                   .tv_nsec = choice->interval_msec % 1000 * 1000000L};
    int r = show(job, err);

    while (r == 0 && job->status == 0 && !choice->once) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        r = show(job, err);
    }
    return r;
}

int stats_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"all", 'a', NULL, "Options", "for docker's sake: those that do not run use nothing",
         STATS_OPTION_ALL},
        {"format", 0, "FORM", "Options",
         "table (default), json, or a line for each by a template: {{.Name}} {{.CPUPerc}} "
         "{{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}",
         STATS_OPTION_FORMAT},
        {"interval", 'i', "SECONDS", "Options", "between two lists; 1", STATS_OPTION_INTERVAL},
        {"no-reset", 0, NULL, "Options", "each list below the last one", STATS_OPTION_NO_RESET},
        {"no-stream", 0, NULL, "Options", "one list; the processors' share is that since the start",
         STATS_OPTION_NO_STREAM},
        {"no-trunc", 0, NULL, "Options", "ids in full", STATS_OPTION_NO_TRUNC},
    };
    static const struct verb verb = {
        .name = "stats",
        .words = "[CONTAINER]...",
        .about = "Shows what containers that run use, as their cgroups count it: '--' stands for "
                 "what this host does not count.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run,
    };
    struct stats_choice choice = {.interval_msec = 1000};
    int status = verb_run(&verb, &choice, argc, argv);

    free(choice.seen);
    return status;
}
