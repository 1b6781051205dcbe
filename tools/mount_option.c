/* SPDX-License-Identifier: Apache-2.0 */
/* docker's --mount, a list of keys and values, in our own words. */
#include "mount_option.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>

struct fields {
    const char *type, *source, *target, *size, *mode;
    bool read_only;
};

static bool is_one_of(const char *key, const char *const *names) {
    for (; *names; names++)
        if (str_eq(key, *names))
            return true;
    return false;
}

/* @field is cut in two. */
static int take_field(struct fields *fields, char *field, struct err *err) {
    static const char *const sources[] = {"source", "src", NULL};
    static const char *const targets[] = {"target", "destination", "dst", NULL};
    static const char *const read_only[] = {"readonly", "ro", NULL};
    char *value = strchr(field, '=');

    if (value)
        *value++ = '\0';
    if (is_one_of(field, read_only) && (!value || str_eq(value, "true")))
        fields->read_only = true;
    else if (!value)
        return err_set(err, -EINVAL, "--mount: '%s' is not KEY=VALUE", field);
    else if (str_eq(field, "type"))
        fields->type = value;
    else if (is_one_of(field, sources))
        fields->source = value;
    else if (is_one_of(field, targets))
        fields->target = value;
    else if (str_eq(field, "tmpfs-size"))
        fields->size = value;
    else if (str_eq(field, "tmpfs-mode"))
        fields->mode = value;
    else if (!is_one_of(field, read_only))
        return err_set(
            err, -EINVAL,
            "--mount: there is no '%s'; type, src, dst, ro, tmpfs-size and tmpfs-mode are "
            "known",
            field);
    return 0;
}

/* A colon and a backslash belong to names here. */
static void put_escaped(struct buf *buf, const char *text) {
    for (; *text; text++) {
        if (*text == ':' || *text == '\\')
            buf_puts(buf, "\\");
        buf_append(buf, text, 1);
    }
}

int mount_option_apply(struct life *life, const char *value, struct err *err) {
    _cleanup_free_ char *text = strdup(value);
    struct fields fields = {.type = "bind"};
    _cleanup_buf_ struct buf spec = BUF_INIT;
    char *field, *rest = text;
    bool is_bind;
    int r = text ? 0 : err_nomem(err);

    while (r == 0 && (field = strsep(&rest, ",")))
        r = take_field(&fields, field, err);
    if (r < 0)
        return r;
    is_bind = str_eq(fields.type, "bind");
    if (!is_bind && !str_eq(fields.type, "tmpfs"))
        return err_set(err, -EINVAL, "--mount: type '%s' is neither bind nor tmpfs", fields.type);
    if (!fields.target || (is_bind && !fields.source))
        return err_set(err, -EINVAL, "--mount '%s': %s= is missing", value,
                       fields.target ? "src" : "dst");
    if (is_bind) {
        put_escaped(&spec, fields.source);
        buf_puts(&spec, ":");
    }
    put_escaped(&spec, fields.target);
    if (is_bind && fields.read_only)
        buf_puts(&spec, ":ro");
    if (!is_bind && fields.size)
        buf_printf(&spec, ":%s", fields.size);
    if (!is_bind && fields.mode)
        buf_printf(&spec, "%cmode=%s", fields.size ? ',' : ':', fields.mode);
    if (buf_failed(&spec))
        return err_nomem(err);
    return life_set(life, is_bind ? "volume" : "tmpfs", spec.data, err);
}
