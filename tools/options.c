/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line, read by getopt_long(3) from a table that the help is printed
 * from as well, so that the two cannot part.
 *
 * getopt_long's own messages are off (they begin with argv[0] and know nothing
 * better to do); ours say what was probably meant.  A long option's value for
 * getopt is its place in the table plus LONG_BASE, above every letter, so that
 * "optopt" afterwards tells the kinds of mistakes apart:
 *
 *   ':'                        an argument is missing; optopt names the option
 *   '?' and optopt == 0        no such long option, or an ambiguous one
 *   '?' and optopt >= LONG_BASE  an argument where none is taken
 *   '?' otherwise              no such letter
 */
#include "options.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <assert.h>
#include <errno.h>

#define LONG_BASE 256
/* Longer words are no slip of the hand. */
#define NEAR_LENGTH 40
#define NEAR_SLIPS 2

/* What begins with "[=" may be left out. */
static int argument_kind(const char *argument) {
    if (!argument)
        return no_argument;
    return str_after(argument, "[=") ? optional_argument : required_argument;
}

void options_init(struct options *options, const struct option_spec *specs, size_t n_specs,
                  int argc, char **argv) {
    char *letter;

    assert(n_specs <= OPTIONS_MAX);
    *options = (struct options){.specs = specs, .n_specs = n_specs, .argc = argc, .argv = argv};
    letter = options->letters;
    *letter++ = '+'; /* stop at a word that is no option */
    *letter++ = ':'; /* tell a missing argument apart */
    for (size_t i = 0; i < n_specs; i++) {
        options->longs[i] = (struct option){
            .name = specs[i].name,
            .has_arg = argument_kind(specs[i].argument),
            .val = LONG_BASE + (int)i,
        };
        if (specs[i].letter)
            *letter++ = specs[i].letter;
        if (specs[i].letter && specs[i].argument)
            *letter++ = ':';
    }
    *letter = '\0';
    opterr = 0;
    optind = 0; /* glibc: forget the state of an earlier command line */
}

static const struct option_spec *find_spec(const struct options *options, int value) {
    if (value >= LONG_BASE && (size_t)(value - LONG_BASE) < options->n_specs)
        return &options->specs[value - LONG_BASE];
    for (size_t i = 0; i < options->n_specs; i++)
        if (options->specs[i].letter && options->specs[i].letter == value)
            return &options->specs[i];
    return NULL;
}

static const char *spec_name(const void *list, size_t i) {
    const struct options *options = list;

    return i < options->n_specs ? options->specs[i].name : NULL;
}

/* @word is what stood on the command line, "--name" or "--name=value". */
static int unknown_long(const struct options *options, const char *word, struct err *err) {
    _cleanup_free_ char *name = strndup(word + 2, strcspn(word + 2, "="));
    _cleanup_buf_ struct buf candidates = BUF_INIT;
    const char *near;
    size_t n = 0;

    if (!name)
        return err_nomem(err);
    for (size_t i = 0; i < options->n_specs; i++)
        if (str_after(options->specs[i].name, name))
            buf_printf(&candidates, "%s--%s", n++ ? ", " : "", options->specs[i].name);
    if (n > 1)
        return err_set(err, -EINVAL, "option '--%s' is ambiguous: %s", name,
                       candidates.data ? candidates.data : "");
    near = options_nearest(name, spec_name, options);
    if (near)
        return err_set(err, -EINVAL, "unknown option '--%s'; did you mean '--%s'?", name, near);
    return err_set(err, -EINVAL, "unknown option '--%s'; 'mayfly --help' lists them", name);
}

