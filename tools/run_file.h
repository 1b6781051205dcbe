/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RUN_FILE_H
#define MAYFLY_RUN_FILE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stddef.h>

/**
 * struct run_file_line - one option of a file, as words of a command line
 * @number: of its first line in the file, from 1
 * @words: the first stands for the program's name
 */
struct run_file_line {
    unsigned number;
    struct strv words;
};

/** struct run_file - a file of options, in its order */
struct run_file {
    struct run_file_line *lines;
    size_t n_lines;
};

/**
 * run_file_parse() - take a file's text apart
 * @text: NUL-terminated; @size is without that NUL
 * @name: of the file, for messages
 *
 * A line holds an option's name, with its dashes or (a long one) without, and then all of its
 * argument as it stands; that of -X is split into words as a shell would, quotes and backslashes
 * taken off.  Blank lines and lines that begin with '#' say nothing; a backslash at a line's end
 * joins the next one to it, with one space for the end and what blanks the next begins with.
 * Return: 0, -EINVAL with a text that begins with FILE:LINE, -ENOMEM; run_file_done() is due either
 * way.
 */
int run_file_parse(struct run_file *file, const char *name, const char *text, size_t size,
                   struct err *err);

void run_file_done(struct run_file *file);

/**
 * run_file_rebase() - an option's argument, with a path in it that is relative to the file
 * @option: its long name
 * @directory: of the file
 *
 * Absolute paths, and arguments in which there is no path of the host, stay as they are.
 * Return: to free(3), or NULL when memory ran out.
 */
char *run_file_rebase(const char *option, const char *value, const char *directory);

#endif
