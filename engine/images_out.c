/* SPDX-License-Identifier: Apache-2.0 */
/* What reads the images that are there: the check of the store. */
#include "base/cleanup.h"
#include "base/str.h"
#include "images_work.h"
#include "rootfs/store_check.h"

#include <errno.h>
#include <stdio.h>

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
    struct images_work work = {.images = images, .function = check};
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
