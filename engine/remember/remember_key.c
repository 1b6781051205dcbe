/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step's outcome may depend on, as a list of facts; the digest of the list
 * is the key that its result is remembered under.
 *
 * In it: whatever a program in the container can see.  Not in it: the container's
 * name (with -r the host name is always the same), published ports and time limits,
 * which are of the host's side; whether there is a terminal, since remembered steps
 * have none; what is in a kept directory, which is a cache and must not matter.  A
 * field that is added to struct plan and that a step can see has to be added here.
 */
#include "remember_key.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Changes when the same facts come to mean another container. */
#define VERSION "1"

static int add(struct strv *facts, const char *label, const char *value) {
    return strv_push_take(facts, str_printf("%s\t%s", label, value));
}

static int add_number(struct strv *facts, const char *label, uint64_t value) {
    return strv_push_take(facts, str_printf("%s\t%" PRIu64, label, value));
}

static void digest_of(const char *text, char ret_hex[SHA256_HEX_BYTES]) {
    struct sha256 sha;

    sha256_init(&sha);
    sha256_text(&sha, text);
    sha256_final_hex(&sha, ret_hex);
}

static void take_list(struct sha256 *sha, const struct strv *list) {
    sha256_number(sha, list->n);
    for (size_t i = 0; i < list->n; i++)
        sha256_text(sha, list->items[i]);
}

void remember_key_image(const struct image *image, const char *content,
                        char ret_hex[SHA256_HEX_BYTES]) {
    const struct image_config *config = &image->config;
    struct sha256 sha;

    sha256_init(&sha);
    if (content)
        sha256_text(&sha, content);
    else
        take_list(&sha, &image->layers);
    take_list(&sha, &config->env);
    sha256_text(&sha, config->user ? config->user : "");
    sha256_text(&sha, config->working_dir ? config->working_dir : "");
    sha256_final_hex(&sha, ret_hex);
}

static const char *kind_of(enum action_kind kind) {
    return kind == ACTION_SHELL ? "-S" : kind == ACTION_EXEC ? "-X" : "-U";
}

/* The action itself.  Of an upload the name counts as far as the copy has it. */
static int add_action(const struct plan *plan, size_t index, const struct remember_inputs *inputs,
                      struct strv *facts) {
    const struct action *action = &plan->actions[index];
    char hex[SHA256_HEX_BYTES];
    struct sha256 sha;
    int r;

    sha256_init(&sha);
    sha256_text(&sha, kind_of(action->kind));
    take_list(&sha, &action->argv);
    if (action->source) {
        const char *slash = strrchr(action->source, '/');

        sha256_text(&sha, slash && slash[1] ? slash + 1 : action->source);
        sha256_text(&sha, action->target ? action->target : "");
    }
    sha256_final_hex(&sha, hex);
    r = add(facts, "command", hex);
    if (r == 0 && inputs->upload)
        r = add(facts, "upload", inputs->upload);
    return r;
}

/* Those that a program can find out about. */
static int add_limits(const struct plan *plan, struct strv *facts) {
    const struct limits *limits = &plan->limits;
    int r = add_number(facts, "memory", limits->memory_bytes);

    if (r == 0)
        r = add_number(facts, "memory and swap", limits->memory_swap_bytes);
    if (r == 0)
        r = add_number(facts, "processor time", limits->cpu_quota_usec);
    if (r == 0)
        r = add(facts, "processors", limits->cpuset ? limits->cpuset : "");
    return r == 0 ? add_number(facts, "number of processes", limits->pids) : r;
}

/* What a program sees of these needs no group. */
static int add_allowances(const struct plan *plan, struct strv *facts) {
    int r = add_number(facts, "size of /dev/shm", plan->shm_bytes);

    for (size_t i = 0; r == 0 && i < plan->ulimits.n; i++) {
        const struct ulimit *ulimit = &plan->ulimits.items[i];
        char text[80];

        snprintf(text, sizeof text, "%d=%" PRIu64 ":%" PRIu64, ulimit->resource, ulimit->soft,
                 ulimit->hard);
        r = add(facts, "limit of each process", text);
    }
    for (size_t i = 0; r == 0 && i < plan->sysctls.n; i++)
        r = add(facts, "kernel's switch", plan->sysctls.items[i]);
    return r;
}

static int add_paths(struct strv *facts, const char *label, const struct strv *paths) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < paths->n; i++)
        r = add(facts, label, paths->items[i]);
    return r;
}

/* A profile of somebody's own never comes here (plan_check()). */
static int add_confinement(const struct plan *plan, struct strv *facts) {
    const struct confinement *confinement = &plan->confinement;
    int r = add_number(facts, "capabilities", confinement_caps(confinement));

    if (r == 0)
        r = add_number(facts, "system call filter", confinement_has_filter(confinement));
    if (r == 0)
        r = add_number(facts, "--privileged", confinement->privileged);
    if (r == 0 && plan->userns_host)
        r = add_number(facts, "--userns host", 1);
    if (r == 0)
        r = add_number(facts, "no new privileges", confinement->no_new_privileges);
    if (r == 0)
        r = add_paths(facts, "masked", &confinement->masked);
    return r == 0 ? add_paths(facts, "not masked", &confinement->unmasked) : r;
}

