/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar that a layer came from, byte for byte: the recipe (recipe.c) is read
 * from its beginning, and where it names a file the file's content is put in.
 * A file that is shorter or longer than it was, or no file, ends it; one whose
 * bytes have changed only the digest can tell.
 */
#include "layer_tar.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "recipe.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC_BYTES (sizeof RECIPE_MAGIC - 1)

static int is_broken(struct err *err) {
    return err_set(err, -EBADMSG, "its recipe is damaged");
}

/* Reads the recipe's end, whose length its last byte tells. */
static int read_end(struct layer_tar *tar, struct err *err) {
    const unsigned char *end = tar->recipe + tar->recipe_bytes - 1, *place;
    char text[DIGEST_TEXT_BYTES];
    size_t n = *end, n_text;

    if (n < 2 || n + 1 + MAGIC_BYTES > tar->recipe_bytes)
        return is_broken(err);
    place = end - n;
    if (*place++ != RECIPE_END || recipe_read_number(&place, end, &tar->size) < 0)
        return is_broken(err);
    n_text = (size_t)(end - place);
    if (n_text >= sizeof text)
        return is_broken(err);
    memcpy(text, place, n_text);
    text[n_text] = '\0';
    return digest_parse(text, &tar->diff) < 0 ? is_broken(err) : 0;
}

static int map_recipe(struct layer_tar *tar, int fd, struct err *err) {
    struct stat st;
    void *map;

    if (fstat(fd, &st) < 0)
        return err_errno(err, "cannot look at its recipe");
    if (!S_ISREG(st.st_mode) || (uintmax_t)st.st_size < MAGIC_BYTES)
        return is_broken(err);
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return err_errno(err, "cannot read its recipe");
    tar->recipe = map;
    tar->recipe_bytes = (size_t)st.st_size;
    tar->place = tar->recipe + MAGIC_BYTES;
    if (memcmp(tar->recipe, RECIPE_MAGIC, MAGIC_BYTES) != 0)
        return is_broken(err);
    return read_end(tar, err);
}

int layer_tar_open(struct layer_tar *ret_tar, const struct store *store, const char *name,
                   struct err *err) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    _cleanup_close_ int fd = -1;
    char path[16 + NAME_MAX];
    int r;

    snprintf(path, sizeof path, "layers/%s", name);
    tar.tree_fd = openat(store->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tar.tree_fd < 0 && errno == ENOENT)
        return err_set(err, -ENOENT, "it is not there");
    if (tar.tree_fd < 0)
        return err_errno(err, "cannot open it");
    snprintf(path, sizeof path, "recipes/%s", name);
    fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, -ENOENT, "it has no recipe, by which its tar could be made again");
    if (fd < 0)
        return err_errno(err, "cannot open its recipe");
    r = map_recipe(&tar, fd, err);
    if (r < 0)
        return r;
    *ret_tar = tar;
    tar = LAYER_TAR_INIT;
    return 0;
}

int layer_tar_open_at(struct layer_tar *ret_tar, int tree_fd, int recipe_fd, struct err *err) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    int r;

    tar.tree_fd = fcntl(tree_fd, F_DUPFD_CLOEXEC, 3);
    if (tar.tree_fd < 0)
        return err_errno(err, "cannot open it");
    r = map_recipe(&tar, recipe_fd, err);
    if (r < 0)
        return r;
    *ret_tar = tar;
    tar = LAYER_TAR_INIT;
    return 0;
}

void layer_tar_close(struct layer_tar *tar) {
    if (tar->tree_fd >= 0)
        close(tar->tree_fd);
    if (tar->file_fd >= 0)
        close(tar->file_fd);
    if (tar->recipe)
        munmap((void *)tar->recipe, tar->recipe_bytes);
    *tar = LAYER_TAR_INIT;
}

