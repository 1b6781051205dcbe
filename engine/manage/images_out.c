/* SPDX-License-Identifier: Apache-2.0 */
/* What reads the images that are there: archives of them, registries, the check of the store. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "images_work.h"
#include "rootfs/store_check.h"

#include <errno.h>
#include <stdio.h>

/* --- save ---------------------------------------------------------------------- */

struct save {
    const struct strv *references;
    enum image_format format;
    int fd;
};

static int save(struct images_work *work, struct err *err) {
    const struct save *save = work->argument;

    return image_save(&work->images->store, save->references, save->format, save->fd, err);
}

int images_save(struct images *images, const struct strv *references, enum image_format format,
                int fd, struct err *err) {
    struct save argument = {.references = references, .format = format, .fd = fd};
    struct images_work work = {
        .images = images, .function = save, .reads = true, .argument = &argument};
    _cleanup_free_ char *answer = NULL;

    return images_work_call(&work, &answer, err);
}

/* --- push ---------------------------------------------------------------------- */

static int push(struct images_work *work, struct err *err) {
    return image_push(&work->images->store, work->reference, work->argument, work->images->log,
                      err);
}

int images_push(struct images *images, const char *reference, const char *destination,
                struct err *err) {
    struct images_work work = {.images = images,
                               .function = push,
                               .reads = true,
                               .reference = reference,
                               .argument = (void *)destination};
    _cleanup_free_ char *answer = NULL;

    return images_work_call(&work, &answer, err);
}

/* --- check -------------------------------------------------------------------- */

/* A finding on its way to the parent: a digit, the topic, the text, a line's end. */
static void note_finding(void *context, const struct store_finding *finding) {
    struct images_work *work = context;

    buf_printf(&work->answer, "%d%s\t%s\n", (int)finding->level, finding->topic, finding->text);
}

static int check(struct images_work *work, struct err *err) {
    int r = store_check(&work->images->store, note_finding, work, err);

    return r < 0 ? r : 0;
}

/* Names come from the store's directory and may hold anything; a line's end is none of ours. */
static bool emit_line(char *line, images_emit_finding *emit, void *context) {
    struct images_finding finding = {.level = IMAGES_FINDING_BROKEN};
    char *tab = strchr(line, '\t');

    if (*line < '0' || *line > '2' || !tab)
        return false;
    *tab = '\0';
    finding.level = *line - '0';
    finding.topic = line + 1;
    finding.text = tab + 1;
    emit(context, &finding);
    return finding.level == IMAGES_FINDING_BROKEN;
}

int images_check(struct images *images, images_emit_finding *emit, void *context, struct err *err) {
    struct images_work work = {.images = images, .function = check, .reads = true};
    _cleanup_free_ char *answer = NULL;
    int r = images_work_call(&work, &answer, err), n_broken = 0;

    if (r < 0)
        return r;
    for (char *line = answer, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        n_broken += emit_line(line, emit, context);
    }
    return n_broken;
}
