/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer lies in the store as a tree, and its digest is that of a tar, which
 * no tree brings back: the order of the entries, the kind of headers, even the
 * padding are its maker's.  So everything in the tar that is no file's content
 * is noted, and for contents the file's name.  With that the very same bytes can be
 * written again (layer_tar.c), be it to save an image or to prove that the tree
 * is still what was announced.
 *
 * The blocks pass through here on their way to libarchive.  What of a block is
 * content, unpack.c says when it has read the entry's header, and libarchive
 * asks for the next block only when this one is used up; so a block is noted
 * when the next is asked for.  Headers are zeros for the most part, and runs of
 * zeros are all that is compressed: a hundredth of the layer's size remains.
 */
#include "recipe.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <errno.h>
#include <string.h>

enum {
    ZEROS_MIN = 8, /* shorter runs stay what they are */
    FLUSH_BYTES = 64 << 10,
};

struct recipe_file {
    uint64_t offset;
    uint64_t size;
    char *path;
};

void recipe_init(struct recipe *recipe, const struct unpack_source *source, int fd) {
    *recipe = (struct recipe){.source = source, .fd = fd};
    buf_puts(&recipe->out, RECIPE_MAGIC);
}

void recipe_done(struct recipe *recipe) {
    for (size_t i = 0; i < recipe->n_files; i++)
        free(recipe->files[i].path);
    free(recipe->files);
    buf_done(&recipe->out);
    *recipe = (struct recipe){.fd = -1};
}

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void put_number(struct buf *buf, uint64_t value) {
    unsigned char bytes[10];
    size_t n = 0;

    do {
        bytes[n] = (unsigned char)(value & 0x7f);
        value >>= 7;
        if (value)
            bytes[n] |= 0x80;
        n++;
    } while (value);
    buf_append(buf, bytes, n);
}

int recipe_read_number(const unsigned char **place, const unsigned char *end, uint64_t *ret_value) {
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && *place < end; shift += 7) {
        unsigned char byte = *(*place)++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return 0;
        }
    }
    return -EBADMSG;
}

static void put_word(struct buf *buf, enum recipe_word word, uint64_t value) {
    const char letter = (char)word;

    buf_append(buf, &letter, 1);
    put_number(buf, value);
}

static void flush(struct recipe *recipe) {
    int r = buf_failed(&recipe->out) ? -ENOMEM : 0;

    if (r == 0 && recipe->error == 0)
        r = fd_write_all(recipe->fd, recipe->out.data, recipe->out.size);
    if (recipe->error == 0)
        recipe->error = r;
    recipe->out.size = 0;
}

static void put_bytes(struct recipe *recipe, const unsigned char *data, size_t size) {
    size_t start = 0, i = 0;

    while (i < size) {
        size_t n = 0;

        if (data[i] != 0) {
            i++;
            continue;
        }
        while (i + n < size && data[i + n] == 0)
            n++;
        if (n >= ZEROS_MIN) {
            if (i > start) {
                put_word(&recipe->out, RECIPE_BYTES, i - start);
                buf_append(&recipe->out, data + start, i - start);
            }
            put_word(&recipe->out, RECIPE_ZEROS, n);
            start = i + n;
        }
        i += n;
    }
    if (size > start) {
        put_word(&recipe->out, RECIPE_BYTES, size - start);
        buf_append(&recipe->out, data + start, size - start);
    }
}

static void put_path(struct recipe *recipe, const char *path) {
    size_t n = strlen(path);

    put_number(&recipe->out, n);
    buf_append(&recipe->out, path, n);
}

static void put_file(struct recipe *recipe, const char *path, uint64_t size) {
    put_word(&recipe->out, RECIPE_FILE, size);
    put_path(recipe, path);
}

/* Notes the block that is used up; a file's content may go on in the next. */
static void note_block(struct recipe *recipe) {
    uint64_t at = recipe->offset, end = recipe->offset + recipe->block_bytes;
    size_t i = 0;

    while (i < recipe->n_files && recipe->files[i].offset < end) {
        struct recipe_file *file = &recipe->files[i];
        uint64_t stop = file->offset + file->size;

        if (file->offset > at)
            put_bytes(recipe, recipe->block + (at - recipe->offset), (size_t)(file->offset - at));
        if (file->path) {
            put_file(recipe, file->path, file->size);
            free(file->path);
            file->path = NULL;
        }
        at = stop < end ? stop : end;
        if (stop > end)
            break;
        i++;
    }
    if (at < end)
        put_bytes(recipe, recipe->block + (at - recipe->offset), (size_t)(end - at));
    if (i > 0)
        memmove(recipe->files, recipe->files + i, (recipe->n_files - i) * sizeof *recipe->files);
    recipe->n_files -= i;
    recipe->offset = end;
    recipe->block_bytes = 0;
    if (recipe->out.size > FLUSH_BYTES)
        flush(recipe);
}

ssize_t recipe_read(void *context, const void **ret_data, struct err *err) {
    struct recipe *recipe = context;
    ssize_t n;

    note_block(recipe);
    n = recipe->source->read(recipe->source->context, ret_data, err);
    if (n > 0) {
        recipe->block = *ret_data;
        recipe->block_bytes = (size_t)n;
    }
    return n;
}

int recipe_note_file(struct recipe *recipe, uint64_t offset, uint64_t size, const char *path) {
    struct recipe_file *files;

    if (size == 0)
        return 0;
    if (recipe->n_files == recipe->files_capacity) {
        size_t capacity = recipe->files_capacity ? recipe->files_capacity * 2 : 64;

        files = reallocarray(recipe->files, capacity, sizeof *files);
        if (!files)
            return -ENOMEM;
        recipe->files = files;
        recipe->files_capacity = capacity;
    }
    files = &recipe->files[recipe->n_files];
    *files = (struct recipe_file){.offset = offset, .size = size, .path = strdup(path)};
    if (!files->path)
        return -ENOMEM;
    recipe->n_files++;
    return 0;
}

void recipe_put_bytes(struct recipe *recipe, const void *data, size_t size) {
    put_bytes(recipe, data, size);
    recipe->offset += size;
    if (recipe->out.size > FLUSH_BYTES)
        flush(recipe);
}

void recipe_put_file(struct recipe *recipe, const char *path, uint64_t size) {
    if (size > 0)
        put_file(recipe, path, size);
    recipe->offset += size;
}

void recipe_put_part(struct recipe *recipe, const char *path, uint64_t offset, uint64_t size) {
    put_word(&recipe->out, RECIPE_PART, size);
    put_number(&recipe->out, offset);
    put_path(recipe, path);
    recipe->offset += size;
}

void recipe_note_loss(struct recipe *recipe) {
    recipe->lost = true;
}

int recipe_finish(struct recipe *recipe, const struct digest *diff) {
    char text[DIGEST_TEXT_BYTES];
    unsigned char n_end;
    size_t before;

    note_block(recipe);
    before = recipe->out.size;
    put_word(&recipe->out, RECIPE_END, recipe->offset);
    buf_puts(&recipe->out, digest_format(diff, text));
    n_end = (unsigned char)(recipe->out.size - before);
    buf_append(&recipe->out, &n_end, 1);
    flush(recipe);
    errno = -recipe->error;
    return recipe->error;
}
