/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly cp": files in and out of a container, or a tar of them. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/live/copy_job.h"
#include "engine/live/kept_visit.h"
#include "verb.h"

#include <errno.h>
#include <unistd.h>

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

/* @from, @to: the path in the container is one of them; the other is the word as it stands. */
struct cp {
    const char *from;
    const char *to;
    bool down;
};

static int copy(int job_fd, void *argument, struct err *err) {
    const struct cp *cp = argument;

    if (cp->down && str_eq(cp->to, "-"))
        return copy_job_tar(job_fd, true, cp->from, STDOUT_FILENO, err);
    if (!cp->down && str_eq(cp->from, "-"))
        return copy_job_tar(job_fd, false, cp->to, STDIN_FILENO, err);
    return copy_job(job_fd, cp->down, cp->from, cp->to, err);
}

static int run(struct verb_job *job, struct err *err) {
    _cleanup_free_ char *from_name = NULL, *to_name = NULL;
    _cleanup_free_ char *from = split(job->words[0], &from_name);
    _cleanup_free_ char *to = split(job->words[1], &to_name);
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    struct cp cp = {from ? from : job->words[0], to ? to : job->words[1], from != NULL};
    int r;

    if (!from == !to)
        return err_set(err, VERB_USAGE,
                       "one of '%s' and '%s' has to be CONTAINER:PATH, and not both", job->words[0],
                       job->words[1]);
    if (from && str_eq(cp.to, "-") && isatty(STDOUT_FILENO))
        return err_set(err, VERB_USAGE,
                       "standard output is a terminal: write the tar to a file or a pipe");
    r = containers_find(&job->containers, from ? from_name : to_name, &kept, err);
    if (r == 0 && !kept_is_live(&kept))
        verb_protect(job);
    return r == 0 ? kept_visit(&job->containers, &kept, copy, &cp, err) : r;
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
        .words = "CONTAINER:SRC DEST|- | SRC|- CONTAINER:DEST",
        .about = "Copies a file or a directory out of a container, or into one.  An existing "
                 "directory takes the source inside; 'DIR/.' is what is in a directory.  What "
                 "comes out belongs to who runs this, what goes in to the container's user.  '-' "
                 "is a tar on standard output, or one on standard input that is unpacked in DEST, "
                 "with the owners that the container knows.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 2,
        .n_words_max = 2,
        .apply = apply,
        .run = run,
    };

    return verb_run(&verb, NULL, argc, argv);
}
