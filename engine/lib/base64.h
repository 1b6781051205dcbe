/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BASE64_H
#define MAYFLY_BASE64_H

#include "engine/base/buf.h"

#include <stddef.h>

/** base64_encode() - append bytes as text.  Spec: RFC 4648, section 4. */
void base64_encode(const void *data, size_t size, struct buf *buf);

/** base64_decode() - append the bytes that a text stands for.  Return: 0 or -EINVAL. */
int base64_decode(const char *text, struct buf *buf);

#endif
