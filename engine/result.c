/* SPDX-License-Identifier: Apache-2.0 */
/* How a run went, as data, and that data as JSON for whoever reads it after. */
#include "result.h"

#include "base/cleanup.h"
#include "engine/confine/caps.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void result_init(struct result *result) {
    *result = (struct result){.outcome = OUTCOME_OK};
}

void result_done(struct result *result) {
    free(result->actions);
    result_init(result);
}

int result_add(struct result *result, const struct action_result *action) {
    struct action_result *actions =
        reallocarray(result->actions, result->n_actions + 1, sizeof *actions);

    if (!actions)
        return -ENOMEM;
    result->actions = actions;
    actions[result->n_actions++] = *action;
    return 0;
}

/* The number that is known; of two, their sum, or the greater for what is a peak. */
static void merge(uint64_t *place, uint64_t value, bool is_peak) {
    if (value == CGROUP_UNKNOWN)
        return;
    if (*place != CGROUP_UNKNOWN && !is_peak)
        *place += value;
    else if (*place == CGROUP_UNKNOWN || value > *place)
        *place = value;
}

void result_note(struct result *result, const struct container *container) {
    const struct cgroup *cgroup = container->cgroup;
    struct cgroup_stats *sum = &result->usage, stats;

    result->map = container->map;
    if (!cgroup)
        return;
    cgroup_stats(cgroup, &stats);
    if (!result->has_usage) {
        *sum = stats;
        result->has_usage = true;
        return;
    }
    merge(&sum->memory_peak_bytes, stats.memory_peak_bytes, true);
    merge(&sum->pids_peak, stats.pids_peak, true);
    merge(&sum->oom_kills, stats.oom_kills, false);
    merge(&sum->cpu_nsec, stats.cpu_nsec, false);
    merge(&sum->cpu_throttled_nsec, stats.cpu_throttled_nsec, false);
    merge(&sum->io_read_bytes, stats.io_read_bytes, false);
    merge(&sum->io_write_bytes, stats.io_write_bytes, false);
}

const char *outcome_name(enum outcome outcome) {
    static const char *const names[] = {
        [OUTCOME_OK] = "ok",           [OUTCOME_FAILED] = "failed",
        [OUTCOME_TIMEOUT] = "timeout", [OUTCOME_INTERRUPTED] = "interrupted",
        [OUTCOME_ERROR] = "error",     [OUTCOME_SKIPPED] = "skipped",
    };

    return (size_t)outcome < N_ELEMENTS(names) ? names[outcome] : "unknown";
}

static const char *kind_name(enum action_kind kind) {
    static const char *const names[] = {
        [ACTION_WORKDIR] = "workdir",   [ACTION_SHELL] = "shell",   [ACTION_EXEC] = "exec",
        [ACTION_DOWNLOAD] = "download", [ACTION_UPLOAD] = "upload", [ACTION_COMMIT] = "commit",
    };

    return (size_t)kind < N_ELEMENTS(names) ? names[kind] : "unknown";
}

/* Spec: RFC 3339, section 5.6.  A moment that never came is null. */
void result_put_moment(struct json_writer *json, uint64_t nsec) {
    time_t seconds = (time_t)(nsec / NSEC_PER_SEC);
    char date[32], text[48];
    struct tm tm;

    if (nsec == 0 || !gmtime_r(&seconds, &tm) ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        json_writer_string(json, NULL);
        return;
    }
    snprintf(text, sizeof text, "%s.%06uZ", date, (unsigned)(nsec % NSEC_PER_SEC / 1000));
    json_writer_string(json, text);
}

static void put_action(struct json_writer *json, const struct action_result *result,
                       const struct plan *plan) {
    const struct action *action = &plan->actions[result->index];
    _cleanup_buf_ struct buf command = BUF_INIT;

    action_format(action, &command);
    /* A text that did not fit into memory makes the whole JSON one that did not. */
    json->buf.failed |= command.failed;
    json_writer_open_object(json);
    json_writer_key(json, "index");
    json_writer_i64(json, (int64_t)result->index + 1);
    json_writer_key(json, "kind");
    json_writer_string(json, kind_name(action->kind));
    json_writer_key(json, "command");
    json_writer_string(json, command.data ? command.data : "");
    json_writer_key(json, "outcome");
    json_writer_string(json, outcome_name(result->outcome));
    json_writer_key(json, "status");
    json_writer_i64(json, result->status);
    json_writer_key(json, "remembered");
    json_writer_bool(json, result->remembered);
    json_writer_key(json, "out_of_memory");
    json_writer_bool(json, result->out_of_memory);
    json_writer_key(json, "started");
    result_put_moment(json, result->started_nsec);
    json_writer_key(json, "elapsed_seconds");
    json_writer_seconds(json, result->elapsed_nsec);
    json_writer_close_object(json);
}

