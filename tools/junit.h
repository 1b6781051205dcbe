/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_JUNIT_H
#define MAYFLY_JUNIT_H

#include "engine/base/buf.h"
#include "engine/matrix/matrix.h"

/**
 * junit_format() - append how a matrix went, in the form that CI servers read
 * @tails: for each run the end of what its failing step wrote; elements may be NULL
 *
 * A testsuite for each image and in it a testcase for each action but changes of directory; what
 * was not begun is skipped, what mayfly itself could not do is an error.  Characters that XML does
 * not allow become U+FFFD; colours and other control sequences of terminals are left out.
 * Spec: the schema that Jenkins' xunit plugin and GitLab document; XML 1.0, section 2.2.
 */
void junit_format(struct buf *buf, const struct matrix *matrix, char *const *tails);

#endif
