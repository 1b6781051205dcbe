/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_H
#define MAYFLY_IMAGE_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "store.h"

#include <stdbool.h>

/**
 * struct image_config - what an image says of the programs in it
 * Spec: OCI image-spec, config.md, "Properties".
 */
struct image_config {
    struct strv env; /* NAME=VALUE */
    struct strv entrypoint;
    struct strv cmd;
    char *working_dir; /* NULL: none */
    char *user;        /* NULL: none */
    char *stop_signal; /* NULL: none */
    struct strv volumes;
    struct strv exposed_ports;
    struct strv labels; /* NAME=VALUE */
};

/**
 * struct image - an image whose layers are directories
 * @in_store: @layers are relative to store->fd; otherwise absolute paths of the host's
 * @layers: directories, the lowest first
 * @hidden: of one in the store: layers below those, of which nothing is seen
 * @id: of one in the store: its name there, the digest of its configuration; else NULL
 * @created: when it was made, as its configuration has it, or NULL
 * @architecture: what it is made for, or NULL
 * @lock: a lock that keeps image_prune() away from it until image_done() (a descriptor plus 1)
 */
struct image {
    bool in_store;
    struct strv layers;
    struct strv hidden;
    struct image_config config;
    char *id;
    char *created;
    char *architecture;
    int lock;
};

#define IMAGE_INIT ((struct image){0})

/** IMAGE_MISSING - image_find(): the reference is good, the image has to be imported first. */
#define IMAGE_MISSING 1

/**
 * image_find() - find an image without reading a byte of its content
 * @reference: rootfs:PATH, /dir, ./dir, host:, tar:PATH, oci:PATH[:TAG], oci-archive:PATH[:TAG],
 *             docker-archive:PATH[:REF], a bare file name of a tarball (x.tar, x.tar.gz ...), the
 *             name of an image in the store, the first 8 characters or more of its id, or the
 *             address of a tarball
 *
 * An archive that was imported before is known again by its device, inode, size and times; names
 * and addresses are looked up and nobody is asked.  "tar:-" is known to the run alone that
 * imported it.
 * Loads no library.
 * Context: host.
 * Return: 0, IMAGE_MISSING, or -errno with a text that names the reference and the mend.
 */
int image_find(struct image *image, const struct store *store, const char *reference,
               struct err *err);

/**
 * image_import() - unpack an image into the store, so that image_find() finds it
 *
 * Built aside and renamed into place; killed at any point it leaves nothing that a later
 * image_find() would take for a whole image, and its leavings are removed by store_clean().
 * Loads libarchive, libcrypto and jansson.
 * Context: host, in a process of its own; for STORE_OWNERS_SUBUID inside a user namespace with
 * the container's maps.  May start threads.
 * Return: 0 or -errno with a text that names the reference, the layer and what is wrong with it.
 */
int image_import(const struct store *store, const char *reference, const struct log *log,
                 struct err *err);

/**
 * image_libraries() - whether the libraries that imports need can be loaded
 *
 * Return: 0, or -ENOENT with a text that names the first that is missing and its package.
 */
int image_libraries(struct err *err);

/** image_done() - free all that an image holds. */
void image_done(struct image *image);

#endif
