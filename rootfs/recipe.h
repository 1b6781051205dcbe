/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RECIPE_H
#define MAYFLY_RECIPE_H

#include "digest.h"
#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "unpack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a recipe begins with. */
#define RECIPE_MAGIC "mayfly recipe 1\n"

/**
 * enum recipe_word - what a part of the tar is made of; a number (recipe_read_number()) follows
 *
 * RECIPE_FILE: then a number and as many bytes: the path of a regular file of the tree.
 * RECIPE_PART: then where in the file it begins, and the path as above.
 * RECIPE_END: then the digest of it all as text; the recipe's last byte is the length of this end.
 */
enum recipe_word {
    RECIPE_BYTES = 'B', /* so many bytes follow */
    RECIPE_ZEROS = 'Z', /* so many zeros */
    RECIPE_FILE = 'F',  /* so many bytes, all of a file's content */
    RECIPE_PART = 'P',  /* so many bytes of a file's content */
    RECIPE_END = 'E',   /* so many bytes in all */
};

/**
 * struct recipe - what a layer's tar consists of, noted while it is read
 *
 * An unpack_source in front of another one (recipe_read()).
 */
struct recipe {
    const struct unpack_source *source;
    int fd;
    struct buf out;
    const unsigned char *block; /* lent by the source, not noted yet */
    size_t block_bytes;
    uint64_t offset; /* of the block in the tar */
    struct recipe_file *files;
    size_t n_files;
    size_t files_capacity;
    bool lost;
    int error;
};

/**
 * recipe_init() - begin
 * @source: lent: where the tar comes from; NULL: recipe_put_*() says what is in it
 * @fd: lent: an empty file, which the recipe is written to
 */
void recipe_init(struct recipe *recipe, const struct unpack_source *source, int fd);

/** recipe_read() - as unpack_source's; @context is a struct recipe. */
ssize_t recipe_read(void *context, const void **ret_data, struct err *err);

/**
 * recipe_note_file() - a file's content is next
 * @offset: where in the tar it begins
 * @path: normalised
 *
 * Return: 0 or -ENOMEM.
 */
int recipe_note_file(struct recipe *recipe, uint64_t offset, uint64_t size, const char *path);

/** recipe_note_loss() - a file that was noted is no more, so the tar cannot be made again. */
void recipe_note_loss(struct recipe *recipe);

/** recipe_put_bytes() - without a source: bytes are next. */
void recipe_put_bytes(struct recipe *recipe, const void *data, size_t size);

/** recipe_put_file() - without a source: all of a file's content is next. */
void recipe_put_file(struct recipe *recipe, const char *path, uint64_t size);

/** recipe_put_part() - without a source: @size bytes of a file's content are next. */
void recipe_put_part(struct recipe *recipe, const char *path, uint64_t offset, uint64_t size);

/**
 * recipe_finish() - write the rest
 * @diff: the digest of the tar
 *
 * After recipe_read() has answered 0.
 * Return: 0 or -errno without a text, errno set.
 */
int recipe_finish(struct recipe *recipe, const struct digest *diff);

void recipe_done(struct recipe *recipe);

/**
 * recipe_read_number() - read a number of a recipe
 * @place: moved behind it
 *
 * Return: 0, or -EBADMSG at @end.
 */
int recipe_read_number(const unsigned char **place, const unsigned char *end, uint64_t *ret_value);

#endif
