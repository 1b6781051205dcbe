/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_VERB_H
#define MAYFLY_VERB_H

#include "console.h"
#include "engine/base/err.h"
#include "engine/live/containers.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

struct verb_job;

/**
 * struct verb - one of the commands about containers
 * @name: "stop"
 * @words: what it takes beside options, as the help shows it; "CONTAINER..."
 * @about: what it does, for the help, which wraps it
 * @specs: its own options, ids from 0 on; --debug, --color and --help are added
 * @n_words_min, @n_words_max: how many words there have to be
 * @options_end: the options end at this word, counted from 1, and all that follows are words; 0:
 *               options may stand anywhere
 * @takes_container_options: those of container_options.h as well
 * @apply: takes an option.  Return: 0 or -EINVAL with a text.
 * @run: does it.  Return: 0 or -errno with a text; -EINVAL before job->is_begun is a wrong command
 *       line; job->status is the exit status of a success
 */
struct verb {
    const char *name;
    const char *words;
    const char *about;
    const struct option_spec *specs;
    size_t n_specs;
    size_t n_words_min;
    size_t n_words_max;
    size_t options_end;
    bool takes_container_options;
    int (*apply)(struct verb_job *job, const struct options *options, struct err *err);
    int (*run)(struct verb_job *job, struct err *err);
};

/**
 * struct verb_job - a command on its way
 * @choice: the command's own, what its options have said
 * @words: borrowed from argv, a NULL after the last
 * @out, @messages: standard output and standard error
 * @containers: opened before verb->run is called
 */
struct verb_job {
    const struct verb *verb;
    void *choice;
    char **words;
    size_t n_words;
    struct console out;
    struct console messages;
    struct log log;
    struct containers containers;
    int status;
};

/** VERB_USAGE - what verb->run returns for a wrong command line, with a text. */
#define VERB_USAGE 2

/**
 * verb_run() - read the command line, open the store, do it
 * @choice: for job->choice
 *
 * Return: the exit status.
 */
int verb_run(const struct verb *verb, void *choice, int argc, char **argv);

/** verb_print() - write a line of the result; a failure becomes job->status. */
void verb_print(struct verb_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** verb_complain() - say what failed and go on; the exit status becomes EXIT_ENGINE. */
void verb_complain(struct verb_job *job, const struct err *err);

/**
 * verb_for_each() - do something to each container that is named
 * @from: the first of the words that names one
 * @act: Return: 0 or -errno with a text, which is told; the others follow.
 * @print: the word is printed after a success, as docker and podman do
 *
 * Return: 0 or -errno with a text.
 */
int verb_for_each(struct verb_job *job, size_t from,
                  int (*act)(struct verb_job *job, struct kept *kept, struct err *err), bool print,
                  struct err *err);

/** verb_duration() - read an option's length of time in seconds or with a unit. */
int verb_duration(const char *option, const char *value, int *ret_msec, struct err *err);

#endif
