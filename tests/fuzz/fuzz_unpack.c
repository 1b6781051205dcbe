/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a layer, compressed or not.  Whatever they are, nothing but the
 * layer's own directory may have changed: beside it lies a file that an entry
 * which leads out would meet, and the list of its neighbours is checked.
 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "rootfs/layer_stream.h"
#include "rootfs/unpack.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[256];
static int directory_fd = -1;

static void remove_directory(void) {
    fd_remove_tree(AT_FDCWD, directory);
}

static void make_directory(void) {
    const char *base = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%s/mayfly-fuzz-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory))
        abort();
    atexit(remove_directory);
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0 || mkdirat(directory_fd, "beside", 0700) < 0)
        abort();
    umask(0);
}

/* Whether the scratch directory holds "beside", empty, and nothing else. */
static bool is_untouched(void) {
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fdopendir(fd);
    struct dirent *entry;
    struct stat st;

    while ((entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && !str_eq(entry->d_name, "beside"))
            return false;
    return fstatat(directory_fd, "beside", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mode == (S_IFDIR | 0700) && unlinkat(directory_fd, "beside", AT_REMOVEDIR) == 0 &&
           mkdirat(directory_fd, "beside", 0700) == 0;
}

static void unpack(struct blob *blob, int tree_fd) {
    struct layer_limits limits = {.bytes_left = 16 << 20};
    enum store_owners owners = geteuid() == 0 ? STORE_OWNERS_ROOT : STORE_OWNERS_SINGLE;
    struct layer_stream *stream = NULL;
    struct unpack_count count;
    struct err err = {0};

    if (layer_stream_new(&stream, blob, DIGEST_SHA256, DIGEST_SHA256, &limits, &err) < 0)
        abort();
    (void)unpack_layer(&(const struct unpack_source){.read = layer_stream_read, .context = stream},
                       tree_fd, owners, &count, &err);
    layer_stream_free(stream);
    strv_done(&count.implied);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    _cleanup_close_ int tree_fd = -1;

    if (directory_fd < 0)
        make_directory();
    blob = (struct blob){.fd = memfd_create("layer", MFD_CLOEXEC), .end = BLOB_TO_THE_END};
    if (blob.fd < 0 || fd_write_all(blob.fd, data, size) < 0 ||
        mkdirat(directory_fd, "tree", 0755) < 0)
        abort();
    tree_fd = openat(directory_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unpack(&blob, tree_fd);
    if (fd_remove_tree(directory_fd, "tree") < 0 || !is_untouched())
        abort();
    return 0;
}
