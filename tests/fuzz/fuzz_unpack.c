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

/*
 * Makes the sums of changed headers right, so that what stands in them is looked at.
 * Spec: POSIX.1-2017, pax, "ustar Interchange Format": magic at 257, sum at 148.
 */
void fuzz_mend(uint8_t *data, size_t size);
void fuzz_mend(uint8_t *data, size_t size) {
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint8_t *header = data + at;
        unsigned sum = 0;
        char digits[9];

        if (memcmp(header + 257, "ustar", 5) != 0)
            continue;
        memset(header + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += header[i];
        snprintf(digits, sizeof digits, "%06o", sum);
        memcpy(header + 148, digits, 7); /* its end a NUL */
    }
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
