/* SPDX-License-Identifier: Apache-2.0 */
/* What reads the images that are there: archives of them, registries, the check of the store. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "images_work.h"
#include "rootfs/store_check.h"

#include <errno.h>
#include <inttypes.h>
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

/* --- history ------------------------------------------------------------------ */

/* What ends a text on its way to the parent; texts of images may hold it, and lose it then. */
#define END '\x1f'

static void put_text(struct buf *buf, const char *text) {
    for (const char *p = text ? text : ""; *p; p++)
        buf_append(buf, *p == END ? " " : p, 1);
    buf_append(buf, &(const char){END}, 1);
}

static int note_line(void *context, const struct image_history_line *line) {
    struct images_work *work = context;

    put_text(&work->answer, line->created);
    put_text(&work->answer, line->created_by);
    put_text(&work->answer, line->comment);
    buf_printf(&work->answer, "%" PRIu64 "%c", line->bytes, END);
    return buf_failed(&work->answer) ? -ENOMEM : 0;
}

static int read_history(struct images_work *work, struct err *err) {
    return image_history(&work->images->store, work->reference, note_line, work, err);
}

int images_history(struct images *images, const char *reference, image_history_emit *emit,
                   void *context, struct err *err) {
    struct images_work work = {
        .images = images, .function = read_history, .reads = true, .reference = reference};
    _cleanup_free_ char *answer = NULL;
    char *texts[4], *rest;
    int r = images_work_call(&work, &answer, err);

    rest = answer;
    while (r == 0 && *rest) {
        struct image_history_line line = {0};

        for (size_t i = 0; i < N_ELEMENTS(texts); i++)
            texts[i] = rest ? strsep(&rest, (const char[]){END, '\0'}) : NULL;
        if (!rest || str_to_u64(texts[3], UINT64_MAX, &line.bytes) < 0)
            return err_set(err, -EIO, "what an image was made of is told in an unknown form");
        line.created = *texts[0] ? texts[0] : NULL;
        line.created_by = *texts[1] ? texts[1] : NULL;
        line.comment = *texts[2] ? texts[2] : NULL;
        if (emit(context, &line) < 0)
            r = err_nomem(err);
    }
    return r;
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
