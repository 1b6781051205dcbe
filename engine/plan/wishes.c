/* SPDX-License-Identifier: Apache-2.0 */
/* Options about images that have to be brought in, for runs and for commands about images. */
#include "wishes.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "plan_spec.h"
#include "rootfs/platform.h"

#include <errno.h>
#include <string.h>

static int set_platform(struct wishes *wishes, const char *value, struct err *err) {
    struct platform platform;

    if (platform_parse(value, &platform, err) < 0)
        return err_wrap(err, "--platform");
    free(wishes->platform);
    wishes->platform = strdup(value);
    return wishes->platform ? 0 : err_nomem(err);
}

static int add_insecure(struct wishes *wishes, const char *value, struct err *err) {
    char *both;

    if (!*value || value[strcspn(value, "/@, ")])
        return err_set(err, -EINVAL, "--insecure-registry '%s' is no HOST[:PORT]", value);
    both = wishes->insecure ? str_printf("%s,%s", wishes->insecure, value) : strdup(value);
    if (!both)
        return err_nomem(err);
    free(wishes->insecure);
    wishes->insecure = both;
    return 0;
}

static int set_max_size(struct wishes *wishes, const char *value, struct err *err) {
    if (plan_parse_size(value, &wishes->max_image_bytes) < 0 || wishes->max_image_bytes == 0)
        return err_set(err, -EINVAL, "--max-image-size '%s' is no size (such as 500m or 2g)",
                       value);
    return 0;
}

int wishes_set(struct wishes *wishes, const char *name, const char *value, struct err *err) {
    if (str_eq(name, "platform"))
        return set_platform(wishes, value, err);
    if (str_eq(name, "insecure-registry"))
        return add_insecure(wishes, value, err);
    if (str_eq(name, "max-image-size"))
        return set_max_size(wishes, value, err);
    return -ENOENT;
}

void wishes_apply(const struct wishes *wishes, struct store *store) {
    store->platform = wishes->platform;
    store->insecure = wishes->insecure;
    if (wishes->max_image_bytes > 0)
        store->max_image_bytes = wishes->max_image_bytes;
}

void wishes_done(struct wishes *wishes) {
    free(wishes->platform);
    free(wishes->insecure);
    *wishes = (struct wishes){0};
}
