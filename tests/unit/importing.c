/* SPDX-License-Identifier: Apache-2.0 */
#include "importing.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A tar with one file, which is also its content. */
struct buf importing_tar(const char *name) {
    struct buf tar = BUF_INIT;

    tarball_file(&tar, name, name);
    tarball_end(&tar);
    return tar;
}

/* A reference to something in the scratch directory; static. */
const char *importing_ref(const struct scratch *scratch, const char *prefix, const char *path) {
    static char text[512];

    snprintf(text, sizeof text, "%s%s/%s", prefix, scratch->path, path);
    return text;
}

int importing_find(const struct scratch *scratch, struct image *image, const char *reference) {
    struct err err = {0};
    int r = image_find(image, &scratch->store, reference, &err);

    cr_assert_geq(r, 0, "%s", err.message);
    return r;
}

/* Imports what is not there, and finds it. */
void importing_fine(const struct scratch *scratch, struct image *image, const char *reference) {
    struct err err = {0};

    *image = IMAGE_INIT;
    cr_assert_eq(importing_find(scratch, image, reference), IMAGE_MISSING);
    cr_assert_eq(image_import(&scratch->store, reference, NULL, &err), 0, "%s", err.message);
    cr_assert_eq(importing_find(scratch, image, reference), 0);
    cr_assert(image->in_store);
    cr_assert_eq(scratch_count(scratch, "tmp"), 0);
}

/* Imports what must not get in, and looks whether anything did. */
void importing_refused(const struct scratch *scratch, const char *reference, const char *says) {
    struct err err = {0};

    cr_assert_lt(image_import(&scratch->store, reference, NULL, &err), 0, "%s was taken",
                 reference);
    cr_assert_not_null(strstr(err.message, says), "'%s' does not say '%s'", err.message, says);
    cr_assert_not_null(strstr(err.message, reference), "%s", err.message);
    cr_assert_eq(scratch_count(scratch, "tmp"), 0);
    cr_assert_eq(scratch_count(scratch, "layers"), 0);
    cr_assert_eq(scratch_count(scratch, "images"), 0);
    cr_assert_eq(scratch_count(scratch, "index"), 0);
}

void importing_layer_has(const struct scratch *scratch, const struct image *image, size_t i,
                         const char *name) {
    _cleanup_free_ char *text = NULL;
    char path[512];

    cr_assert_lt(i, image->layers.n);
    snprintf(path, sizeof path, "%s/%s", image->layers.items[i], name);
    cr_assert_eq(fd_read_file(scratch->store.fd, path, 4096, &text, NULL), 0, "%s", path);
    cr_assert_str_eq(text, name);
}
