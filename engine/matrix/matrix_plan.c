/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plan becomes several that differ by the image.  They share all else with
 * it, so each is a shallow copy; only names that a run makes outside, where runs
 * would meet, are made anew with the image's label in them.
 */
#include "matrix_plan.h"

#include "engine/base/cleanup.h"

#include <errno.h>

static const char *const archive_suffixes[] = {
    ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tar", ".tgz", ".txz",
};

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* The @n bytes at @text with a hyphen for each run of what is not plain, none first or last. */
static char *plain_name(const char *text, size_t n) {
    _cleanup_buf_ struct buf name = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        char c = is_plain(text[i]) ? text[i] : '-';

        /* No dot or hyphen first: hidden files, and options of commands. */
        if (name.size == 0 && (c == '-' || c == '.'))
            continue;
        if (c == '-' && name.size > 0 && name.data[name.size - 1] == '-')
            continue;
        buf_append(&name, &c, 1);
    }
    while (name.size > 0 && name.data[name.size - 1] == '-')
        name.data[--name.size] = '\0';
    if (name.size == 0)
        buf_puts(&name, "image");
    return buf_take(&name);
}

static char *label_of(const char *image, bool full) {
    const char *transport = image, *digest = strstr(image, "@sha256:"), *slash;
    size_t n = strlen(image);

    for (size_t i = 0; i < N_ELEMENTS(archive_suffixes); i++) {
        size_t n_suffix = strlen(archive_suffixes[i]);

        if (n > n_suffix && str_eq(image + n - n_suffix, archive_suffixes[i])) {
            n -= n_suffix;
            break;
        }
    }
    if (full)
        return plain_name(image, n);
    /* Of a digest, as much as people show of one. */
    if (digest && (size_t)(digest - image) + strlen("@sha256:") + 12 < n)
        n = (size_t)(digest - image) + strlen("@sha256:") + 12;
    while (n > 1 && image[n - 1] == '/')
        n--;
    slash = memrchr(image, '/', n);
    for (const char *const *p = (const char *const[]){"rootfs:", "tar:", "oci:", "oci-archive:",
                                                      "docker-archive:", NULL};
         *p; p++)
        if (str_after(image, *p))
            transport = str_after(image, *p);
    if (slash && slash + 1 > transport)
        transport = slash + 1;
    return plain_name(transport, n - (size_t)(transport - image));
}

static bool has_twins(const struct strv *labels) {
    for (size_t i = 0; i < labels->n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(labels->items[i], labels->items[j]))
                return true;
    return false;
}

/* Appends the label, with a number when it is there already. */
static int add_label(struct strv *labels, char *label) {
    _cleanup_free_ char *numbered = label ? strdup(label) : NULL;
    unsigned number = 1;

    for (size_t i = 0; numbered && i < labels->n;) {
        if (!str_eq(labels->items[i], numbered)) {
            i++;
            continue;
        }
        free(numbered);
        numbered = str_printf("%s-%u", label, ++number);
        i = 0;
    }
    free(label);
    return strv_push_take(labels, take_ptr(numbered));
}

int matrix_labels(const struct strv *images, struct strv *ret_labels) {
    for (int full = 0; full < 2; full++) {
        strv_done(ret_labels);
        for (size_t i = 0; i < images->n; i++)
            if (strv_push_take(ret_labels, label_of(images->items[i], full)) < 0)
                return -ENOMEM;
        if (!has_twins(ret_labels))
            return 0;
    }
    strv_done(ret_labels);
    for (size_t i = 0; i < images->n; i++)
        if (add_label(ret_labels, label_of(images->items[i], true)) < 0)
            return -ENOMEM;
    return 0;
}

/* Whether an action makes something outside of the container, under a name. */
static bool has_outer_name(const struct action *action) {
    return action->kind == ACTION_DOWNLOAD || action->kind == ACTION_COMMIT;
}

static int refuse_action(const struct action *action, size_t n, struct err *err) {
    _cleanup_buf_ struct buf words = BUF_INIT;

    action_format(action, &words);
    if (action->kind == ACTION_COMMIT)
        return err_set(err, -EINVAL,
                       "-C %s: %zu images would become the same one; put " MATRIX_IMAGE
                       " into the name, as in -C %s-" MATRIX_IMAGE,
                       words.data ? words.data : "", n, action->target);
    return err_set(err, -EINVAL,
                   "-D %s: %zu images would write to the same place; put " MATRIX_IMAGE
                   " into it, as in -D %s:out/" MATRIX_IMAGE "/",
                   words.data ? words.data : "", n, action->source);
}

int matrix_plan_check(const struct plan *plan, size_t n, bool together, struct err *err) {
    for (size_t i = 0; n > 1 && i < plan->n_actions; i++) {
        const struct action *action = &plan->actions[i];

        if (has_outer_name(action) && !(action->target && strstr(action->target, MATRIX_IMAGE)))
            return refuse_action(action, n, err);
    }
    if (n > 1 && together && plan->name && !strstr(plan->name, MATRIX_IMAGE))
        return err_set(err, -EINVAL,
                       "--name %s: containers of several images at once need different names; "
                       "put " MATRIX_IMAGE " into it, as in --name %s-" MATRIX_IMAGE,
                       plan->name, plan->name);
    return 0;
}

/* @text with each MATRIX_IMAGE replaced; @text itself when it has none; NULL without memory. */
static char *fill_in(char *text, const char *label) {
    _cleanup_buf_ struct buf filled = BUF_INIT;
    const char *rest = text, *place;

    if (!text || !strstr(text, MATRIX_IMAGE))
        return text;
    for (; (place = strstr(rest, MATRIX_IMAGE)); rest = place + strlen(MATRIX_IMAGE)) {
        buf_append(&filled, rest, (size_t)(place - rest));
        buf_puts(&filled, label);
    }
    buf_puts(&filled, rest);
    return buf_take(&filled);
}

int matrix_plan_init(struct plan *plan, const struct plan *common, const char *image,
                     const char *label, struct err *err) {
    *plan = *common;
    plan->image = (char *)image;
    plan->name = fill_in(common->name, label);
    plan->actions = calloc(common->n_actions + 1, sizeof *plan->actions);
    if (!plan->actions || (common->name && !plan->name))
        return err_nomem(err);
    memcpy(plan->actions, common->actions, common->n_actions * sizeof *plan->actions);
    for (size_t i = 0; i < plan->n_actions; i++) {
        struct action *action = &plan->actions[i];

        if (!has_outer_name(action))
            continue;
        action->target = fill_in(common->actions[i].target, label);
        if (common->actions[i].target && !action->target) {
            action->target = common->actions[i].target;
            return err_nomem(err);
        }
        if (action->target != common->actions[i].target)
            action->make_directories = true;
    }
    return 0;
}

void matrix_plan_done(struct plan *plan, const struct plan *common) {
    if (plan->name != common->name)
        free(plan->name);
    for (size_t i = 0; plan->actions && i < plan->n_actions; i++)
        if (plan->actions[i].target != common->actions[i].target)
            free(plan->actions[i].target);
    free(plan->actions);
    *plan = (struct plan){0};
}
