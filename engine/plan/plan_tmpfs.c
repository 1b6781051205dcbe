/* SPDX-License-Identifier: Apache-2.0 */
/* What people write of a memory file system: DST[:OPTS], as docker and mount(8) have it. */
#include "plan.h"

#include "engine/base/cleanup.h"
#include "plan_spec.h"

#include <errno.h>

static int parse_mode(const char *text, unsigned *ret_mode) {
    char *end;
    unsigned long mode = strtoul(text, &end, 8);

    if (!*text || text[strspn(text, "01234567")] || *end || mode > 07777)
        return -EINVAL;
    *ret_mode = (unsigned)mode;
    return 0;
}

static int apply_word(struct tmpfs_mount *tmpfs, const char *word) {
    const char *mode = str_after(word, "mode="), *size = str_after(word, "size=");

    if (mode)
        return parse_mode(mode, &tmpfs->mode);
    if (str_eq(word, "exec") || str_eq(word, "noexec")) {
        tmpfs->no_exec = *word == 'n';
        return 0;
    }
    /* What it is anyway. */
    if (str_eq(word, "rw") || str_eq(word, "nosuid") || str_eq(word, "nodev"))
        return 0;
    if (plan_parse_size(size ? size : word, &tmpfs->size_bytes) < 0 || tmpfs->size_bytes == 0)
        return -EINVAL;
    return 0;
}

int plan_add_tmpfs(struct plan *plan, const char *spec, struct err *err) {
    struct tmpfs_mount tmpfs = {.mode = 01777}, *grown;
    _cleanup_strv_ struct strv fields = {0};
    _cleanup_free_ char *target = NULL;
    char *word, *rest;
    int r;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    if (fields.n > 2)
        return err_set(err, -EINVAL, "--tmpfs '%s' is not DST[:OPTS]", spec);
    rest = fields.n == 2 ? fields.items[1] : NULL;
    while ((word = strsep(&rest, ",")))
        if (apply_word(&tmpfs, word) < 0)
            return err_set(err, -EINVAL,
                           "--tmpfs '%s': '%s' is not a size (64m, 1g), mode=MODE or noexec", spec,
                           word);
    r = plan_spec_target(fields.items[0], &target, err);
    if (r < 0)
        return err_wrap(err, "--tmpfs '%s'", spec);
    grown = reallocarray(plan->tmpfs, plan->n_tmpfs + 1, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    tmpfs.target = take_ptr(target);
    plan->tmpfs = grown;
    grown[plan->n_tmpfs++] = tmpfs;
    return 0;
}
