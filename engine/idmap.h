/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IDMAP_H
#define MAYFLY_IDMAP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** IDMAP_ROOT_BASE - the host's first id of root's containers: a range no distribution gives out.
 */
#define IDMAP_ROOT_BASE UINT32_C(0x70000000)

/** IDMAP_COUNT - ids that a container of root has. */
#define IDMAP_COUNT UINT32_C(65536)

enum idmap_mode {
    IDMAP_SHIFTED,  /* root: an unprivileged range, layers and volumes through ID-mapped mounts */
    IDMAP_IDENTITY, /* root where mounts cannot be ID-mapped: the same ids, no privileges outside */
    IDMAP_SUBUID,   /* a user with subordinate ids: container root is the user */
    IDMAP_HOST,     /* root that asked for it: no user namespace */
    IDMAP_SINGLE,   /* a user without: container root is the user, ownership is emulated */
};

/** struct id_range - @count ids from @inside, standing for those from @outside */
struct id_range {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

/**
 * struct idmap - how a container's ids stand to the host's
 * @uids, @gids: the ranges, in ascending order of what is inside
 */
struct idmap {
    enum idmap_mode mode;
    struct id_range uids[2];
    struct id_range gids[2];
    unsigned n_uids;
    unsigned n_gids;
};

/**
 * idmap_choose() - the best mode that this process may hope for
 *
 * Context: host.  Reads /proc/self/uid_map for root, /etc/subuid and /etc/subgid for others.
 * Return: 0 or -errno with a text.
 */
int idmap_choose(struct idmap *ret_map, struct err *err);

/**
 * idmap_fall_back() - the next best mode, after the one of @map has turned out not to work
 *
 * Return: true when there is one, which @map then holds.
 */
bool idmap_fall_back(struct idmap *map);

/**
 * idmap_choose_host() - no user namespace, where this process is root; else as idmap_choose(),
 * whose namespace is the user's own
 */
int idmap_choose_host(struct idmap *ret_map, struct err *err);

/** idmap_is_roots() - whether mounts and devices are made with the host's privileges. */
static inline bool idmap_is_roots(const struct idmap *map) {
    return map->mode == IDMAP_SHIFTED || map->mode == IDMAP_IDENTITY || map->mode == IDMAP_HOST;
}

/** idmap_name() - the mode in a word, for messages. */
const char *idmap_name(enum idmap_mode mode);

/** idmap_has() - whether id @inside exists in the container; @ranges: map->uids or map->gids. */
bool idmap_has(const struct id_range *ranges, unsigned n, uint32_t inside);

/**
 * idmap_parse_sub() - find subordinate ids in a text like /etc/subuid
 * @name: the user's, may be NULL
 *
 * Spec: subuid(5): lines of NAME-OR-UID:START:COUNT.
 * Return: true when there is a range, the first then in @ret_start and @ret_count.
 */
bool idmap_parse_sub(const char *text, const char *name, uid_t uid, uint32_t *ret_start,
                     uint32_t *ret_count);

/** idmap_single() - map root of the container to this process's ids. */
void idmap_single(struct idmap *ret_map);

#endif
