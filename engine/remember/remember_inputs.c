/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What steps may depend on beside the plan's words: the image, what volumes hold,
 * and what is uploaded.  It is looked at before the first step, and again after
 * each that ran: a step that changed it itself, or saw it change, is not
 * remembered.
 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "remember_key.h"
#include "remember_private.h"

#include <errno.h>
#include <unistd.h>

static int scan_volumes(struct remember *m, struct content *ret_volumes, struct err *err) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++) {
        content_done(&ret_volumes[i]);
        r = content_scan(m->store, m->plan->volumes[i].source, &ret_volumes[i], err);
    }
    return r;
}

int remember_know_inputs(struct remember *m, struct err *err) {
    const struct image *image = &m->chain.base.container.image;
    _cleanup_content_ struct content directory = CONTENT_INIT;
    struct err why = {0};
    int r = 0;

    if (m->knows_inputs)
        return 0;
    m->knows_inputs = true;
    if (!image->in_store && str_eq(image->layers.items[0], "/"))
        r = err_set(&why, -EINVAL, "host: is no image that stays the same");
    else if (!image->in_store)
        r = content_scan(m->store, image->layers.items[0], &directory, &why);
    if (r == 0)
        r = scan_volumes(m, m->volumes, &why);
    if (r == -ENOMEM)
        return err_nomem(err);
    if (r < 0) {
        m->transient = true;
        /* Of a volume that is not there the container's start says how to mend it. */
        if (r != -ENOENT)
            log_warning(m->log, "-r: the steps are not remembered: %s", why.message);
        return 0;
    }
    remember_key_image(image, image->in_store ? NULL : directory.hex, m->previous);
    return 0;
}

/* The absolute path of what an upload copies. */
static char *upload_path(const struct action *action) {
    _cleanup_free_ char *cwd = *action->source == '/' ? NULL : getcwd(NULL, 0);

    return *action->source == '/' ? strdup(action->source)
           : cwd                  ? str_printf("%s/%s", cwd, action->source)
                                  : NULL;
}

int remember_scan_upload(struct remember *m, size_t index, struct content *ret_content,
                         struct err *err) {
    const struct action *action = &m->plan->actions[index];
    _cleanup_free_ char *path = NULL;
    int r;

    if (action->kind != ACTION_UPLOAD)
        return 0;
    path = upload_path(action);
    if (!path)
        return err_nomem(err);
    r = content_scan(m->store, path, ret_content, err);
    if (r == -ENOENT)
        err_set(err, r, "there is no such file or directory");
    return r < 0 && r != -ENOMEM ? err_wrap(err, "-U %s", action->source) : r;
}

int remember_find_facts(struct remember *m, size_t index, const struct content *upload,
                        struct strv *ret_facts, struct err *err) {
    _cleanup_free_ const char **volumes = calloc(m->plan->n_volumes + 1, sizeof *volumes);
    struct remember_inputs inputs = {
        .previous = m->previous,
        .workdirs = &m->chain.workdirs,
        .volumes = volumes,
        .upload = *upload->hex ? upload->hex : NULL,
    };

    if (!volumes)
        return err_nomem(err);
    for (size_t i = 0; i < m->plan->n_volumes; i++)
        volumes[i] = m->volumes[i].hex;
    return remember_key_facts(m->plan, index, &inputs, ret_facts) < 0 ? err_nomem(err) : 0;
}

int remember_check_inputs(struct remember *m, size_t index, const struct content *upload,
                          struct buf *ret_what, struct err *err) {
    _cleanup_content_ struct content copied = CONTENT_INIT;
    struct err why = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++) {
        struct content now = CONTENT_INIT;

        r = content_scan(m->store, m->plan->volumes[i].source, &now, &why);
        if (r == 0 && !str_eq(now.hex, m->volumes[i].hex) && ret_what->size == 0)
            buf_printf(ret_what, "%s", m->plan->volumes[i].source);
        content_done(&m->volumes[i]);
        m->volumes[i] = now;
    }
    if (r == 0)
        r = remember_scan_upload(m, index, &copied, &why);
    if (r == 0 && !str_eq(copied.hex, upload->hex) && ret_what->size == 0)
        buf_puts(ret_what, m->plan->actions[index].source);
    if (r < 0 && r != -ENOMEM) {
        buf_puts(ret_what, why.message);
        r = 0;
    }
    return r < 0 || buf_failed(ret_what) ? err_nomem(err) : 0;
}

int remember_keep_inputs(struct remember *m, const struct content *upload, struct err *err) {
    int r = *upload->hex ? content_keep(m->store, upload, err) : 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++)
        r = content_keep(m->store, &m->volumes[i], err);
    return r;
}