static int add_env(const struct plan *plan, struct strv *facts) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->env.n; i++) {
        const char *equals = strchr(plan->env.items[i], '=');
        char hex[SHA256_HEX_BYTES];

        digest_of(equals + 1, hex);
        r = strv_push_take(facts,
                           str_printf("variable %.*s\t%s", (int)(equals - plan->env.items[i]),
                                      plan->env.items[i], hex));
    }
    return r;
}

static int add_mounts(const struct plan *plan, const struct remember_inputs *inputs,
                      struct strv *facts) {
    static const char *const modes[] = {
        [VOLUME_RW] = "rw", [VOLUME_RO] = "ro", [VOLUME_COW] = "cow"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->n_volumes; i++)
        r = strv_push_take(facts, str_printf("volume %s\t%s %s", plan->volumes[i].target,
                                             modes[plan->volumes[i].mode], inputs->volumes[i]));
    for (size_t i = 0; r == 0 && i < plan->n_tmpfs; i++)
        r = strv_push_take(facts, str_printf("tmpfs %s\t%" PRIu64 " %o%s", plan->tmpfs[i].target,
                                             plan->tmpfs[i].size_bytes, plan->tmpfs[i].mode,
                                             plan->tmpfs[i].no_exec ? " noexec" : ""));
    for (size_t i = 0; r == 0 && i < plan->n_keeps; i++)
        r = strv_push_take(facts,
                           str_printf("kept directory %s\t%s %s", plan->keeps[i].target,
                                      plan->keeps[i].name, plan->keeps[i].read_only ? "ro" : "rw"));
    return r;
}

int remember_key_facts(const struct plan *plan, size_t index, const struct remember_inputs *inputs,
                       struct strv *ret_facts) {
    _cleanup_buf_ struct buf workdirs = BUF_INIT;
    struct strv *facts = ret_facts;
    int r = add(facts, "version", VERSION);

    for (size_t i = 0; i < inputs->workdirs->n; i++)
        buf_printf(&workdirs, "%s%s", i ? "\n" : "", inputs->workdirs->items[i]);
    if (buf_failed(&workdirs))
        return -ENOMEM;
    if (r == 0)
        r = add(facts, "previous", inputs->previous);
    if (r == 0)
        r = add_action(plan, index, inputs, facts);
    if (r == 0)
        r = add(facts, "workdir", workdirs.data ? workdirs.data : "");
    if (r == 0)
        r = add(facts, "user", plan->user ? plan->user : "");
    if (r == 0)
        r = add_number(facts, "network", plan->net);
    if (r == 0)
        r = add(facts, "bridge", plan->bridge ? plan->bridge : plan->network ? plan->network : "");
    if (r == 0)
        r = add(facts, "host name", plan->hostname ? plan->hostname : "");
    for (size_t i = 0; r == 0 && i < plan->hosts.n; i++)
        r = add(facts, "--add-host", plan->hosts.items[i]);
    for (size_t i = 0; r == 0 && i < plan->dns.n; i++)
        r = add(facts, "--dns", plan->dns.items[i]);
    for (size_t i = 0; r == 0 && i < plan->dns_search.n; i++)
        r = add(facts, "--dns-search", plan->dns_search.items[i]);
    if (r == 0)
        r = add_number(facts, "--read-only", plan->read_only);
    if (r == 0)
        r = add_limits(plan, facts);
    if (r == 0)
        r = add_allowances(plan, facts);
    if (r == 0)
        r = add_confinement(plan, facts);
    if (r == 0)
        r = add_env(plan, facts);
    if (r == 0)
        r = add_mounts(plan, inputs, facts);
    return r;
}

void remember_key(const struct strv *facts, char ret_key[SHA256_HEX_BYTES]) {
    struct sha256 sha;

    sha256_init(&sha);
    take_list(&sha, facts);
    sha256_final_hex(&sha, ret_key);
}

static bool has_same(const struct strv *list, const char *fact) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], fact))
            return true;
    return false;
}

static const char *first_without(const struct strv *list, const struct strv *other,
                                 size_t *ret_n_label) {
    for (size_t i = 0; i < list->n; i++)
        if (!has_same(other, list->items[i])) {
            *ret_n_label = strcspn(list->items[i], "\t");
            return list->items[i];
        }
    return NULL;
}

const char *remember_key_difference(const struct strv *before, const struct strv *now,
                                    size_t *ret_n_label) {
    const char *label = first_without(now, before, ret_n_label);

    return label ? label : first_without(before, now, ret_n_label);
}

size_t remember_key_distance(const struct strv *before, const struct strv *now) {
    size_t n = 0;

    for (size_t i = 0; i < now->n; i++)
        n += !has_same(before, now->items[i]);
    for (size_t i = 0; i < before->n; i++)
        n += !has_same(now, before->items[i]);
    return n;
}
