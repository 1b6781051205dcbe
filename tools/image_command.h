/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_COMMAND_H
#define MAYFLY_IMAGE_COMMAND_H

#include "console.h"
#include "engine/base/err.h"
#include "engine/manage/images.h"
#include "engine/plan/wishes.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

struct image_job;

/**
 * struct image_command - one of the commands about images
 * @name: "rmi"
 * @words: what it takes beside options, as the help shows it; "REF..."
 * @about: what it does, for the help, which wraps it
 * @specs: its own options, ids from 0 on; --debug, --color and --help are added
 * @brings: it brings images in, and takes the options about that
 * @asks: it speaks to registries, and takes the options about that
 * @n_words_min, @n_words_max: how many words there have to be
 * @apply: takes one of its own options.  Return: 0 or -EINVAL with a text.
 * @prepare: called before the store is opened; may be NULL.  Return: 0, 1 when that was all, or
 *           -errno with a text
 * @run: does it.  Return: 0 or -errno with a text; job->status is the exit status of a success
 */
struct image_command {
    const char *name;
    const char *words;
    const char *about;
    const struct option_spec *specs;
    size_t n_specs;
    bool brings;
    bool asks;
    size_t n_words_min;
    size_t n_words_max;
    int (*apply)(struct image_job *job, int option, const char *value, struct err *err);
    int (*prepare)(struct image_job *job, struct err *err);
    int (*run)(struct image_job *job, struct err *err);
};

/**
 * struct image_job - a command on its way
 * @choice: the command's own, what its options have said
 * @words: borrowed from argv
 * @out, @messages: standard output and standard error
 * @quiet: no progress is shown
 */
struct image_job {
    void *choice;
    const char **words;
    size_t n_words;
    struct console out;
    struct console messages;
    struct images images;
    struct wishes wishes;
    bool quiet;
    int status;
};

/**
 * image_command_run() - read the command line, open the store, do it
 * @choice: for job->choice
 *
 * Return: the exit status.
 */
int image_command_run(const struct image_command *command, void *choice, int argc, char **argv);

/** image_command_print() - write a line of the result; a failure becomes job->status. */
void image_command_print(struct image_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * image_command_complain() - say what failed and go on; the exit status becomes EXIT_ENGINE
 *
 * Return: false when there is no going on, as the command was interrupted.
 */
bool image_command_complain(struct image_job *job, const struct err *err);

#endif
