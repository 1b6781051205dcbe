/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_H
#define MAYFLY_H

/**
 * libmayfly: containers that last no longer than they are needed.
 *
 * Errors are values: every call that can fail takes a struct mayfly_error, which may be NULL, and
 * returns a negative errno as in error->code.  The library never prints or exits; it keeps no
 * global state and leaves alone the caller's working directory, umask, environment, signal
 * handlers and signal mask.  Different containers may be used from different threads at the same
 * time, one container from one thread at a time.
 *
 * Work goes on in processes of their own, each waited for before the call returns or held by a
 * handle; a handler for SIGCHLD may see one end that it knows nothing of.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** MAYFLY_ERROR_BYTES - the size of an error's text, its terminating NUL included. */
#define MAYFLY_ERROR_BYTES 480

/**
 * struct mayfly_error - what went wrong
 * @code: a negative errno
 * @message: one line that names the thing and, where there is one, the mend; no newline
 */
struct mayfly_error {
    int code;
    char message[MAYFLY_ERROR_BYTES];
};

/** mayfly_version() - the library's version, as "0.1.0".  Context: any. */
const char *mayfly_version(void);

/* --- plans --------------------------------------------------------------------- */

/** struct mayfly_plan - what a container is to be; made once, used for any number of them. */
struct mayfly_plan;

/**
 * mayfly_plan_new() - begin a plan
 * @image: a reference as mayfly -i takes it; copied
 * @ret_plan: for mayfly_plan_free()
 *
 * Return: 0 or -ENOMEM.
 */
int mayfly_plan_new(const char *image, struct mayfly_plan **ret_plan, struct mayfly_error *error);

/**
 * mayfly_plan_option() - say what an option of the command line says
 * @name: its long name without "--": "volume", "env", "net", "memory" ...
 * @value: its argument, copied; NULL where it takes none
 *
 * Return: 0, -ENOENT when there is no such option, -EINVAL for a wrong value, -ENOMEM.
 */
int mayfly_plan_option(struct mayfly_plan *plan, const char *name, const char *value,
                       struct mayfly_error *error);

/** mayfly_plan_free() - free a plan; NULL is allowed.  Containers made from it live on. */
void mayfly_plan_free(struct mayfly_plan *plan);

/* --- images -------------------------------------------------------------------- */

/*
 * @store in all of these: the directory of images; NULL: $MAYFLY_STORE, else /var/lib/mayfly for
 * root, ~/.local/share/mayfly for others.
 */

/**
 * struct mayfly_image - an image of the store under one of its names
 * @name: in full, "docker.io/library/debian:12"; NULL: it has none
 * @id: hexadecimal digits
 * @created: RFC 3339; may be NULL
 * @architecture: as in OCI's image configuration, "amd64"; may be NULL
 * @size_bytes: of the layers' contents; shared layers count for each image
 */
struct mayfly_image {
    char *name;
    char *id;
    char *created;
    char *architecture;
    uint64_t size_bytes;
};

/**
 * mayfly_image_list() - all images of a store
 * @ret_images: an array of @ret_n, for mayfly_image_list_free()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_list(const char *store, struct mayfly_image **ret_images, size_t *ret_n,
                      struct mayfly_error *error);

/** mayfly_image_list_free() - free what mayfly_image_list() returned; NULL is allowed. */
void mayfly_image_list_free(struct mayfly_image *images, size_t n);

/**
 * mayfly_image_pull() - fetch an image from its registry, or a tarball from its address
 * @ret_id: its id, for free(3); may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_pull(const char *store, const char *reference, char **ret_id,
                      struct mayfly_error *error);

/**
 * mayfly_image_load() - bring in every image of an archive or layout, under the names it has there
 * @path: what docker, podman or skopeo wrote: a file, compressed or not, or a directory
 * @ret_names: the names, one a line, of images without one their id; for free(3); may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_load(const char *store, const char *path, char **ret_names,
                      struct mayfly_error *error);

/**
 * mayfly_image_import() - make an image of a root file system in a tarball
 * @source: a file or an address
 * @name: for the image; NULL: none
 * @ret_id: as of mayfly_image_pull()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_import(const char *store, const char *source, const char *name, char **ret_id,
                        struct mayfly_error *error);

/**
 * mayfly_image_tag() - give an image one more name, which another image may lose by it
 * @reference: a name or an id
 *
 * Return: 0, -ENOENT when there is no such image, or another negative errno.
 */
int mayfly_image_tag(const char *store, const char *reference, const char *name,
                     struct mayfly_error *error);

/**
 * mayfly_image_remove() - take a name away; with its last one the image goes
 * @force: an image of several names goes by its id, too
 *
 * Return: 0, -ENOENT when there is none, -EBUSY when a container has it, or another negative errno.
 */
int mayfly_image_remove(const char *store, const char *reference, bool force,
                        struct mayfly_error *error);

/**
 * mayfly_image_prune() - remove what nobody refers to
 * @unnamed: images without a name, too, such as archives that runs have unpacked
 * @ret_bytes: how much was freed; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_prune(const char *store, bool unnamed, uint64_t *ret_bytes,
                       struct mayfly_error *error);

#ifdef __cplusplus
}
#endif

#endif
