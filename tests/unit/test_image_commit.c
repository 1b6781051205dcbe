/* SPDX-License-Identifier: Apache-2.0 */
/* Upper directories of overlays as layers of new images. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "layout.h"
#include "rootfs/image.h"
#include "rootfs/image_commit.h"
#include "rootfs/image_document.h"
#include "rootfs/image_store.h"
#include "rootfs/layer_tar.h"
#include "rootfs/store_check.h"
#include "rootfs/unpack.h"
#include "scratch.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* --- support ------------------------------------------------------------------ */

/* The image that everything here is made from: one layer, one file. */
static void init(struct scratch *scratch, struct image *base) {
    struct buf tar = BUF_INIT;
    char reference[512];
    struct err err = {0};

    scratch_init(scratch);
    tarball_file(&tar, "old", "old");
    tarball_end(&tar);
    layout_make(scratch, "layout", &(struct layout_layer){.tar = &tar, .filter = "gzip"}, 1,
                "base");
    buf_done(&tar);
    snprintf(reference, sizeof reference, "oci:%s/layout", scratch->path);
    cr_assert_eq(image_import(&scratch->store, reference, NULL, &err), 0, "%s", err.message);
    *base = IMAGE_INIT;
    cr_assert_eq(image_find(base, &scratch->store, reference, &err), 0);
    cr_assert_eq(mkdirat(scratch->store.fd, "runs/r", 0700), 0);
}

static void put(int dir_fd, const char *path, const char *text) {
    _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    cr_assert(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0, "%s", path);
}

/* A file of 3 MB with four bytes in it, far from its ends. */
static void put_holes(int dir_fd, const char *path) {
    _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    cr_assert(fd >= 0 && ftruncate(fd, 3000000) == 0 && pwrite(fd, "data", 4, 2000000) == 4);
}

