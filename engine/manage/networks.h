/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORKS_H
#define MAYFLY_NETWORKS_H

#include "engine/base/err.h"
#include "images.h"
#include "net/network_config.h"

/** The networks that are there without having been made, by the words of --net. */
#define NETWORKS_N_BUILT_IN 4

/**
 * struct network_built_in - one of them
 * @driver: what docker calls the like
 * @file: its name in the entries of networks_list(), where it is when containers are on it; NULL:
 *        never
 */
struct network_built_in {
    const char *name;
    const char *driver;
    const char *file;
};

extern const struct network_built_in networks_built_in[NETWORKS_N_BUILT_IN];

/** networks_list() - see network_config_list(); @images: for the store.  Return: as there. */
int networks_list(struct images *images, struct network_entries *ret_entries, struct err *err);

/**
 * networks_create() - see network_config_create()
 * Return: as there, and -EINVAL for a name that is none.
 */
int networks_create(struct images *images, const char *name, const struct network_config *config,
                    struct err *err);

/** networks_remove() - see network_config_remove().  Return: as there. */
int networks_remove(struct images *images, const char *name, struct err *err);

#endif
