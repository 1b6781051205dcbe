/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly save" and "push": images on their way out.  An archive's file is made by this process,
 * with the rights of whoever called it, and goes again when it does not become whole.
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum save_option {
    SAVE_OPTION_OUTPUT,
    SAVE_OPTION_FORMAT,
    SAVE_OPTION_QUIET,
};

struct save {
    const char *output;
    enum image_format format;
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct save *save = job->choice;
    const char *value = options->value;

    switch ((enum save_option)options->spec->id) {
    case SAVE_OPTION_OUTPUT:
        if (!*value)
            return err_set(err, -EINVAL, "--output: the file's name is empty");
        save->output = value;
        break;
    case SAVE_OPTION_FORMAT:
        if (str_eq(value, "docker-archive"))
            save->format = IMAGE_FORMAT_DOCKER;
        else if (str_eq(value, "oci-archive"))
            save->format = IMAGE_FORMAT_OCI;
        else
            return err_set(err, -EINVAL, "--format '%s' is not one of docker-archive, oci-archive",
                           value);
        break;
    case SAVE_OPTION_QUIET:
        break;
    }
    return 0;
}

static int prepare(struct verb_job *job, struct err *err) {
    const struct save *save = job->choice;

    if (!save->output && isatty(STDOUT_FILENO))
        return err_set(err, -EINVAL,
                       "standard output is a terminal; name a file with -o FILE, or redirect it");
    return 0;
}

static int save_to(struct verb_job *job, int fd, struct err *err) {
    const struct save *save = job->choice;
    _cleanup_strv_ struct strv references = {0};

    for (size_t i = 0; i < job->n_words; i++)
        if (strv_push(&references, job->words[i]) < 0)
            return err_nomem(err);
    return images_save(&job->images, &references, save->format, fd, err);
}

static int run_save(struct verb_job *job, struct err *err) {
    const struct save *save = job->choice;
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r;

    if (!save->output)
        return save_to(job, STDOUT_FILENO, err);
    fd = open(save->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "cannot make %s", save->output);
    r = save_to(job, fd, err);
    if (r < 0 && S_ISREG(st.st_mode))
        (void)unlink(save->output);
    return r;
}

int save_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"output", 'o', "FILE", "Options", "the archive; without it, standard output",
         SAVE_OPTION_OUTPUT},
        {"format", 0, "FORM", "Options",
         "docker-archive (default), as 'docker save' writes it, or oci-archive, an OCI image "
         "layout",
         SAVE_OPTION_FORMAT},
        {"quiet", 'q', NULL, "Messages", "for habit: nothing is shown on the way anyway",
         SAVE_OPTION_QUIET},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "save",
        .words = "REF|ID...",
        .about = "Writes images as an archive that mayfly, docker, podman and skopeo read, with "
                 "the names that were written here.  Layers are those that came in, byte for "
                 "byte and not compressed, and every one is compared with its digest on the way.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .prepare = prepare,
        .run = run_save,
    };
    struct save save = {.format = IMAGE_FORMAT_DOCKER};

    /* A reader that has gone is an error of the writing. */
    signal(SIGPIPE, SIG_IGN);
    return verb_run(&verb, &save, argc, argv);
}

/* --- push --------------------------------------------------------------------- */

enum push_option {
    PUSH_OPTION_QUIET,
};

static int apply_push(struct verb_job *job, const struct options *options, struct err *err) {
    bool *quiet = job->choice;

    (void)err;
    *quiet |= options->spec->id == PUSH_OPTION_QUIET;
    return 0;
}

static int run_push(struct verb_job *job, struct err *err) {
    const char *destination = job->n_words > 1 ? job->words[1] : NULL;
    const bool *quiet = job->choice;
    _cleanup_free_ char *text = str_printf("pushing %s", destination ? destination : job->words[0]);

    if (!*quiet && text)
        console_log(&job->messages, LOG_LEVEL_INFO, text);
    return images_push(&job->images, job->words[0], destination, err);
}

int push_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"quiet", 'q', NULL, "Messages", "errors alone", PUSH_OPTION_QUIET},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "push",
        .asks = true,
        .words = "REF|ID [NAME[:TAG]]",
        .about = "Sends an image to the registry that its name, or the second one, begins with.  "
                 "What is there already is not sent again.  User names and passwords are those "
                 "that 'docker login' and 'podman login' have kept.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = 2,
        .apply = apply_push,
        .run = run_push,
    };
    bool quiet = false;

    return verb_run(&verb, &quiet, argc, argv);
}
