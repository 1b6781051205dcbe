/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTAINER_H
#define MAYFLY_CONTAINER_H

#include "base/log.h"
#include "engine/cgroup/cgroup.h"
#include "engine/confine/confine.h"
#include "engine/plan/plan.h"
#include "idmap.h"
#include "outside.h"
#include "rootfs/image.h"
#include "rootfs/store.h"
#include "state.h"

#include <stdbool.h>

/**
 * struct volume_source - what a volume's source turned out to be
 * @fd: O_PATH descriptor: of it, or of the directory that holds a copy-on-write file
 * @path, @name: that directory and the file's name in it; NULL for all else; to free(3)
 */
struct volume_source {
    int fd;
    bool is_directory;
    char *path;
    char *name;
};

/**
 * struct container - what the host's side and the container's side of a run share
 * @layers: directories over the image's layers, relative to the store; NULL: none; borrowed
 * @volume_layers: the same over each of the plan's copy-on-write volumes; NULL: none; borrowed
 * @workdir: where actions begin, which is there; NULL: in the image's, made if missing; borrowed
 * @streams: three descriptors that steps have in place of the standard ones; NULL: those; borrowed
 * @changes: the directory, relative to the store, that holds what is changed in the root and
 * outlives the container; NULL: the run's own; borrowed
 * @has_streams: steps have the standard descriptors of the host's side
 * @between: what they have in place of one of these; -1: that itself
 * @takes_closures: functions may be called in it (job_closure())
 * @keeps: the plan's kept directories; borrowed
 * @overlays_given: the host's side mounts the overlays, the kernel lets the container's not
 * @terminals: which of the standard descriptors are terminals of the host
 * @input_is_file: standard input is a regular file
 * @socket_fd: this side's end of the socket between them
 *
 * Filled in by session_start() before the clone; the child has its copy of it all.
 */
struct container {
    const struct plan *plan;
    const struct log *log;
    struct idmap map;
    struct store store;
    struct state state;
    struct image image;
    struct confine confine;
    struct cgroup *cgroup;         /* NULL: that of whoever started it */
    struct network *network;       /* with a bridge, on the host's side */
    struct outside outside;        /* of a user's, where the network leads out */
    int owner_fd;                  /* a user namespace that the container's is inside of; or -1 */
    struct volume_source *volumes; /* one for each of the plan's; owned */
    const struct strv *layers;
    const struct strv *volume_layers;
    const char *workdir;
    const int *streams;
    const struct keeps *keeps;
    const char *changes;
    bool has_streams;
    bool takes_closures;
    bool overlays_given;
    bool terminals[3];
    bool input_is_file;
    int between[3];
    int socket_fd;
};

/**
 * container_hostname() - the host name inside: what the plan says, else the container's name
 *
 * That of remembered steps is no part of what they made: it is the same for all.
 */
static inline const char *container_hostname(const struct container *container) {
    if (container->plan->hostname)
        return container->plan->hostname;
    return container->plan->remember ? "mayfly" : container->state.name;
}

/** container_has_terminal() - whether steps get a terminal of the container. */
static inline bool container_has_terminal(const struct container *container) {
    return !container->streams &&
           (container->terminals[0] || container->terminals[1] || container->terminals[2]);
}

#endif
