/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct image *image) {
    *image = IMAGE_INIT;
    strv_push(&image->layers, "00ff");
    strv_push(&image->layers, "a1b2");
    strv_push(&image->config.env, "PATH=/bin");
    strv_push(&image->config.env, "LINES=a\nb\\n\\");
    strv_push(&image->config.cmd, "");
    strv_push(&image->config.cmd, "sh");
    strv_push(&image->config.labels, "k=v w");
    image->config.user = strdup("nobody");
}

Test(record, comes_back_as_it_went) {
    struct image image, back = IMAGE_INIT;
    struct buf buf = BUF_INIT;

    fill(&image);
    record_encode(&image, &buf);
    cr_assert_eq(record_decode(buf.data, buf.size, &back), 0);
    cr_assert(back.in_store);
    cr_assert_eq(back.layers.n, 2);
    cr_assert_str_eq(back.layers.items[0], "layers/00ff");
    cr_assert_str_eq(back.layers.items[1], "layers/a1b2");
    cr_assert_str_eq(back.config.env.items[1], "LINES=a\nb\\n\\");
    cr_assert_eq(back.config.cmd.n, 2);
    cr_assert_str_eq(back.config.cmd.items[0], "");
    cr_assert_str_eq(back.config.labels.items[0], "k=v w");
    cr_assert_str_eq(back.config.user, "nobody");
    cr_assert_null(back.config.working_dir);
    cr_assert_eq(back.config.entrypoint.n, 0);
    buf_done(&buf);
    image_done(&image);
    image_done(&back);
}

Test(record, cut_short_anywhere_is_none) {
    struct image image, back = IMAGE_INIT;
    struct buf buf = BUF_INIT;

    fill(&image);
    record_encode(&image, &buf);
    for (size_t n = 0; n < buf.size; n++) {
        char *text = strndup(buf.data, n);

        cr_assert_eq(record_decode(text, n, &back), -EBADMSG, "the first %zu bytes", n);
        free(text);
    }
    buf_done(&buf);
    image_done(&image);
}

Test(record, refuses_what_is_none) {
    static const char *const bad[] = {
        "mayfly image 2\nlayer aa\nend\n",
        "mayfly image 1\nend\n",
        "mayfly image 1\nlayer ../../etc\nend\n",
        "mayfly image 1\nlayer \nend\n",
        "mayfly image 1\nlayer aa\nwhat x\nend\n",
        "mayfly image 1\nlayer aa\nenv a\\x\nend\n",
        "mayfly image 1\nlayer aa\nuser a\nuser b\nend\n",
        "mayfly image 1\nlayer aa\nend\nmore\n",
        "mayfly image 1\nlayer aa\nuser\nend\n",
    };
    struct image back = IMAGE_INIT;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = strdup(bad[i]);

        cr_assert_eq(record_decode(text, strlen(text), &back), -EBADMSG, "%s", bad[i]);
        free(text);
    }
}
