/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CREATE_OPTIONS_H
#define MAYFLY_CREATE_OPTIONS_H

#include "engine/base/err.h"
#include "engine/live/life.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct create_options - what 'run' and 'create' have been told
 * @cid_file: where the id is written; NULL: nowhere; borrowed
 * @detach_keys: as written; NULL: the usual ones; borrowed
 * @replace: a container of the same name is removed first
 */
struct create_options {
    struct life life;
    const char *cid_file;
    const char *detach_keys;
    bool detach;
    bool quiet;
    bool replace;
};

/** create_options_specs - the table of them, but for those of container_options.h. */
extern const struct option_spec create_options_specs[];
extern const size_t n_create_options_specs;

/** create_options_apply() - take one.  Return: 0, -EINVAL with a text, -ENOMEM. */
int create_options_apply(struct create_options *create, const struct options *options,
                         struct err *err);

/** create_options_words() - the image and the command.  Return: 0 or -errno with a text. */
int create_options_words(struct create_options *create, char **words, size_t n_words,
                         struct err *err);

#endif
