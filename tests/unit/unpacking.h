/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_UNPACKING_H
#define MAYFLY_TEST_UNPACKING_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "rootfs/unpack.h"
#include "scratch.h"

#include <stdbool.h>
#include <sys/stat.h>

/** unpacking_counted() - unpack a tar into the scratch directory's "tree"; what unpack_layer()
 * said.
 */
int unpacking_counted(struct scratch *scratch, struct buf *tar, struct unpack_count *count,
                      struct err *err);

/** unpacking_try() - the same, when nobody asks for the counts. */
int unpacking_try(struct scratch *scratch, struct buf *tar, struct err *err);

/** unpacking_fine() - end the tar, unpack it, which must succeed, and free it. */
void unpacking_fine(struct scratch *scratch, struct buf *tar);

/** unpacking_refused() - the same, which must fail with @code and a message that has @text. */
void unpacking_refused(struct buf *tar, int code, const char *text);

/** unpacking_look() - what lstat(2) has of a path in the tree; fails the test when there is none.
 */
struct stat unpacking_look(const struct scratch *scratch, const char *path);

/** unpacking_has() - whether there is something of that name, a link as well. */
bool unpacking_has(const struct scratch *scratch, const char *path);

/** unpacking_content(), unpacking_link() - that a file has this content, a link this target. */
void unpacking_content(const struct scratch *scratch, const char *path, const char *content);
void unpacking_link(const struct scratch *scratch, const char *path, const char *target);

/** unpacking_is_whiteout() - whether it is one of overlayfs'. */
bool unpacking_is_whiteout(const struct scratch *scratch, const char *path);

/** unpacking_has_xattr() - whether it has this extended attribute with this value. */
bool unpacking_has_xattr(const struct scratch *scratch, const char *path, const char *name,
                         const char *value);

#endif
