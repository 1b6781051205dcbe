/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of a layer, made again from its recipe. */
#include "engine/base/cleanup.h"
#include "rootfs/layer_tar.h"
#include "rootfs/recipe.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

/* --- support ------------------------------------------------------------------ */

/* A source that gives a text in blocks of @step bytes. */
struct text_source {
    const char *text;
    size_t size;
    size_t step;
    size_t place;
};

static ssize_t read_text(void *context, const void **ret_data, struct err *err) {
    struct text_source *s = context;
    size_t n = s->size - s->place < s->step ? s->size - s->place : s->step;

    (void)err;
    *ret_data = s->text + s->place;
    s->place += n;
    return (ssize_t)n;
}

/* A store with an empty layer "x". */
static void init(struct scratch *scratch) {
    scratch_init(scratch);
    cr_assert_eq(mkdirat(scratch->store.fd, "layers/x", 0755), 0);
}

static void put_file(int dir_fd, const char *path, const char *content, size_t size) {
    _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert(fd >= 0 && write(fd, content, size) == (ssize_t)size);
}

/* Notes @text, of which [@from, @from + @n) is the file "f"; then reads it back. */
static void check_text(const char *text, size_t size, size_t from, size_t n, size_t step) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    struct text_source source = {.text = text, .size = size, .step = step};
    const struct unpack_source inner = {.read = read_text, .context = &source};
    _cleanup_scratch_ struct scratch scratch;
    struct recipe recipe;
    struct digest digest;
    const void *data;
    char back[4096];
    ssize_t done = 0, r;
    int fd;

    init(&scratch);
    put_file(scratch.store.fd, "layers/x/f", text + from, n);
    cr_assert_eq(digest_bytes(DIGEST_SHA256, text, size, &digest, NULL), 0);
    fd = openat(scratch.store.fd, "recipes/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    recipe_init(&recipe, &inner, fd);
    while ((r = recipe_read(&recipe, &data, NULL)) > 0)
        /* As unpack does: when the header, which ends where the content begins, has been read. */
        if (source.place >= from && source.place - (size_t)r < from + (from == 0))
            cr_assert_eq(recipe_note_file(&recipe, from, n, "f"), 0);
    cr_assert_eq(recipe_finish(&recipe, &digest), 0);
    recipe_done(&recipe);
    close(fd);

    cr_assert_eq(layer_tar_open(&tar, &scratch.store, "x", NULL), 0);
    cr_assert_eq(tar.size, size);
    cr_assert(digest_eq(&tar.diff, &digest));
    while ((r = layer_tar_read(
                &tar, back + done,
                sizeof back - (size_t)done < step ? sizeof back - (size_t)done : step, NULL)) > 0)
        done += r;
    cr_assert_eq(r, 0);
    cr_assert_eq(done, (ssize_t)size);
    cr_assert_arr_eq(back, text, size);
}

static ssize_t read_all(struct layer_tar *tar) {
    char part[64];
    ssize_t n;

    do
        n = layer_tar_read(tar, part, sizeof part, NULL);
    while (n > 0);
    return n;
}

/* --- tests -------------------------------------------------------------------- */

Test(recipe, gives_the_same_bytes_whatever_the_blocks) {
    char text[2000] = {0};

    memcpy(text + 3, "a header", 8);
    for (size_t i = 0; i < 700; i++)
        text[512 + i] = (char)(i % 7 ? 'a' + i % 26 : 0);
    memcpy(text + 1500, "\0\0\0\0\0\0\0\0\0another\0\0\0header", 26);
    for (size_t step = 1; step < 2100; step += step < 10 ? 1 : 97)
        check_text(text, sizeof text, 512, 700, step);
}

Test(recipe, of_nothing_but_a_file) {
    check_text("nothing else", 12, 0, 12, 5);
}

Test(recipe, numbers) {
    const unsigned char bytes[] = {0xac, 0x02, 0x00, 0x80};
    const unsigned char *place = bytes, *end = bytes + sizeof bytes;
    uint64_t value;

    cr_assert_eq(recipe_read_number(&place, end, &value), 0);
    cr_assert_eq(value, 300);
    cr_assert_eq(recipe_read_number(&place, end, &value), 0);
    cr_assert_eq(value, 0);
    cr_assert_eq(recipe_read_number(&place, end, &value), -EBADMSG);
}

Test(recipe, damaged) {
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"mayfly recipe 1\n", 16},
        {"mayfly recipe 2\nE\x01sha256:x\x0a", 27},
        {"mayfly recipe 1\nE\x01sha256:x\x0a", 27},
        {"mayfly recipe 1\n\xff", 17},
        {"mayfly recipe 1\nE\x00\x02", 19},
    };
    _cleanup_scratch_ struct scratch scratch;

    init(&scratch);
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct layer_tar tar = LAYER_TAR_INIT;
        struct err err = {0};

        put_file(scratch.store.fd, "recipes/x", cases[i].bytes, cases[i].size);
        cr_assert_eq(layer_tar_open(&tar, &scratch.store, "x", &err), -EBADMSG, "case %zu", i);
        cr_assert(strstr(err.message, "recipe"));
    }
}

/* The end is good, and what stands before it leads nowhere. */
Test(recipe, damaged_in_the_middle) {
    static const char *const middles[] = {"B\x7f", "F\x01\x7f", "F\x01\x80",
                                          "Q\x01", "Z",         "F\x01\x04/../"};
    _cleanup_scratch_ struct scratch scratch;
    struct digest digest;
    char text[DIGEST_TEXT_BYTES];

    init(&scratch);
    cr_assert_eq(digest_bytes(DIGEST_SHA256, "", 0, &digest, NULL), 0);
    for (size_t i = 0; i < N_ELEMENTS(middles); i++) {
        struct layer_tar tar = LAYER_TAR_INIT;
        _cleanup_buf_ struct buf buf = BUF_INIT;
        struct err err = {0};

        buf_puts(&buf, RECIPE_MAGIC);
        buf_puts(&buf, middles[i]);
        buf_puts(&buf, "E\x01");
        buf_puts(&buf, digest_format(&digest, text));
        buf_puts(&buf, "\x49");
        put_file(scratch.store.fd, "recipes/x", buf.data, buf.size);
        cr_assert_eq(layer_tar_open(&tar, &scratch.store, "x", &err), 0, "case %zu: %s", i,
                     err.message);
        cr_assert_lt(read_all(&tar), 0, "case %zu", i);
        layer_tar_close(&tar);
    }
}