/* The highest numbers and the sums; what was there at one moment says nothing after the run. */
static void put_usage(struct json_writer *json, const struct cgroup_stats *usage) {
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"memory_peak_bytes", usage->memory_peak_bytes},
        {"oom_kills", usage->oom_kills},
        {"pids_peak", usage->pids_peak},
        {"io_read_bytes", usage->io_read_bytes},
        {"io_write_bytes", usage->io_write_bytes},
    };
    const struct {
        const char *key;
        uint64_t nsec;
    } times[] = {
        {"cpu_seconds", usage->cpu_nsec},
        {"cpu_throttled_seconds", usage->cpu_throttled_nsec},
    };

    json_writer_key(json, "usage");
    json_writer_open_object(json);
    for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
        json_writer_key(json, numbers[i].key);
        if (numbers[i].value == CGROUP_UNKNOWN)
            json_writer_string(json, NULL);
        else
            json_writer_i64(json, (int64_t)numbers[i].value);
    }
    for (size_t i = 0; i < N_ELEMENTS(times); i++) {
        json_writer_key(json, times[i].key);
        if (times[i].nsec == CGROUP_UNKNOWN)
            json_writer_string(json, NULL);
        else
            json_writer_seconds(json, times[i].nsec);
    }
    json_writer_close_object(json);
}

static void put_map(struct json_writer *json, const char *key, const struct id_range *ranges,
                    unsigned n) {
    json_writer_key(json, key);
    json_writer_open_array(json);
    for (unsigned i = 0; i < n; i++) {
        json_writer_open_array(json);
        json_writer_i64(json, ranges[i].inside);
        json_writer_i64(json, ranges[i].outside);
        json_writer_i64(json, ranges[i].count);
        json_writer_close_array(json);
    }
    json_writer_close_array(json);
}

/* What /proc/self/status says to the container's root, and its maps as seen from the host. */
static void put_confinement(struct json_writer *json, const struct result *result,
                            const struct plan *plan) {
    const struct confinement *confinement = &plan->confinement;
    const char *profile = confinement_profile(confinement);
    _cleanup_strv_ struct strv names = {0};

    json->buf.failed |= caps_names(confinement_caps(confinement), &names) < 0;
    json_writer_key(json, "confinement");
    json_writer_open_object(json);
    json_writer_key(json, "capabilities");
    json_writer_open_array(json);
    for (size_t i = 0; i < names.n; i++)
        json_writer_string(json, names.items[i]);
    json_writer_close_array(json);
    json_writer_key(json, "seccomp");
    json_writer_string(json, profile                               ? profile
                             : confinement_has_filter(confinement) ? "default"
                                                                   : "unconfined");
    json_writer_key(json, "no_new_privileges");
    json_writer_bool(json, confinement->no_new_privileges);
    json_writer_key(json, "apparmor");
    json_writer_string(json, confinement->apparmor);
    put_map(json, "uid_map", result->map.uids, result->map.n_uids);
    put_map(json, "gid_map", result->map.gids, result->map.n_gids);
    json_writer_close_object(json);
}

void result_to_json(const struct result *result, const struct plan *plan,
                    struct json_writer *json) {
    json_writer_open_object(json);
    json_writer_key(json, "version");
    json_writer_i64(json, 1);
    json_writer_key(json, "image");
    json_writer_string(json, plan->image);
    json_writer_key(json, "name");
    json_writer_string(json, plan->name);
    json_writer_key(json, "outcome");
    json_writer_string(json, outcome_name(result->outcome));
    json_writer_key(json, "exit_status");
    json_writer_i64(json, result->exit_status);
    json_writer_key(json, "started");
    result_put_moment(json, result->started_nsec);
    json_writer_key(json, "setup_seconds");
    json_writer_seconds(json, result->setup_nsec);
    json_writer_key(json, "elapsed_seconds");
    json_writer_seconds(json, result->elapsed_nsec);
    json_writer_key(json, "error");
    json_writer_string(json, result->outcome == OUTCOME_ERROR ? result->error.message : NULL);
    if (result->map.n_uids > 0)
        put_confinement(json, result, plan);
    if (result->has_usage)
        put_usage(json, &result->usage);
    json_writer_key(json, "actions");
    json_writer_open_array(json);
    for (size_t i = 0; i < result->n_actions; i++)
        if (result->actions[i].index < plan->n_actions)
            put_action(json, &result->actions[i], plan);
    json_writer_close_array(json);
    json_writer_close_object(json);
}
