/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts in which a plan's parts are written: fields between colons, paths
 * in the container, names, sizes, network modes.  All of it is pure.
 *
 * A colon separates fields, yet file names may hold one, so "\:" stands for it
 * and "\\" for the backslash.  A backslash before anything else is kept as it
 * is: names with backslashes are rare, and doubling each would surprise more
 * than it helps.
 *
 * A mount's target is tidied as text alone.  That is sound because ".." is
 * refused: without it, "//" and "." mean the same whatever the path's links
 * point to, and two targets are one place exactly when the texts are equal
 * (links in the image aside, which the engine resolves).
 */
#include "plan_spec.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* The longest host name that sethostname(2) takes. */
#define HOSTNAME_BYTES 64
#define LABEL_BYTES 63
#define NAME_BYTES 63

int plan_spec_split(const char *text, struct strv *ret_fields) {
    _cleanup_buf_ struct buf field = BUF_INIT;

    for (const char *p = text;; p++) {
        if (*p == ':' || !*p) {
            if (strv_push_take(ret_fields, buf_take(&field)) < 0) {
                strv_done(ret_fields);
                return -ENOMEM;
            }
            if (!*p)
                return 0;
        } else {
            if (*p == '\\' && (p[1] == ':' || p[1] == '\\'))
                p++;
            buf_append(&field, p, 1);
        }
    }
}

void plan_spec_escape(struct buf *buf, const char *field) {
    for (const char *p = field; *p; p++) {
        if (*p == ':' || (*p == '\\' && (p[1] == ':' || p[1] == '\\' || !p[1])))
            buf_puts(buf, "\\");
        buf_append(buf, p, 1);
    }
}

int plan_spec_target(const char *text, char **ret_path, struct err *err) {
    _cleanup_buf_ struct buf path = BUF_INIT;

    if (text[0] != '/')
        return err_set(err, -EINVAL, "the container path '%s' has to begin with '/'", text);
    for (const char *p = text; *(p += strspn(p, "/"));) {
        size_t n = strcspn(p, "/");

        if (n == 2 && strncmp(p, "..", 2) == 0)
            return err_set(err, -EINVAL, "the container path '%s' may not hold '..'", text);
        if (n != 1 || *p != '.') {
            buf_puts(&path, "/");
            buf_append(&path, p, n);
        }
        p += n;
    }
    if (path.size == 0 && !buf_failed(&path))
        return err_set(err, -EINVAL, "the container's root '/' cannot be replaced");
    *ret_path = buf_take(&path);
    return *ret_path ? 0 : err_nomem(err);
}

bool plan_spec_target_ok(const char *path) {
    _cleanup_free_ char *tidy = NULL;

    return plan_spec_target(path, &tidy, NULL) == 0 && tidy && str_eq(path, tidy);
}

bool plan_spec_has_base_name(const char *path) {
    const char *end = path + strlen(path), *start;
    size_t n;

    while (end > path && end[-1] == '/')
        end--;
    for (start = end; start > path && start[-1] != '/';)
        start--;
    n = (size_t)(end - start);
    return n > 0 && !(n == 1 && start[0] == '.') && !(n == 2 && strncmp(start, "..", 2) == 0);
}

/* Letters and digits of ASCII, whatever the locale says. */
static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool plan_spec_name_ok(const char *name) {
    size_t n = 0;

    if (!is_alphanumeric(name[0]))
        return false;
    while (is_alphanumeric(name[n]) || (name[n] && strchr("_.-", name[n])))
        n++;
    return !name[n] && n <= NAME_BYTES;
}

bool plan_spec_hostname_ok(const char *hostname) {
    const char *p = hostname;

    if (strlen(hostname) > HOSTNAME_BYTES)
        return false;
    for (;; p++) {
        const char *label = p;

        while (is_alphanumeric(*p) || *p == '-')
            p++;
        if (p == label || p - label > LABEL_BYTES || *label == '-' || p[-1] == '-')
            return false;
        if (*p != '.')
            return !*p;
    }
}

int plan_parse_size(const char *text, uint64_t *ret_bytes) {
    static const char letters[] = "kmgt";
    size_t n = strspn(text, "0123456789");
    _cleanup_free_ char *digits = strndup(text, n);
    const char *unit = text + n, *letter = NULL;
    uint64_t value;
    unsigned shift = 0;
    int r;

    if (!digits)
        return -ENOMEM;
    r = str_to_u64(digits, UINT64_MAX, &value);
    if (r < 0)
        return r;
    if (*unit && (letter = strchr(letters, *unit | 0x20))) {
        shift = 10 * (unsigned)(letter - letters + 1);
        unit++;
    }
    if (*unit && strcasecmp(unit, "b") != 0 && !(letter && strcasecmp(unit, "ib") == 0))
        return -EINVAL;
    if (value > UINT64_MAX >> shift)
        return -ERANGE;
    *ret_bytes = value << shift;
    return 0;
}

int plan_spec_duration(const char *option, const char *value, uint64_t *ret_nsec, struct err *err) {
    if (clock_parse_duration(value, ret_nsec) < 0)
        return err_set(err, -EINVAL, "--%s '%s' is not a length of time; write 90s, 10m or 1.5h",
                       option, value);
    return 0;
}
