/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly cp": files in and out of a container that runs. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/live/ask.h"
#include "engine/live/copy_job.h"
#include "verb.h"

#include <errno.h>

enum cp_option { CP_OPTION_IGNORED };

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    (void)job;
    (void)options;
    (void)err;
    return 0;
}

/* The path behind CONTAINER:, absolute, to free(3), and the name before it; NULL: a host's path. */
static char *split(const char *word, char **ret_name) {
    const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
    const char *path = colon ? colon + 1 : NULL;

    if (!colon || colon == word || (slash && slash < colon) || *word == '.')
        return NULL;
    *ret_name = strndup(word, (size_t)(colon - word));
    return *path == '/' ? strdup(path) : str_printf("/%s", path);
}

static int run(struct verb_job *job, struct err *err) {
    _cleanup_free_ char *from_name = NULL, *to_name = NULL;
    _cleanup_free_ char *from = split(job->words[0], &from_name);
    _cleanup_free_ char *to = split(job->words[1], &to_name);
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_close_ int fd = -1;
    int r;

    if (!from == !to)
        return err_set(err, VERB_USAGE,
                       "one of '%s' and '%s' has to be CONTAINER:PATH, and not both", job->words[0],
                       job->words[1]);
    if (str_eq(job->words[from ? 1 : 0], "-"))
        return err_set(err, VERB_USAGE, "a tarball by '-' is not taken: name a directory");
    r = containers_find(&job->containers, from ? from_name : to_name, &kept, err);
    if (r == 0)
        r = fd = ask_connect(&kept, err);
    if (r >= 0)
        r = ask_send(fd, ASK_JOB, 0, NULL, 0, err);
    if (r >= 0)
        r = copy_job(fd, from != NULL, from ? from : job->words[0], to ? to : job->words[1], err);
    return r < 0 ? r : 0;
}

int cp_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"archive", 'a', NULL, "Options",
         "for docker's sake: modes and times are kept anyway, and owners are those who copy",
         CP_OPTION_IGNORED},
        {"quiet", 'q', NULL, "Options", "for docker's sake: nothing is said anyway",
         CP_OPTION_IGNORED},
    };
    static const struct verb verb = {
        .name = "cp",
        .words = "CONTAINER:SRC DEST | SRC CONTAINER:DEST",
        .about = "Copies a file or a directory out of a container that runs, or into one.  An "
                 "existing directory takes the source inside; 'DIR/.' is what is in a directory.  "
                 "What comes out belongs to who runs this, what goes in to the container's user.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 2,
        .n_words_max = 2,
        .apply = apply,
        .run = run,
    };

    return verb_run(&verb, NULL, argc, argv);
}
