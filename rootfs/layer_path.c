/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in layers.  A name that goes up is refused rather than mended: no tool
 * that makes layers writes one.  Whiteouts are decided on here as well, since
 * they are names and nothing else.
 */
#include "layer_path.h"

#include "engine/base/str.h"

#include <errno.h>

#define WHITEOUT_PREFIX ".wh."

int layer_path_normalize(const char *name, char ret_path[PATH_MAX], struct err *err) {
    size_t used = 0;
    int n_parts = 0;

    for (const char *p = name; *(p += strspn(p, "/"));) {
        size_t n = strcspn(p, "/");

        if (n == 1 && *p == '.') {
            p += n;
            continue;
        }
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return err_set(err, -EINVAL, "'%.200s' has '..' in its name", name);
        if (n > NAME_MAX || used + n + 2 > PATH_MAX)
            return err_set(err, -ENAMETOOLONG, "'%.100s...' is longer than Linux allows", name);
        if (++n_parts > LAYER_PATH_DEPTH_MAX)
            return err_set(err, -ENAMETOOLONG, "'%.100s...' is more than %d directories deep", name,
                           LAYER_PATH_DEPTH_MAX);
        if (p[n + strspn(p + n, "/")] && str_after(p, WHITEOUT_PREFIX))
            return err_set(err, -EINVAL, "'%.200s' lies below a whiteout", name);
        if (used > 0)
            ret_path[used++] = '/';
        memcpy(ret_path + used, p, n);
        used += n;
        p += n;
    }
    ret_path[used] = '\0';
    return n_parts;
}

const char *layer_path_base(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int layer_path_classify(const char *base, const char **ret_target) {
    const char *target = str_after(base, WHITEOUT_PREFIX);

    if (!target)
        return LAYER_NAME_PLAIN;
    if (str_eq(target, ".wh..opq"))
        return LAYER_NAME_OPAQUE;
    if (str_after(target, WHITEOUT_PREFIX))
        return LAYER_NAME_RESERVED;
    if (!*target || str_eq(target, ".") || str_eq(target, ".."))
        return -EINVAL;
    *ret_target = target;
    return LAYER_NAME_WHITEOUT;
}
