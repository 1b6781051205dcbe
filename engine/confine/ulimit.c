/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of each process by itself.  PID 1 does not take them on, since it has
 * to serve the container whatever its programs may do; each of them does, before
 * it begins.  Only the host can raise a hard limit, and does so beforehand.
 */
#include "ulimit.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    int resource;
} names[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

static const char *name_of(int resource) {
    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        if (names[i].resource == resource)
            return names[i].name;
    return "?";
}

void ulimits_done(struct ulimits *ulimits) {
    free(ulimits->items);
    *ulimits = (struct ulimits){0};
}

static int parse_value(const char *text, uint64_t *ret_value) {
    if (str_eq(text, "-1") || str_eq(text, "unlimited")) {
        *ret_value = ULIMIT_UNLIMITED;
        return 0;
    }
    return str_to_u64(text, INT64_MAX, ret_value);
}

static int parse(const char *spec, struct ulimit *ulimit, struct err *err) {
    const char *value = strchr(spec, '='), *colon;
    _cleanup_free_ char *soft = NULL;
    size_t i = 0, n = value ? (size_t)(value - spec) : 0;

    while (i < N_ELEMENTS(names) &&
           (strlen(names[i].name) != n || strncmp(names[i].name, spec, n) != 0))
        i++;
    if (!value || i == N_ELEMENTS(names))
        return err_set(err, -EINVAL,
                       "--ulimit '%s' is not NAME=SOFT[:HARD] with a name of setrlimit(2): nofile, "
                       "nproc, core, stack, ...",
                       spec);
    value++;
    colon = strchrnul(value, ':');
    soft = strndup(value, (size_t)(colon - value));
    if (!soft)
        return err_nomem(err);
    ulimit->resource = names[i].resource;
    if (parse_value(soft, &ulimit->soft) < 0 ||
        parse_value(*colon ? colon + 1 : soft, &ulimit->hard) < 0)
        return err_set(err, -EINVAL, "--ulimit '%s': a limit is a number, or -1 for none", spec);
    if (ulimit->soft > ulimit->hard)
        return err_set(err, -EINVAL,
                       "--ulimit '%s': the first limit, the soft one, is above the "
                       "hard one",
                       spec);
    return 0;
}

int ulimits_add(struct ulimits *ulimits, const char *spec, struct err *err) {
    struct ulimit ulimit = {0}, *items;
    int r = parse(spec, &ulimit, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < ulimits->n; i++)
        if (ulimits->items[i].resource == ulimit.resource) {
            ulimits->items[i] = ulimit;
            return 0;
        }
    items = reallocarray(ulimits->items, ulimits->n + 1, sizeof *items);
    if (!items)
        return err_nomem(err);
    ulimits->items = items;
    items[ulimits->n++] = ulimit;
    return 0;
}

int ulimits_prepare(const struct ulimits *ulimits, pid_t pid, struct err *err) {
    for (size_t i = 0; i < ulimits->n; i++) {
        const struct ulimit *ulimit = &ulimits->items[i];
        __rlimit_resource_t resource = (__rlimit_resource_t)ulimit->resource;
        struct rlimit now, raised;

        if (prlimit(pid, resource, NULL, &now) < 0)
            return err_errno(err, "cannot read the limit --ulimit %s", name_of(ulimit->resource));
        if (ulimit->hard <= now.rlim_max)
            continue;
        raised = (struct rlimit){.rlim_cur = now.rlim_cur, .rlim_max = ulimit->hard};
        if (prlimit(pid, resource, &raised, NULL) < 0)
            return err_set(err, -errno,
                           "--ulimit %s: this host's hard limit is %" PRIu64
                           ", and raising it takes root with CAP_SYS_RESOURCE; give no more than "
                           "that",
                           name_of(ulimit->resource), (uint64_t)now.rlim_max);
    }
    return 0;
}

int ulimits_apply(const struct ulimits *ulimits) {
    for (size_t i = 0; i < ulimits->n; i++) {
        const struct rlimit value = {.rlim_cur = ulimits->items[i].soft,
                                     .rlim_max = ulimits->items[i].hard};

        if (prlimit(0, (__rlimit_resource_t)ulimits->items[i].resource, &value, NULL) < 0)
            return -1;
    }
    return 0;
}
