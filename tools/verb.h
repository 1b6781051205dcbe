/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_VERB_H
#define MAYFLY_VERB_H

#include "console.h"
#include "engine/base/err.h"
#include "engine/live/containers.h"
#include "engine/manage/images.h"
#include "engine/plan/wishes.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

struct verb_job;

/** enum verb_store - what of the store a command works with */
enum verb_store {
    VERB_OPENS_CONTAINERS,
    VERB_OPENS_IMAGES,
    VERB_OPENS_BOTH,
};

/**
 * struct verb - one of the commands about containers or images
 * @name: "stop"
 * @words: what it takes beside options, as the help shows it; "CONTAINER..."
 * @about: what it does, for the help, which wraps it
 * @specs: its own options, ids from 0 on; --debug, --color and --help are added
 * @n_words_min, @n_words_max: how many words there have to be
 * @options_end: the options end at this word, counted from 1, and all that follows are words; 0:
 *               options may stand anywhere
 * @takes_container_options: those of container_options.h as well
 * @brings: it brings images in, and takes the options about that
 * @asks: it speaks to registries, and takes the options about that
 * @apply: takes an option.  Return: 0 or -EINVAL with a text.
 * @prepare: called before the store is opened; may be NULL.  Return: 0, VERB_DONE when that was
 *           all, or -errno with a text
 * @run: does it.  Return: 0, VERB_USAGE or -errno with a text; job->status is the exit status of a
 *       success
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
    enum verb_store opens;
    bool takes_container_options;
    bool brings;
    bool asks;
    int (*apply)(struct verb_job *job, const struct options *options, struct err *err);
    int (*prepare)(struct verb_job *job, struct err *err);
    int (*run)(struct verb_job *job, struct err *err);
};

/**
 * struct verb_job - a command on its way
 * @choice: the command's own, what its options have said
 * @words: borrowed from argv, a NULL after the last
 * @out, @messages: standard output and standard error
 * @containers, @images: opened before verb->run is called, as verb->opens says
 * @quiet: no progress is shown
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
    struct images images;
    struct wishes wishes;
    bool quiet;
    int status;
};

/** VERB_USAGE - what verb->run returns for a wrong command line, with a text. */
#define VERB_USAGE 2

/** VERB_DONE - what verb->prepare returns when nothing is left to do. */
#define VERB_DONE 1

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

/**
 * verb_complain() - say what failed and go on; the exit status becomes EXIT_ENGINE
 *
 * Return: false when there is no going on, as a command about images was interrupted.
 */
bool verb_complain(struct verb_job *job, const struct err *err);

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

/**
 * verb_confirm() - ask whether to go on
 * @question: "Remove all of it?"
 *
 * Return: whether the answer on standard input begins with y.
 */
bool verb_confirm(const struct verb_job *job, const char *question);

/**
 * verb_protect() - see to it that no container can change this program's own file
 *
 * Before anything is made that a new start of this program would make again.
 */
void verb_protect(const struct verb_job *job);

/** verb_duration() - read an option's length of time in seconds or with a unit. */
int verb_duration(const char *option, const char *value, int *ret_msec, struct err *err);

#endif