/* What an overlay may leave in its upper directory. */
static int make_upper(const struct scratch *scratch, const char *name) {
    const struct timespec times[2] = {{.tv_sec = 1234, .tv_nsec = 567},
                                      {.tv_sec = 1234, .tv_nsec = 567}};
    char long_name[201], path[512];
    int fd;

    snprintf(path, sizeof path, "runs/r/%s", name);
    cr_assert_eq(mkdirat(scratch->store.fd, path, 0755), 0);
    fd = openat(scratch->store.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    put(fd, "new", "a new file");
    put(fd, "empty", "");
    cr_assert_eq(linkat(fd, "new", fd, "zz-also-new", 0), 0);
    cr_assert_eq(symlinkat("/etc/passwd", fd, "link"), 0);
    cr_assert_eq(mkfifoat(fd, "fifo", 0622), 0);
    cr_assert_eq(mkdirat(fd, "dir", 0750), 0);
    put(fd, "dir/a", "in a directory");
    cr_assert_eq(mknodat(fd, "old", S_IFCHR | 0600, makedev(0, 0)), 0);
    cr_assert_eq(mkdirat(fd, "fresh", 0700), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d/fresh", fd);
    cr_assert_eq(setxattr(path, "user.overlay.opaque", "y", 1, 0), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d/new", fd);
    cr_assert_eq(setxattr(path, "user.kept", "a\0value\n", 8, 0), 0);
    cr_assert_eq(setxattr(path, "user.overlay.origin", "x", 1, 0), 0);
    memset(long_name, 'n', 200);
    long_name[200] = '\0';
    put(fd, long_name, "long");
    put_holes(fd, "holes");
    cr_assert_eq(utimensat(fd, "new", times, 0), 0);
    cr_assert_eq(utimensat(fd, "dir", times, 0), 0);
    cr_assert_eq(fchmodat(fd, "empty", 04755, 0), 0);
    return fd;
}

/* Compares an entry of two trees by all that a layer keeps. */
static void compare(int a_fd, int b_fd, const char *name) {
    char a_path[512], b_path[512], value[32];
    struct stat a, b;

    cr_assert_eq(fstatat(a_fd, name, &a, AT_SYMLINK_NOFOLLOW), 0, "%s", name);
    cr_assert_eq(fstatat(b_fd, name, &b, AT_SYMLINK_NOFOLLOW), 0, "%s is missing", name);
    cr_assert_eq(a.st_mode, b.st_mode, "%s has another mode", name);
    cr_assert(a.st_uid == b.st_uid && a.st_gid == b.st_gid, "%s", name);
    cr_assert(S_ISDIR(a.st_mode) || a.st_size == b.st_size, "%s", name);
    cr_assert(S_ISDIR(a.st_mode) || a.st_nlink == b.st_nlink, "%s", name);
    cr_assert_eq(a.st_rdev, b.st_rdev, "%s", name);
    /* Whiteouts have no time that anybody sees. */
    cr_assert(S_ISCHR(a.st_mode) ||
                  (a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec),
              "%s has another time", name);
    snprintf(a_path, sizeof a_path, "/proc/self/fd/%d/%s", a_fd, name);
    snprintf(b_path, sizeof b_path, "/proc/self/fd/%d/%s", b_fd, name);
    cr_assert_eq(lgetxattr(a_path, "user.kept", value, sizeof value),
                 lgetxattr(b_path, "user.kept", value, sizeof value), "%s", name);
    cr_assert_eq(lgetxattr(a_path, "user.overlay.opaque", value, sizeof value),
                 lgetxattr(b_path, "user.overlay.opaque", value, sizeof value), "%s", name);
}

static void compare_trees(int a_fd, int b_fd) {
    static const char *const names[] = {"new", "empty", "zz-also-new", "link",  "fifo",
                                        "dir", "dir/a", "old",         "fresh", "holes"};
    struct stat st;
    char text[8] = "";
    int fd;

    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        compare(a_fd, b_fd, names[i]);
    cr_assert_eq(fstatat(b_fd, "holes", &st, 0), 0);
    cr_assert_lt(st.st_blocks, 100, "the holes are filled");
    fd = openat(b_fd, "holes", O_RDONLY | O_CLOEXEC);
    cr_assert(pread(fd, text, 4, 2000000) == 4 && strcmp(text, "data") == 0);
    close(fd);
}

/* An unpack_source of a layer. */
struct layer_source {
    struct layer_tar tar;
    char part[1000];
};

static ssize_t read_layer(void *context, const void **ret_data, struct err *err) {
    struct layer_source *s = context;

    *ret_data = s->part;
    return layer_tar_read(&s->tar, s->part, sizeof s->part, err);
}

/* Unpacks a layer's tar into the scratch directory's @name; a descriptor of it. */
static int unpack(const struct scratch *scratch, const char *layer, const char *name) {
    struct layer_source source = {.tar = LAYER_TAR_INIT};
    struct unpack_count count;
    struct err err = {0};
    mode_t mask = umask(0);
    int fd;

    cr_assert_eq(mkdirat(scratch->fd, name, 0700), 0);
    fd = openat(scratch->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(layer_tar_open(&source.tar, &scratch->store, layer, &err), 0, "%s", err.message);
    cr_assert_eq(unpack_layer(&(const struct unpack_source){.read = read_layer, .context = &source},
                              fd, scratch->store.owners, &count, &err),
                 0, "%s", err.message);
    strv_done(&count.implied);
    layer_tar_close(&source.tar);
    umask(mask);
    return fd;
}

static void complain(void *context, const struct store_finding *finding) {
    (void)context;
    cr_assert_neq(finding->level, STORE_FINDING_BROKEN, "%s: %s", finding->topic, finding->text);
}

static void assert_whole(const struct scratch *scratch) {
    struct err err = {0};

    cr_assert_eq(store_check(&scratch->store, complain, NULL, &err), 0, "%s", err.message);
}

/* --- tests -------------------------------------------------------------------- */

Test(image_commit, an_upper_directory_becomes_a_layer) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_free_ char *id = NULL;
    struct image base, image = IMAGE_INIT;
    struct image_commit commit = {.base = &base, .upper = "upper", .name = "mine:1"};
    int upper_fd, back_fd, r;
    struct err err = {0};
    struct stat before, after;
    char path[256];

    init(&scratch, &base);
    upper_fd = make_upper(&scratch, "upper");
    cr_assert_eq(fstat(upper_fd, &before), 0);
    commit.parent_fd = openat(scratch.store.fd, "runs/r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = image_commit(&scratch.store, &commit, NULL, &id, &err);
    cr_assert_eq(r, 0, "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "mine:1", &err), 0);
    cr_assert_str_eq(image.id, id);
    cr_assert_eq(image.layers.n, 2);
    cr_assert_str_eq(image.layers.items[0], base.layers.items[0]);
    /* Nothing was copied: it is the same directory. */
    cr_assert_eq(faccessat(commit.parent_fd, "upper", F_OK, 0), -1);
    snprintf(path, sizeof path, "%s", image.layers.items[1]);
    cr_assert_eq(fstatat(scratch.store.fd, path, &after, 0), 0);
    cr_assert_eq(before.st_ino, after.st_ino);
    back_fd = unpack(&scratch, str_after(path, "layers/"), "back");
    compare_trees(upper_fd, back_fd);
    assert_whole(&scratch);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
    image_done(&base);
    image_done(&image);
    close(upper_fd);
    close(back_fd);
    close(commit.parent_fd);
}

Test(image_commit, a_copy_leaves_the_upper_directory) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_free_ char *id = NULL, *again = NULL;
    struct image base, image = IMAGE_INIT;
    struct image_commit commit = {.base = &base,
                                  .upper = "upper",
                                  .keep = true,
                                  .name = "mine",
                                  .created = "2020-01-01T00:00:00Z"};
    int upper_fd, copy_fd;
    struct err err = {0};

    init(&scratch, &base);
    upper_fd = make_upper(&scratch, "upper");
    commit.parent_fd = openat(scratch.store.fd, "runs/r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(image_commit(&scratch.store, &commit, NULL, &id, &err), 0, "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "mine", &err), 0);
    copy_fd = openat(scratch.store.fd, image.layers.items[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    compare_trees(upper_fd, copy_fd);
    assert_whole(&scratch);
    /* The same again is the same image. */
    cr_assert_eq(image_commit(&scratch.store, &commit, NULL, &again, &err), 0, "%s", err.message);
    cr_assert_str_eq(id, again);
    cr_assert_eq(scratch_count(&scratch, "layers"), 2);
    image_done(&base);
    image_done(&image);
    close(upper_fd);
    close(copy_fd);
    close(commit.parent_fd);
}

Test(image_commit, the_configuration_is_changed_and_what_is_not_known_stays) {
    static const char before[] =
        "{\"os\":\"linux\",\"architecture\":\"arm64\",\"config\":{\"Env\":[\"A=1\"],"
        "\"Healthcheck\":"
        "{\"Test\":[\"NONE\"]},\"Cmd\":[\"x\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
        "\"history\":[{\"created_by\":\"someone\"}],\"extra\":7}";
    char *env[] = {"B=2", NULL}, *labels[] = {"k=v=w", NULL}, *ports[] = {"80/tcp", NULL};
    const struct image_config config = {.env = {.items = env, .n = 1},
                                        .labels = {.items = labels, .n = 1},
                                        .exposed_ports = {.items = ports, .n = 1},
                                        .user = "me"};
    const struct digest ids[] = {{.hex = "aa"}, {.hex = "bb"}};
    const struct image_change change = {.config = &config,
                                        .created = "2020-01-01T00:00:00Z",
                                        .created_by = "mayfly",
                                        .comment = "why",
                                        .architecture = "amd64",
                                        .diff_ids = ids,
                                        .n_diff_ids = 2};
    _cleanup_free_ char *text = NULL;
    struct err err = {0};

    cr_assert_eq(image_document_change(before, &change, &text, &err), 0, "%s", err.message);
    cr_assert_str_eq(
        text,
        "{\"os\":\"linux\",\"architecture\":\"arm64\",\"config\":{\"Env\":[\"B=2\"],"
        "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"ExposedPorts\":{\"80/tcp\":{}},\"Labels\":{"
        "\"k\":\"v=w\"},\"User\":\"me\"},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
        "\"sha256:aa\",\"sha256:bb\"]},\"history\":[{\"created_by\":\"someone\"},{\"created\":"
        "\"2020-01-01T00:00:00Z\",\"created_by\":\"mayfly\",\"comment\":\"why\"}],\"extra\":7,"
        "\"created\":\"2020-01-01T00:00:00Z\"}");
}

Test(image_commit, of_no_further_layer_changes_the_configuration_alone) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_free_ char *id = NULL;
    char *cmd[] = {"/bin/sh", NULL};
    const struct image_config config = {.cmd = {.items = cmd, .n = 1}};
    struct image base, image = IMAGE_INIT;
    const struct image_commit commit = {.base = &base, .config = &config, .name = "mine"};
    struct err err = {0};

    init(&scratch, &base);
    cr_assert_eq(image_commit(&scratch.store, &commit, NULL, &id, &err), 0, "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "mine", &err), 0);
    cr_assert_eq(image.layers.n, 1);
    cr_assert_eq(image.config.cmd.n, 1);
    cr_assert_str_eq(image.config.cmd.items[0], "/bin/sh");
    cr_assert_str_neq(image.id, base.id);
    assert_whole(&scratch);
    image_done(&base);
    image_done(&image);
}

Test(image_commit, refuses_names_that_no_image_can_have_and_removals_by_name) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_free_ char *id = NULL;
    struct image base;
    struct image_commit commit = {.base = &base, .upper = "upper", .name = "Mine"};
    struct err err = {0};
    int upper_fd;

    init(&scratch, &base);
    upper_fd = make_upper(&scratch, "upper");
    commit.parent_fd = openat(scratch.store.fd, "runs/r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_lt(image_commit(&scratch.store, &commit, NULL, &id, &err), 0);
    cr_assert_not_null(strstr(err.message, "Mine"));
    commit.name = "mine";
    put(upper_fd, "dir/.wh.x", "");
    cr_assert_lt(image_commit(&scratch.store, &commit, NULL, &id, &err), 0);
    cr_assert_not_null(strstr(err.message, "dir/.wh.x"), "%s", err.message);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
    cr_assert_eq(scratch_count(&scratch, "layers"), 1);
    cr_assert_eq(faccessat(commit.parent_fd, "upper", F_OK, 0), 0);
    image_done(&base);
    close(upper_fd);
    close(commit.parent_fd);
}
