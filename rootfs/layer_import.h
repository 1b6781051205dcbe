/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_IMPORT_H
#define MAYFLY_LAYER_IMPORT_H

#include "blob.h"
#include "digest.h"
#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "layer_stream.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct layer_job - one layer that is wanted in the store
 * @open: opens the layer's bytes; called in any thread, and only if the layer is not there yet
 * @context: of @open
 * @number: which of the image's layers, from 1; 0: the image is this one layer
 * @blob_digest, @blob_bytes: what was announced; "" and -1: nothing
 * @diff_id: what was announced, or "": found out and filled in
 * @chain_id: of a layer with layers below it: all their diff IDs and its own in one; else ""
 * @name: filled in: the directory in layers/
 * @diff_bytes: filled in: the size of its tar, when it was read; else 0
 * @work_name: of a layer without an announced diff ID: what keeps two imports of it apart
 *
 * The rest belongs to layers_import().
 */
struct layer_job {
    int (*open)(void *context, const struct layer_job *job, struct blob *ret_blob, struct err *err);
    void *context;
    size_t number;
    struct digest blob_digest;
    int64_t blob_bytes;
    struct digest diff_id;
    struct digest chain_id;
    char name[DIGEST_HEX_BYTES];
    uint64_t diff_bytes;
    const char *work_name;

    struct store_work work;
    struct strv implied;
    bool has_recipe;
    uint64_t read_bytes;
    bool done; /* in the store, or the same as another job */
    struct err err;
};

/**
 * layers_import() - bring layers into the store
 * @jobs: @n of them; those that are there already cost a look
 *
 * All are unpacked, several at once, checked against what was announced, synced, and only then
 * renamed into place: one that is wrong leaves nothing of any.
 * Context: changes the process' umask while it works; starts threads.
 * Return: 0 or -errno with a text that names the layer.
 */
int layers_import(const struct store *store, struct layer_job *jobs, size_t n,
                  const struct log *log, struct err *err);

#endif
