/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OPTIONS_H
#define MAYFLY_OPTIONS_H

#include "engine/base/err.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/** The most options that one command can have. */
#define OPTIONS_MAX 128

/**
 * struct option_spec - one option, as it is parsed and as it is explained
 * @name: the long name, without "--"
 * @letter: the short name; 0: none
 * @argument: what its argument is called in the help; NULL: it takes none; "[=WORD]": it may have
 *            one, of the long name alone, and @value is NULL without
 * @group: heading under which the help lists it; those of one group stand together
 * @help: what it does, one or two sentences without a full stop at the end; the help wraps it;
 *        NULL: another spelling, which the help leaves out
 * @id: for the command's own switch
 */
struct option_spec {
    const char *name;
    char letter;
    const char *argument;
    const char *group;
    const char *help;
    int id;
};

/**
 * struct options - a command line on its way through getopt_long(3)
 * @spec: the option that options_next() has found
 * @value: its argument, or NULL, or with OPTIONS_WORD the word; borrowed from argv
 */
struct options {
    const struct option_spec *spec;
    const char *value;

    /* private */
    bool words_only; /* "--" has been read */
    const struct option_spec *specs;
    size_t n_specs;
    int argc;
    char **argv;
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 3];
};

/** OPTIONS_END - options_next(): every word has been read. */
#define OPTIONS_END 1
/** OPTIONS_WORD - options_next(): a word that belongs to no option; nothing after it was read. */
#define OPTIONS_WORD 2

/** options_init() - begin with argv[1]; @specs, at most OPTIONS_MAX, and @argv are borrowed. */
void options_init(struct options *options, const struct option_spec *specs, size_t n_specs,
                  int argc, char **argv);

/**
 * options_next() - the next option
 *
 * GNU conventions: "--name=VALUE", "--name VALUE", unique abbreviations, bundled letters, "--".
 * Context: one struct options at a time, since getopt_long(3) has one state.
 * Return: 0 with @options->spec and ->value set, OPTIONS_END, OPTIONS_WORD, or -EINVAL with a text
 * that names the word and, where it can, the one that was meant.
 */
int options_next(struct options *options, struct err *err);

/** options_take_word() - after OPTIONS_WORD: the word is taken, options may follow behind it. */
void options_take_word(struct options *options);

/** options_next_word() - whether a word is left, which @options->value then is. */
bool options_next_word(struct options *options);

/** options_place() - how far the command line that is being read has been read. */
int options_place(void);

/** options_resume() - go on at @place, after another command line has been read. */
void options_resume(struct options *options, int place);

/** options_rest() - all words that are left, none of them an option; borrowed from argv. */
char **options_rest(struct options *options);

/**
 * options_take_words() - the words that follow an option's argument, up to a lone @end
 * @ret_n: how many; @end itself is skipped and not counted
 *
 * Return: the first of them, borrowed from argv.
 */
char **options_take_words(struct options *options, const char *end, size_t *ret_n);

/**
 * options_nearest() - the word that was probably meant
 * @candidate: gives the candidates by number, then NULL
 *
 * Return: the candidate that at most two slips of the hand turn into @word, or NULL.
 */
const char *options_nearest(const char *word, const char *(*candidate)(const void *list, size_t i),
                            const void *list);

#endif
