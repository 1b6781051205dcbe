/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's options by their names, for whoever makes a plan of words: the
 * command line, a file, the library.  A new option is a row and a function here,
 * and a row with its words for people in tools/container_options.c.
 */
#include "plan_option.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/confine/sysctl.h"
#include "plan_spec.h"

#include <errno.h>

static int set_pull(struct plan *plan, const char *value, struct err *err) {
    if (plan_parse_pull(value, &plan->pull, err) < 0)
        return err_wrap(err, "--pull");
    return 0;
}

static int set_platform(struct plan *plan, const char *value, struct err *err) {
    return wishes_set(&plan->wishes, "platform", value, err);
}

static int add_insecure(struct plan *plan, const char *value, struct err *err) {
    return wishes_set(&plan->wishes, "insecure-registry", value, err);
}

static int set_max_size(struct plan *plan, const char *value, struct err *err) {
    return wishes_set(&plan->wishes, "max-image-size", value, err);
}

static int set_user(struct plan *plan, const char *value, struct err *err) {
    return str_set(&plan->user, value, err);
}

static int set_net(struct plan *plan, const char *value, struct err *err) {
    if (plan_set_net(plan, value, err) < 0)
        return err_wrap(err, "--net");
    return 0;
}

static int set_isolate(struct plan *plan, const char *value, struct err *err) {
    (void)value;
    (void)err;
    plan->isolate = true;
    return 0;
}

static int set_hostname(struct plan *plan, const char *value, struct err *err) {
    return str_set(&plan->hostname, value, err);
}

static int set_name(struct plan *plan, const char *value, struct err *err) {
    return str_set(&plan->name, value, err);
}

static int set_read_only(struct plan *plan, const char *value, struct err *err) {
    (void)value;
    (void)err;
    plan->read_only = true;
    return 0;
}

static int set_memory(struct plan *plan, const char *value, struct err *err) {
    return limits_set_memory(&plan->limits, value, err);
}

static int set_memory_swap(struct plan *plan, const char *value, struct err *err) {
    return limits_set_memory_swap(&plan->limits, value, err);
}

static int set_cpus(struct plan *plan, const char *value, struct err *err) {
    return limits_set_cpus(&plan->limits, value, err);
}

static int set_cpu_shares(struct plan *plan, const char *value, struct err *err) {
    return limits_set_cpu_shares(&plan->limits, value, err);
}

static int set_cpuset(struct plan *plan, const char *value, struct err *err) {
    return limits_set_cpuset(&plan->limits, value, err);
}

static int set_pids(struct plan *plan, const char *value, struct err *err) {
    return limits_set_pids(&plan->limits, value, err);
}

static int add_io(struct plan *plan, const char *value, struct err *err) {
    return limits_add_io(&plan->limits, value, err);
}

static int add_ulimit(struct plan *plan, const char *value, struct err *err) {
    return ulimits_add(&plan->ulimits, value, err);
}

static int add_sysctl(struct plan *plan, const char *value, struct err *err) {
    return sysctl_add(&plan->sysctls, value, err);
}

static int set_shm_size(struct plan *plan, const char *value, struct err *err) {
    if (plan_parse_size(value, &plan->shm_bytes) < 0 || plan->shm_bytes == 0)
        return err_set(err, -EINVAL, "--shm-size '%s' is not a size; write 64m or 1g", value);
    return 0;
}

static int set_oom_score_adj(struct plan *plan, const char *value, struct err *err) {
    uint64_t score;

    if (str_to_u64(value + (value[0] == '-'), 1000, &score) < 0)
        return err_set(err, -EINVAL, "--oom-score-adj '%s' is not a number from -1000 to 1000",
                       value);
    plan->oom_score_adj = value[0] == '-' ? -(int)score : (int)score;
    return 0;
}

static int add_cap(struct plan *plan, const char *value, struct err *err) {
    return confinement_add_cap(&plan->confinement, value, err);
}

static int drop_cap(struct plan *plan, const char *value, struct err *err) {
    return confinement_drop_cap(&plan->confinement, value, err);
}

static int set_security(struct plan *plan, const char *value, struct err *err) {
    return confinement_set_security(&plan->confinement, value, err);
}

static int set_userns(struct plan *plan, const char *value, struct err *err) {
    plan->userns_host = str_eq(value, "host");
    if (plan->userns_host || str_eq(value, "auto") || str_eq(value, "private"))
        return 0;
    return err_set(err, -EINVAL,
                   "--userns '%s' is neither auto, a namespace of its own, nor host, none", value);
}

static int set_privileged(struct plan *plan, const char *value, struct err *err) {
    (void)value;
    (void)err;
    plan->confinement.privileged = true;
    return 0;
}

static const struct plan_option {
    const char *name;
    int (*apply)(struct plan *plan, const char *value, struct err *err);
} plan_options[] = {
    {"platform", set_platform},
    {"insecure-registry", add_insecure},
    {"max-image-size", set_max_size},
    {"pull", set_pull},
    {"volume", plan_add_volume},
    {"tmpfs", plan_add_tmpfs},
    {"device", plan_add_device},
    {"env", plan_add_env},
    {"user", set_user},
    {"net", set_net},
    {"publish", plan_add_port},
    {"hostname", set_hostname},
    {"add-host", plan_add_host},
    {"dns", plan_add_dns},
    {"dns-search", plan_add_dns_search},
    {"name", set_name},
    {"read-only", set_read_only},
    {"isolate", set_isolate},
    {"keep", plan_add_keep},
    {"memory", set_memory},
    {"memory-swap", set_memory_swap},
    {"cpus", set_cpus},
    {"cpu-shares", set_cpu_shares},
    {"cpuset", set_cpuset},
    {"cpuset-cpus", set_cpuset},
    {"pids", set_pids},
    {"pids-limit", set_pids},
    {"io-max", add_io},
    {"ulimit", add_ulimit},
    {"shm-size", set_shm_size},
    {"sysctl", add_sysctl},
    {"oom-score-adj", set_oom_score_adj},
    {"cap-add", add_cap},
    {"cap-drop", drop_cap},
    {"security-opt", set_security},
    {"privileged", set_privileged},
    {"userns", set_userns},
};

int plan_option(struct plan *plan, const char *name, const char *value, struct err *err) {
    for (size_t i = 0; i < N_ELEMENTS(plan_options); i++)
        if (str_eq(plan_options[i].name, name))
            return plan_options[i].apply(plan, value, err);
    return err_set(err, -ENOENT, "a container has no option '%s'", name);
}

int plan_run_option(struct plan *plan, const char *name, const char *value, struct err *err) {
    const struct {
        const char *name;
        uint64_t *place;
    } durations[] = {
        {"remember-for", &plan->remember_nsec},
        {"timeout", &plan->timeout_nsec},
        {"step-timeout", &plan->step_timeout_nsec},
    };

    if (str_eq(name, "remember")) {
        plan->remember = true;
        return 0;
    }
    for (size_t i = 0; i < N_ELEMENTS(durations); i++)
        if (str_eq(durations[i].name, name))
            return plan_spec_duration(name, value, durations[i].place, err);
    return err_set(err, -ENOENT, "a run has no option '%s'", name);
}
