/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_LABELS_H
#define MAYFLY_KEPT_LABELS_H

#include "containers.h"

/**
 * kept_labels() - read a container's description, with the labels of its image beside its own
 * @life: initialised; of two labels of one name the container's own counts
 *
 * An image that is not here, or is another one by now, gives none.
 * Return: as kept_life().
 */
int kept_labels(const struct containers *containers, const struct kept *kept, struct life *life,
                struct err *err);

#endif
