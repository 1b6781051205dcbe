/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_LABELS_H
#define MAYFLY_KEPT_LABELS_H

#include "containers.h"

/**
 * kept_labels() - read a container's description, with what its image adds to it
 * @life: initialised; for show alone: the image's labels are beside its own, of which of two of one
 *        name its own counts, and the image's program is its own where it has none
 *
 * An image that is not here, or is another one by now, gives none.
 * Return: as kept_life().
 */
int kept_labels(const struct containers *containers, const struct kept *kept, struct life *life,
                struct err *err);

#endif
