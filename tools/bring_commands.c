/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly pull", "load" and "import": images on their way into the store. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "image_table.h"
#include "verb.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum bring_option {
    BRING_OPTION_QUIET,
    BRING_OPTION_INPUT,
};

/* What the options of the three have said. */
struct bring {
    const char *input;
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct bring *bring = job->choice;
    const char *value = options->value;

    if (options->spec->id == BRING_OPTION_QUIET)
        job->quiet = true;
    else if (!*value)
        return err_set(err, -EINVAL, "--input: the file's name is empty");
    else
        bring->input = value;
    return 0;
}

static void say(const struct verb_job *job, const char *what, const char *reference) {
    _cleanup_free_ char *text = str_printf("%s %s", what, reference);

    if (!job->quiet && text)
        console_log(&job->messages, LOG_LEVEL_INFO, text);
}

/* --- pull --------------------------------------------------------------------- */

static int run_pull(struct verb_job *job, struct err *err) {
    for (size_t i = 0; i < job->n_words; i++) {
        _cleanup_free_ char *id = NULL;
        int r;

        say(job, "pulling", job->words[i]);
        r = images_pull(&job->images, job->words[i], &id, err);
        if (r == 0)
            verb_print(job, "%s", id);
        else if (!verb_complain(job, err))
            return r;
    }
    return 0;
}

int pull_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"quiet", 'q', NULL, "Messages", "the ids and errors alone", BRING_OPTION_QUIET},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "pull",
        .brings = true,
        .asks = true,
        .words = "REF...",
        .about = "Fetches images from their registries, or tarballs from their "
                 "addresses, whether or not they are in the store; layers that are there "
                 "already are not fetched again. Prints the id of each.  User names and "
                 "passwords are those that 'docker login' and 'podman login' have kept.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_pull,
    };
    struct bring bring = {0};

    return verb_run(&verb, &bring, argc, argv);
}

/* --- load --------------------------------------------------------------------- */

static int prepare_load(struct verb_job *job, struct err *err) {
    const struct bring *bring = job->choice;

    if (!bring->input && isatty(STDIN_FILENO))
        return err_set(err, -EINVAL, "standard input is a terminal; give the archive with -i FILE");
    return 0;
}

static int run_load(struct verb_job *job, struct err *err) {
    const struct bring *bring = job->choice;
    _cleanup_strv_ struct strv names = {0};
    int r = images_load(&job->images, bring->input, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        _cleanup_buf_ struct buf id = BUF_INIT;

        /* A name has the registry in it. */
        if (strchr(names.items[i], '/')) {
            verb_print(job, "Loaded image: %s", image_table_name(names.items[i]));
            continue;
        }
        image_table_id(&id, names.items[i], true);
        verb_print(job, "Loaded image ID: %s", id.data ? id.data : "");
    }
    return r;
}

int load_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"input", 'i', "FILE", "Options", "the archive, or the directory of an OCI image layout",
         BRING_OPTION_INPUT},
        {"quiet", 'q', NULL, "Messages", "the names and errors alone", BRING_OPTION_QUIET},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "load",
        .brings = true,
        .words = "",
        .about = "Brings in every image of an archive, under the names that it has "
                 "there: what 'save' of docker and podman and 'skopeo copy' write, "
                 "compressed or not.  Without -i the archive is read from standard "
                 "input.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply,
        .prepare = prepare_load,
        .run = run_load,
    };
    struct bring bring = {0};

    return verb_run(&verb, &bring, argc, argv);
}

/* --- import ------------------------------------------------------------------- */

static int run_import(struct verb_job *job, struct err *err) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    _cleanup_free_ char *id = NULL;
    int r = images_import(&job->images, job->words[0], job->n_words > 1 ? job->words[1] : NULL, &id,
                          err);

    if (r < 0)
        return r;
    image_table_id(&text, id, true);
    verb_print(job, "%s", text.data ? text.data : "");
    return 0;
}

int import_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"quiet", 'q', NULL, "Messages", "the id and errors alone", BRING_OPTION_QUIET},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "import",
        .brings = true,
        .asks = true,
        .words = "FILE|ADDRESS|- [NAME[:TAG]]",
        .about = "Makes an image of a root file system in a tarball, compressed or not, "
                 "and prints its id.  '-' reads standard input.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = 2,
        .apply = apply,
        .run = run_import,
    };
    struct bring bring = {0};

    return verb_run(&verb, &bring, argc, argv);
}
