/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REMEMBER_KEY_H
#define MAYFLY_REMEMBER_KEY_H

#include "engine/base/buf.h"
#include "engine/base/sha256.h"
#include "engine/base/str.h"
#include "engine/plan/plan.h"
#include "rootfs/image.h"
#include "rootfs/step_record.h"

#include <stddef.h>

/**
 * struct remember_inputs - what a step may depend on beside its plan
 * @previous: what is below it: the image's name (remember_key_image()), or the id of the result of
 *            the step before
 * @workdirs: the directory that the step runs in, and before it those that were changed to since
 *            the step before
 * @volumes: the content of each of the plan's volumes
 * @upload: the content of what ACTION_UPLOAD copies; NULL for other actions
 */
struct remember_inputs {
    const char *previous;
    const struct strv *workdirs;
    const char *const *volumes;
    const char *upload;
};

/**
 * remember_key_image() - a name for all that an image brings into a step
 * @content: of an image that is a directory of the host, what it holds; else NULL
 */
void remember_key_image(const struct image *image, const char *content,
                        char ret_hex[SHA256_HEX_BYTES]);

/**
 * remember_key_facts() - all that the outcome of a step may depend on
 * @index: in plan->actions
 * @ret_facts: appended to: LABEL TAB VALUE; values of variables as digests, since they may be
 *             secrets
 *
 * Return: 0 or -ENOMEM.
 */
int remember_key_facts(const struct plan *plan, size_t index, const struct remember_inputs *inputs,
                       struct strv *ret_facts);

/** remember_key() - the key that a step is remembered under. */
void remember_key(const struct strv *facts, char ret_key[SHA256_HEX_BYTES]);

/**
 * remember_key_difference() - the first fact in which two steps differ
 *
 * Return: its label, borrowed from one of them; NULL when there is none.
 */
const char *remember_key_difference(const struct strv *before, const struct strv *now,
                                    size_t *ret_n_label);

/** remember_key_distance() - in how many facts two steps differ. */
size_t remember_key_distance(const struct strv *before, const struct strv *now);

#endif
