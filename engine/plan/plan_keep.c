/* SPDX-License-Identifier: Apache-2.0 */
/* What people write of a kept directory: NAME:DST[:OPTS]. */
#include "plan.h"

#include "engine/base/cleanup.h"
#include "plan_spec.h"

#include <errno.h>

static int apply_word(struct keep *keep, const char *word, size_t n) {
    static const struct {
        const char *word;
        enum keep_mode mode;
    } modes[] = {{"shared", KEEP_SHARED}, {"locked", KEEP_LOCKED}, {"private", KEEP_PRIVATE}};

    if (n == 2 && (strncmp(word, "ro", n) == 0 || strncmp(word, "rw", n) == 0)) {
        keep->read_only = word[1] == 'o';
        return 0;
    }
    for (size_t i = 0; i < N_ELEMENTS(modes); i++)
        if (n == strlen(modes[i].word) && strncmp(word, modes[i].word, n) == 0) {
            keep->mode = modes[i].mode;
            return 0;
        }
    return -EINVAL;
}

/* Words between commas. */
static int apply_options(struct keep *keep, const char *text) {
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, ",");

        if (apply_word(keep, p, n) < 0)
            return -EINVAL;
        p += n;
        if (!*p)
            return 0;
    }
}

static void keep_done(struct keep *keep) {
    free(keep->name);
    free(keep->target);
}

int plan_add_keep(struct plan *plan, const char *spec, struct err *err) {
    _cleanup_(keep_done) struct keep keep = {.mode = KEEP_SHARED};
    _cleanup_strv_ struct strv fields = {0};
    struct keep *keeps;
    int r;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    if (fields.n < 2 || fields.n > 3)
        return err_set(err, -EINVAL, "-k '%s' is not NAME:DST[:ro|locked|private]", spec);
    if (!plan_spec_name_ok(fields.items[0]))
        return err_set(err, -EINVAL,
                       "-k '%s': '%s' is not a name; use up to 63 letters, digits, '_', '.', '-', "
                       "a letter or digit first (a directory of the host is shown with -v)",
                       spec, fields.items[0]);
    if (fields.n == 3 && apply_options(&keep, fields.items[2]) < 0)
        return err_set(err, -EINVAL, "-k '%s': unknown option '%s'; use ro, locked or private",
                       spec, fields.items[2]);
    r = plan_spec_target(fields.items[1], &keep.target, err);
    if (r < 0)
        return err_wrap(err, "-k '%s'", spec);
    keep.name = take_ptr(fields.items[0]);
    keeps = reallocarray(plan->keeps, plan->n_keeps + 1, sizeof *keeps);
    if (!keeps)
        return err_nomem(err);
    plan->keeps = keeps;
    keeps[plan->n_keeps++] = keep;
    keep = (struct keep){0};
    return 0;
}