static int describe_mistake(const struct options *options, int result, int index, struct err *err) {
    const struct option_spec *spec = find_spec(options, optopt);
    const char *last = options->argv[optind > 0 ? optind - 1 : 0];

    if (result == ':' && spec && optopt >= LONG_BASE)
        return err_set(err, -EINVAL, "option '--%s' needs an argument: --%s %s", spec->name,
                       spec->name, spec->argument);
    if (result == ':' && spec)
        return err_set(err, -EINVAL, "option '-%c' needs an argument: -%c %s", optopt, optopt,
                       spec->argument);
    if (optopt >= LONG_BASE && spec)
        return err_set(err, -EINVAL, "option '--%s' takes no argument; leave out what follows '='",
                       spec->name);
    if (optopt == 0)
        return unknown_long(options, last, err);
    if (optopt > ' ' && optopt < 0x7f)
        return err_set(err, -EINVAL, "unknown option '-%c'; 'mayfly --help' lists them", optopt);
    return err_set(err, -EINVAL, "unknown option '%s'; 'mayfly --help' lists them",
                   options->argv[index]);
}

/* Scripts for docker write --rm=true, and --detach=false for what is not wanted. */
static int next_option(const struct options *options) {
    for (;;) {
        int result =
            getopt_long(options->argc, options->argv, options->letters, options->longs, NULL);
        const struct option_spec *spec =
            result == '?' && optopt >= LONG_BASE ? find_spec(options, optopt) : NULL;
        const char *value = spec && !spec->argument ? strchr(options->argv[optind - 1], '=') : NULL;

        if (value && str_eq(value, "=true"))
            return optopt;
        if (!value || !str_eq(value, "=false"))
            return result;
    }
}

int options_next(struct options *options, struct err *err) {
    int index = optind > 0 ? optind : 1, result = options->words_only ? -1 : next_option(options);

    if (result == -1 && optind > index && !options->words_only)
        options->words_only = true; /* it stepped over "--" */
    if (result == -1 && optind >= options->argc)
        return OPTIONS_END;
    if (result == -1) {
        options->value = options->argv[optind];
        return OPTIONS_WORD;
    }
    if (result == '?' || result == ':')
        return describe_mistake(options, result, index, err);
    options->spec = find_spec(options, result);
    options->value = options->spec->argument ? optarg : NULL;
    return 0;
}

void options_take_word(struct options *options) {
    (void)options;
    optind++;
}

bool options_next_word(struct options *options) {
    if (optind >= options->argc)
        return false;
    options->value = options->argv[optind];
    return true;
}

int options_place(void) {
    return optind;
}

void options_resume(struct options *options, int place) {
    options_init(options, options->specs, options->n_specs, options->argc - (place - 1),
                 options->argv + place - 1);
}

char **options_rest(struct options *options) {
    char **first = options->argv + optind;

    optind = options->argc;
    return first;
}

char **options_take_words(struct options *options, const char *end, size_t *ret_n) {
    char **first = options->argv + optind;

    *ret_n = 0;
    while (optind < options->argc) {
        if (str_eq(options->argv[optind++], end))
            break;
        ++*ret_n;
    }
    return first;
}

/*
 * The Damerau-Levenshtein distance with adjacent transpositions: how many
 * letters are to be added, dropped, changed or swapped with a neighbour.
 */
static size_t distance(const char *a, const char *b) {
    size_t rows[3][NEAR_LENGTH + 1], n = strlen(b);
    size_t *previous = rows[0], *row = rows[1], *before = rows[2];

    for (size_t j = 0; j <= n; j++)
        previous[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = previous[j - 1] + (a[i - 1] != b[j - 1]);

            if (previous[j] + 1 < best)
                best = previous[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        before = previous;
        previous = row;
        row = oldest;
    }
    return previous[n];
}

const char *options_nearest(const char *word, const char *(*candidate)(const void *list, size_t i),
                            const void *list) {
    size_t length = strlen(word), best = NEAR_SLIPS + 1;
    const char *near = NULL, *name;

    if (length > NEAR_LENGTH)
        return NULL;
    for (size_t i = 0; (name = candidate(list, i)); i++) {
        size_t slips = strlen(name) > NEAR_LENGTH ? best : distance(word, name);

        /* Half of a short word is too much to be a slip. */
        if (slips < best && 2 * slips < length) {
            best = slips;
            near = name;
        }
    }
    return near;
}
