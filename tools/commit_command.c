/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly commit": a container's files as an image. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/live/kept_commit.h"
#include "verb.h"

#include <stdlib.h>

enum commit_option {
    COMMIT_OPTION_AUTHOR,
    COMMIT_OPTION_CHANGE,
    COMMIT_OPTION_MESSAGE,
    COMMIT_OPTION_IGNORED,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct kept_commit *wanted = job->choice;

    switch ((enum commit_option)options->spec->id) {
    case COMMIT_OPTION_AUTHOR:
        wanted->author = options->value;
        break;
    case COMMIT_OPTION_CHANGE:
        return strv_push(&wanted->changes, options->value) < 0 ? err_nomem(err) : 0;
    case COMMIT_OPTION_MESSAGE:
        wanted->comment = options->value;
        break;
    case COMMIT_OPTION_IGNORED:
        break;
    }
    return 0;
}

static int run(struct verb_job *job, struct err *err) {
    struct kept_commit *wanted = job->choice;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_free_ char *id = NULL;
    _cleanup_life_ struct life life;
    int r;

    wanted->name = job->n_words > 1 ? job->words[1] : NULL;
    life_init(&life);
    r = containers_find(&job->containers, job->words[0], &kept, err);
    if (r == 0)
        r = kept_life(&kept, &life, err);
    if (r == 0)
        r = kept_commit(&job->containers, &kept, &life, wanted, &id, err);
    if (r == 0)
        verb_print(job, "%s", id);
    return r;
}

int commit_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"author", 'a', "TEXT", "Options", "who made it, for its history", COMMIT_OPTION_AUTHOR},
        {"change", 'c', "LINE", "Options",
         "what a Dockerfile would say of its programs: 'CMD [\"serve\"]', 'ENV A=1', 'USER app', "
         "EXPOSE, ENTRYPOINT, LABEL, STOPSIGNAL, VOLUME, WORKDIR; may be given several times",
         COMMIT_OPTION_CHANGE},
        {"message", 'm', "TEXT", "Options", "what it is, for its history", COMMIT_OPTION_MESSAGE},
        {"pause", 'p', NULL, "Options", "for habit: they always stand still",
         COMMIT_OPTION_IGNORED},
    };
    static const struct verb verb = {
        .name = "commit",
        .words = "CONTAINER [NAME[:TAG]]",
        .about = "Makes an image of a container's files as they are now, which starts its program "
                 "as the container does, and prints its id.  The programs of one that runs stand "
                 "still meanwhile.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply,
        .n_words_min = 1,
        .n_words_max = 2,
        .run = run,
    };

    struct kept_commit wanted = {0};
    int status = verb_run(&verb, &wanted, argc, argv);

    strv_done(&wanted.changes);
    return status;
}
