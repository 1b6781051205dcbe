/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_PLAN_H
#define MAYFLY_MATRIX_PLAN_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/plan/plan.h"

#include <stddef.h>

/** MATRIX_IMAGE - stands for an image's label in names that a run makes outside. */
#define MATRIX_IMAGE "{image}"

/**
 * matrix_labels() - short names for images, different from each other, fit for file names
 * @images: references
 * @ret_labels: empty; receives one for each
 *
 * The last part of the reference without a tarball's suffix; where two of those are the same, all
 * of the reference; and a number behind the second and later ones of what is the same even then.
 * Return: 0 or -ENOMEM.
 */
int matrix_labels(const struct strv *images, struct strv *ret_labels);

/**
 * matrix_plan_check() - find what several runs of one plan would do to each other
 * @n: how many runs
 * @together: whether some of them are at the same time
 *
 * Return: 0 or -EINVAL with a text that names the action and the mend.
 */
int matrix_plan_check(const struct plan *plan, size_t n, bool together, struct err *err);

/**
 * matrix_plan_init() - the plan of one image's run
 * @common: borrowed as long as @plan is used; its own image counts for nothing
 * @image: borrowed
 * @label: put in the place of MATRIX_IMAGE in downloads' targets, commits' names and the
 *         container's name; directories of such a download's target are made
 *
 * Return: 0, -ENOMEM with a text; matrix_plan_done() is due either way.
 */
int matrix_plan_init(struct plan *plan, const struct plan *common, const char *image,
                     const char *label, struct err *err);

/** matrix_plan_done() - free what @plan does not share with @common. */
void matrix_plan_done(struct plan *plan, const struct plan *common);

#endif
