/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BRACE_H
#define MAYFLY_BRACE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/** BRACE_WORDS_MAX - more words than this are taken for a mistake. */
#define BRACE_WORDS_MAX 1000

/**
 * brace_expand() - a word with lists in braces as all the words that it stands for
 * @text: "a{b,c}", lists in lists, several lists, "{1..9}", "{01..10..3}", "{a..e}"; a backslash
 *        takes the meaning from a brace or comma after it; braces that are no list stand for
 *        themselves
 * @ret_words: appended to, from left to right
 *
 * Spec: bash(1), Brace Expansion.
 * Return: 0, -EINVAL with a text for more than BRACE_WORDS_MAX, -ENOMEM.
 */
int brace_expand(const char *text, struct strv *ret_words, struct err *err);

#endif
