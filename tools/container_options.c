/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that describe a container, whichever command makes it: a row is
 * all that an option takes, its words for the help and what it does to a plan.
 */
#include "container_options.h"

#include "engine/base/cleanup.h"

#include <errno.h>

#define CONTAINER "The container"

static int set_pull(struct plan *plan, const char *value, struct err *err) {
    if (plan_parse_pull(value, &plan->pull, err) < 0)
        return err_wrap(err, "--pull");
    return 0;
}

static int set_user(struct plan *plan, const char *value, struct err *err) {
    return plan_set_string(&plan->user, value, err);
}

static int set_net(struct plan *plan, const char *value, struct err *err) {
    if (plan_set_net(plan, value, err) < 0)
        return err_wrap(err, "--net");
    return 0;
}

static int set_hostname(struct plan *plan, const char *value, struct err *err) {
    return plan_set_string(&plan->hostname, value, err);
}

static int set_name(struct plan *plan, const char *value, struct err *err) {
    return plan_set_string(&plan->name, value, err);
}

static int set_read_only(struct plan *plan, const char *value, struct err *err) {
    (void)value;
    (void)err;
    plan->read_only = true;
    return 0;
}

/* The ids in the rows are given by container_options_append(). */
static const struct container_option {
    struct option_spec spec;
    int (*apply)(struct plan *plan, const char *value, struct err *err);
} container_options[] = {
    {{"pull", 0, "WHEN", CONTAINER,
      "when to ask a registry for it: missing (default), when it is not in the store; never; "
      "always",
      0},
     set_pull},
    {{"volume", 'v', "SRC:DST[:OPTS]", CONTAINER,
      "show a host directory or file at DST; OPTS is rw (default), ro, or cow: writable inside, "
      "the host's copy never touched",
      0},
     plan_add_volume},
    {{"tmpfs", 0, "DST[:SIZE]", CONTAINER, "an empty directory in memory at DST", 0},
     plan_add_tmpfs},
    {{"env", 'e', "NAME[=VALUE]", CONTAINER,
      "set a variable, or without =VALUE pass the host's through; nothing else of the host's "
      "environment goes in",
      0},
     plan_add_env},
    {{"user", 'u', "USER[:GROUP]", CONTAINER,
      "who runs the steps: names or numbers, looked up in the image", 0},
     set_user},
    {{"net", 'n', "MODE", CONTAINER,
      "none (default): loopback alone; bridge: an address on a bridge of mayfly's own that leads "
      "nowhere else; bridge:NAME: on an existing bridge; nat: the outside too; host: the "
      "host's own network",
      0},
     set_net},
    {{"publish", 'p', "[ADDR:]HOST:CTR[/udp]", CONTAINER,
      "with --net nat, lead the host's port HOST to the container's port CTR", 0},
     plan_add_port},
    {{"hostname", 0, "NAME", CONTAINER, "the host name that programs inside see", 0}, set_hostname},
    {{"name", 0, "NAME", CONTAINER, "a name for the container instead of a random one", 0},
     set_name},
    {{"read-only", 0, NULL, CONTAINER, "make the root file system read-only", 0}, set_read_only},
};

void container_options_append(struct option_spec *specs, size_t *n_specs) {
    for (size_t i = 0; i < N_ELEMENTS(container_options); i++) {
        specs[*n_specs] = container_options[i].spec;
        specs[(*n_specs)++].id = CONTAINER_OPTION_FIRST + (int)i;
    }
}

int container_options_apply(struct plan *plan, const struct options *options, struct err *err) {
    size_t i = (size_t)(options->spec->id - CONTAINER_OPTION_FIRST);

    if (options->spec->id < CONTAINER_OPTION_FIRST || i >= N_ELEMENTS(container_options))
        return err_set(err, -EINVAL, "option '--%s' is not known here", options->spec->name);
    return container_options[i].apply(plan, options->value, err);
}
