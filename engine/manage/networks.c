/* SPDX-License-Identifier: Apache-2.0 */
/* For the commands about networks, what a run does for its own. */
#include "networks.h"

#include "engine/base/cleanup.h"
#include "engine/connect.h"
#include "engine/plan/plan_spec.h"
#include "net/network.h"

#include <errno.h>

const struct network_built_in networks_built_in[NETWORKS_N_BUILT_IN] = {
    {"bridge", "bridge", NETWORK_DEFAULT},
    {"host", "host", NULL},
    {"nat", "bridge", NETWORK_NAT},
    {"none", "null", NULL},
};

int networks_list(struct images *images, struct network_entries *ret_entries, struct err *err) {
    _cleanup_close_ int fd = connect_open_state(&images->store, false, err);

    *ret_entries = (struct network_entries){0};
    if (fd == -ENOENT)
        return 0;
    return fd < 0 ? fd : network_config_list(fd, ret_entries, err);
}

static int check_name(const char *name, struct err *err) {
    if (!plan_spec_name_ok(name))
        return err_set(err, -EINVAL,
                       "'%s' is not a name; use up to 63 letters, digits, '_', '.', '-', a letter "
                       "or digit first",
                       name);
    for (size_t i = 0; i < N_ELEMENTS(networks_built_in); i++)
        if (str_eq(name, networks_built_in[i].name) ||
            (networks_built_in[i].file && str_eq(name, networks_built_in[i].file)))
            return err_set(err, -EINVAL, "'%s' is a network of mayfly's own", name);
    return 0;
}

int networks_create(struct images *images, const char *name, const struct network_config *config,
                    struct err *err) {
    _cleanup_close_ int fd = -1;
    int r = check_name(name, err);

    if (r < 0)
        return r;
    fd = connect_open_state(&images->store, true, err);
    return fd < 0 ? fd : network_config_create(fd, name, config, err);
}

int networks_remove(struct images *images, const char *name, struct err *err) {
    _cleanup_close_ int fd = -1;
    int r = check_name(name, err);

    if (r < 0)
        return r;
    fd = connect_open_state(&images->store, true, err);
    return fd < 0 ? fd : network_config_remove(fd, name, err);
}
