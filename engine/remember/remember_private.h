/* SPDX-License-Identifier: Apache-2.0 */
/* What remember.c, remember_step.c and remember_inputs.c share; for no one else. */
#ifndef MAYFLY_REMEMBER_PRIVATE_H
#define MAYFLY_REMEMBER_PRIVATE_H

#include "chain.h"
#include "content.h"
#include "engine/base/err.h"
#include "engine/result.h"
#include "rootfs/step_store.h"

/**
 * struct remember - a run whose steps are remembered
 * @boot: the id of the kernel's boot
 * @previous: what the next step lies on, see struct remember_inputs
 * @volumes: the content of each of the plan's volumes, once @knows_inputs
 * @held: one for each action: locks on what is used
 * @transient: nothing is remembered any more
 * @forget: what is remembered does not count any more
 * @n_ran: the number of the last step that was not found; 0: none
 * @has_discarded: something was moved aside, to be removed at the end
 */
struct remember {
    struct chain chain;
    const struct plan *plan;
    struct result *result;
    const struct log *log;
    const struct store *store;
    char boot[STEP_BOOT_BYTES];
    char previous[SHA256_HEX_BYTES];
    struct content *volumes;
    struct step *held;
    bool knows_inputs;
    bool transient;
    bool forget;
    size_t n_ran;
    size_t n_found;
    bool has_discarded;
};

/**
 * remember_know_inputs() - find out, once, what all steps lie on and see
 *
 * Where that cannot be done nothing is remembered (@m->transient).
 * Return: 0 or -errno with a text.
 */
int remember_know_inputs(struct remember *m, struct err *err);

/** remember_scan_upload() - the content of what an action uploads; none for others. */
int remember_scan_upload(struct remember *m, size_t index, struct content *ret_content,
                         struct err *err);

/** remember_find_facts() - what a step's key is made of, see remember_key_facts(). */
int remember_find_facts(struct remember *m, size_t index, const struct content *upload,
                        struct strv *ret_facts, struct err *err);

/**
 * remember_check_inputs() - after a step: whether its inputs are still what its key says
 * @ret_what: the one that is not, or why that cannot be known; empty: they are
 *
 * What volumes hold now is noted.
 * Return: 0 or -ENOMEM with a text.
 */
int remember_check_inputs(struct remember *m, size_t index, const struct content *upload,
                          struct buf *ret_what, struct err *err);

/** remember_keep_inputs() - keep their lists, for whoever asks why a later step ran. */
int remember_keep_inputs(struct remember *m, const struct content *upload, struct err *err);

/**
 * remember_step() - use what a step has made before, or run it and keep that
 *
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int remember_step(struct remember *m, size_t index, struct err *err);

#endif
