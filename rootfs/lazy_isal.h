/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAZY_ISAL_H
#define MAYFLY_LAZY_ISAL_H

#include "lazy.h"

#include <isa-l/igzip_lib.h>

#define LAZY_ISAL(X)                                                                               \
    X(isal_inflate_init)                                                                           \
    X(isal_inflate_reset)                                                                          \
    X(isal_inflate)                                                                                \
    X(isal_deflate_init)                                                                           \
    X(isal_deflate)

struct lazy_isal {
    LAZY_ISAL(LAZY_MEMBER)
};

/** lazy_isal() - ISA-L's functions, loaded; NULL with a text when it is not there. */
const struct lazy_isal *lazy_isal(struct err *err);

#endif
