/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGES_H
#define MAYFLY_IMAGES_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "engine/idmap.h"
#include "engine/plan/wishes.h"
#include "engine/signals.h"
#include "rootfs/image.h"
#include "rootfs/image_history.h"
#include "rootfs/image_save.h"
#include "rootfs/image_store.h"
#include "rootfs/store.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct images - the images that this process's runs use
 * @log: borrowed
 * @interrupted: the signal by which a call was broken off; 0: none
 *
 * What a run does for itself is done here for the commands about images: the store is the one that
 * a run would have, what killed runs left is removed first, and work goes on in a process with the
 * ids that layers need.
 */
struct images {
    const struct log *log;
    int interrupted;

    /* private */
    struct store store;
    struct idmap map;
    struct signals signals;
};

#define IMAGES_INIT ((struct images){.store = STORE_INIT, .signals = SIGNALS_INIT})

/**
 * images_open() - choose how ids are mapped and open the store
 * @path: as of store_open(); NULL: the user's own
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT break off what follows (-EINTR) until images_close().
 * Context: host, a single-threaded process; with or without privileges.
 * Return: 0 or -errno with a text; images_close() is due either way.
 */
int images_open(struct images *images, const char *path, const struct log *log, struct err *err);

void images_close(struct images *images);

#define _cleanup_images_ __attribute__((cleanup(images_close)))

/** images_heed() - have what is brought in from now on be what is wished; @wishes is lent. */
void images_heed(struct images *images, const struct wishes *wishes);

/** images_list() - see image_list(); image_entries_done() frees. */
int images_list(struct images *images, struct image_entries *ret_entries, struct err *err);

/**
 * images_exists() - whether an image is in the store
 * @reference: a name, or an id's first 8 digits or more
 *
 * Return: 0 or -errno with a text.
 */
int images_exists(struct images *images, const char *reference, bool *ret_is_there,
                  struct err *err);

/**
 * images_find() - an image of the store, as a reference or an id has it; image_done() frees
 *
 * Return: 0, -ENOENT with a text, or -errno with a text.
 */
int images_find(struct images *images, const char *reference, struct image *ret_image,
                struct err *err);

/** images_tag() - see image_tag(). */
int images_tag(struct images *images, const char *reference, const char *name, struct err *err);

/**
 * images_pull() - fetch an image, see image_pull()
 * @ret_id: its id, to free(3)
 *
 * Return: 0, -EINTR when it was broken off, or another -errno, always with a text.
 */
int images_pull(struct images *images, const char *reference, char **ret_id, struct err *err);

/**
 * images_load() - bring in every image of an archive or layout, see image_load()
 * @path: NULL: standard input
 * @ret_names: appended to
 *
 * Return: as images_pull().
 */
int images_load(struct images *images, const char *path, struct strv *ret_names, struct err *err);

/**
 * images_import() - make an image of a root file system in a tarball
 * @source: a file, "-" for standard input, or an address
 * @name: for the image; NULL: none
 * @ret_id: its id, to free(3)
 *
 * Return: as images_pull().
 */
int images_import(struct images *images, const char *source, const char *name, char **ret_id,
                  struct err *err);

/**
 * images_remove() - take a name away, or an image with all of its names, see image_remove()
 * @force: an image of several names, too, goes by its id
 *
 * Return: as images_pull(); -ENOENT when there is none, -EBUSY when a run has it.
 */
int images_remove(struct images *images, const char *reference, bool force, struct err *err);

/**
 * images_save() - write images as an archive, see image_save()
 * @references: names, ids or anything else that leads to an image of the store
 * @fd: where to
 *
 * Return: as images_pull().
 */
int images_save(struct images *images, const struct strv *references, enum image_format format,
                int fd, struct err *err);

/**
 * images_push() - send an image to a registry, see image_push()
 * @destination: NULL: under the name that @reference is
 *
 * Return: as images_pull().
 */
int images_push(struct images *images, const char *reference, const char *destination,
                struct err *err);

/** struct images_finding - what images_check() has found, see struct store_finding */
struct images_finding {
    enum {
        IMAGES_FINDING_OK,
        IMAGES_FINDING_NOTE,
        IMAGES_FINDING_BROKEN,
    } level;
    const char *topic;
    const char *text;
};

typedef void images_emit_finding(void *context, const struct images_finding *finding);

/**
 * images_check() - read all that the store has and compare it with what was recorded, see
 * store_check()
 * @emit: called for each finding, when all are known
 *
 * Return: the number of broken things, or as images_pull().
 */
int images_check(struct images *images, images_emit_finding *emit, void *context, struct err *err);

/** images_history() - see image_history().  Return: as images_pull(). */
int images_history(struct images *images, const char *reference, image_history_emit *emit,
                   void *context, struct err *err);

/** images_prune() - see image_prune().  Return: as images_pull(). */
int images_prune(struct images *images, bool unnamed, uint64_t *ret_bytes, struct err *err);

#endif
