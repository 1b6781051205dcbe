/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ERR_H
#define MAYFLY_ERR_H

#include <stddef.h>

/** The size of an error's text, its terminating NUL included. */
#define ERR_MESSAGE_BYTES 480

/**
 * struct err - what went wrong, as a value
 * @code: a negative errno, or a positive condition that the caller knows
 * @message: one line, without the program's name and without a newline
 *
 * Of a fixed size, so that it needs no allocation after clone(2) and crosses
 * the handshake socket whole.  Set where the fault is seen, wrapped at most
 * once by each layer above it.
 */
struct err {
    int code;
    char message[ERR_MESSAGE_BYTES];
};

/**
 * err_set() - describe a failure
 * @err: where to; NULL throws the text away
 * @code: negative errno, or a positive condition
 * @format: printf(3) format of the text
 *
 * Return: @code, so that a caller can return what this returns.
 */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * err_errno() - describe a failure of a system call
 * @err: where to; NULL throws the text away
 * @format: printf(3) format of what was tried; ": " and strerror(errno) follow
 *
 * Return: -errno as it was at the call; never 0.
 */
int err_errno(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_wrap() - put context in front of an error that is already set
 * @err: an error; NULL is allowed
 * @format: printf(3) format of the context; ": " and the old text follow
 *
 * Return: the code of @err, or -EIO without one.
 */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** err_nomem() - describe running out of memory.  Return: -ENOMEM. */
int err_nomem(struct err *err);

#endif
