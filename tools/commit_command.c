/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly commit": a container's files as an image. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/live/kept_commit.h"
#include "verb.h"

#include <stdlib.h>

static int run(struct verb_job *job, struct err *err) {
    const char *name = job->n_words > 1 ? job->words[1] : NULL;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_free_ char *id = NULL;
    _cleanup_life_ struct life life;
    int r;

    life_init(&life);
    r = containers_find(&job->containers, job->words[0], &kept, err);
    if (r == 0)
        r = kept_life(&kept, &life, err);
    if (r == 0)
        r = kept_commit(&job->containers, &kept, &life, name, &id, err);
    if (r == 0)
        verb_print(job, "%s", id);
    return r;
}

int commit_command(int argc, char **argv) {
    static const struct verb verb = {
        .name = "commit",
        .words = "CONTAINER [NAME[:TAG]]",
        .about = "Makes an image of a container's files as they are now, and prints its id.  The "
                 "programs of one that runs stand still meanwhile.",
        .n_words_min = 1,
        .n_words_max = 2,
        .run = run,
    };

    return verb_run(&verb, NULL, argc, argv);
}
