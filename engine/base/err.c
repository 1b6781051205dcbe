/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors are values: a code that is returned and a line of text that travels
 * beside it in a struct of fixed size.  Texts that do not fit are cut, never
 * dropped; bytes that would break the line (newlines, escapes) are shown as '?',
 * since names from images and command lines end up in here.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *text) {
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if (*p < ' ' || *p == 0x7f)
            *p = '?';
}

int err_set(struct err *err, int code, const char *format, ...) {
    va_list args;

    if (!err)
        return code;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    make_printable(err->message);
    return code;
}

int err_errno(struct err *err, const char *format, ...) {
    int code = errno > 0 ? -errno : -EIO;
    va_list args;
    size_t used;

    if (!err)
        return code;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(-code));
    make_printable(err->message);
    return code;
}

int err_wrap(struct err *err, const char *format, ...) {
    char old[ERR_MESSAGE_BYTES];
    va_list args;
    size_t used;

    if (!err)
        return -EIO;
    memcpy(old, err->message, sizeof old);
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %.*s",
             (int)(sizeof err->message - 3), old);
    make_printable(err->message);
    return err->code ? err->code : -EIO;
}

int err_nomem(struct err *err) {
    return err_set(err, -ENOMEM, "out of memory");
}