static int open_file(struct layer_tar *tar, struct err *err) {
    const unsigned char *end = tar->recipe + tar->recipe_bytes;
    char path[PATH_MAX];
    uint64_t offset = 0, n;
    struct stat st;

    if (tar->word == RECIPE_PART &&
        (recipe_read_number(&tar->place, end, &offset) < 0 || offset > INT64_MAX))
        return is_broken(err);
    if (recipe_read_number(&tar->place, end, &n) < 0 || n >= sizeof path ||
        n > (uint64_t)(end - tar->place))
        return is_broken(err);
    tar->path = tar->place;
    tar->path_bytes = (size_t)n;
    tar->place += n;
    memcpy(path, tar->path, tar->path_bytes);
    path[n] = '\0';
    tar->file_fd = fd_open_in_root(tar->tree_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (tar->file_fd < 0) {
        int r = tar->file_fd == -ENOENT || tar->file_fd == -ELOOP ? -EBADMSG : tar->file_fd;

        r = err_set(err, r, "cannot open its file '%.200s': %s", path, strerror(-tar->file_fd));
        tar->file_fd = -1;
        return r;
    }
    if (fstat(tar->file_fd, &st) < 0)
        return err_errno(err, "cannot look at its file '%.200s'", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EBADMSG, "'%.200s' in it is no file any more", path);
    if (tar->word == RECIPE_PART)
        return lseek(tar->file_fd, (off_t)offset, SEEK_SET) < 0 ? is_broken(err) : 0;
    if ((uint64_t)st.st_size != tar->left)
        return err_set(err, -EBADMSG, "its file '%.200s' has %jd bytes where there were %ju", path,
                       (intmax_t)st.st_size, (uintmax_t)tar->left);
    return 0;
}

/* Begins with the next part.  Return: 1 at the end, 0, or -errno with a text. */
static int next_part(struct layer_tar *tar, struct err *err) {
    const unsigned char *end = tar->recipe + tar->recipe_bytes;

    if (tar->place >= end)
        return is_broken(err);
    tar->word = *tar->place++;
    if (recipe_read_number(&tar->place, end, &tar->left) < 0)
        return is_broken(err);
    switch (tar->word) {
    case RECIPE_BYTES:
        return tar->left > (uint64_t)(end - tar->place) ? is_broken(err) : 0;
    case RECIPE_ZEROS:
        return 0;
    case RECIPE_FILE:
    case RECIPE_PART:
        return open_file(tar, err);
    case RECIPE_END:
        return 1;
    default:
        return is_broken(err);
    }
}

/* Some bytes of the part.  Return: their number, more than 0, or -errno with a text. */
static ssize_t read_part(struct layer_tar *tar, void *data, size_t size, struct err *err) {
    size_t n = tar->left < size ? (size_t)tar->left : size;
    ssize_t r;

    switch (tar->word) {
    case RECIPE_BYTES:
        memcpy(data, tar->place, n);
        tar->place += n;
        break;
    case RECIPE_ZEROS:
        memset(data, 0, n);
        break;
    default:
        while ((r = read(tar->file_fd, data, n)) < 0 && errno == EINTR)
            ;
        if (r < 0)
            return err_errno(err, "cannot read its file '%.*s'", (int)tar->path_bytes, tar->path);
        if (r == 0)
            return err_set(err, -EBADMSG, "its file '%.*s' ends too early", (int)tar->path_bytes,
                           tar->path);
        n = (size_t)r;
    }
    tar->left -= n;
    return (ssize_t)n;
}

ssize_t layer_tar_read(void *context, void *data, size_t size, struct err *err) {
    struct layer_tar *tar = context;
    size_t done = 0;

    while (done < size && tar->word != RECIPE_END) {
        ssize_t n;

        if (tar->left == 0) {
            int r;

            if (tar->file_fd >= 0)
                close(take_fd(tar->file_fd));
            r = next_part(tar, err);
            if (r < 0)
                return r;
            continue;
        }
        n = read_part(tar, (char *)data + done, size - done, err);
        if (n < 0)
            return n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}
