/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "rootfs/unpack.h"
#include "scratch.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* A tar that is handed out in pieces. */
struct pieces {
    const struct buf *tar;
    size_t used;
    size_t piece_bytes;
};

static ssize_t read_piece(void *context, const void **ret_data, struct err *err) {
    struct pieces *p = context;
    size_t n = p->tar->size - p->used;

    (void)err;
    if (n > p->piece_bytes)
        n = p->piece_bytes;
    *ret_data = p->tar->data + p->used;
    p->used += n;
    return (ssize_t)n;
}

/* Unpacks into the scratch directory's "tree"; the result, and what it was. */
static int unpack_counted(struct scratch *scratch, struct buf *tar, struct unpack_count *count,
                          struct err *err) {
    struct pieces pieces = {.tar = tar, .piece_bytes = 4096};
    const struct unpack_source source = {.read = read_piece, .context = &pieces};
    _cleanup_close_ int fd = -1;

    *err = (struct err){0};
    umask(0);
    cr_assert_eq(mkdirat(scratch->fd, "tree", 0755), 0);
    fd = openat(scratch->fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return unpack_layer(&source, fd, scratch_owners(), count, err);
}

static int unpack(struct scratch *scratch, struct buf *tar, struct err *err) {
    struct unpack_count count;
    int r = unpack_counted(scratch, tar, &count, err);

    strv_done(&count.implied);
    return r;
}

/* Ends the tar, unpacks it, and frees it. */
static void unpack_fine(struct scratch *scratch, struct buf *tar) {
    struct err err;

    tarball_end(tar);
    cr_assert_eq(unpack(scratch, tar, &err), 0, "%s", err.message);
    buf_done(tar);
}

static void unpack_refused(struct buf *tar, int code, const char *text) {
    _cleanup_scratch_ struct scratch scratch;
    struct err err;

    scratch_init(&scratch);
    tarball_end(tar);
    cr_assert_eq(unpack(&scratch, tar, &err), code, "%s: %d %s", text, err.code, err.message);
    cr_assert_not_null(strstr(err.message, text), "%s", err.message);
    buf_done(tar);
}

static struct stat look(const struct scratch *scratch, const char *path) {
    char full[512];
    struct stat st;

    snprintf(full, sizeof full, "tree/%s", path);
    cr_assert_eq(fstatat(scratch->fd, full, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", path);
    return st;
}

static bool is_there(const struct scratch *scratch, const char *path) {
    char full[512];

    snprintf(full, sizeof full, "tree/%s", path);
    return faccessat(scratch->fd, full, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_content(const struct scratch *scratch, const char *path, const char *content) {
    _cleanup_free_ char *text = NULL;
    char full[512];

    snprintf(full, sizeof full, "tree/%s", path);
    cr_assert_eq(fd_read_file(scratch->fd, full, 1 << 20, &text, NULL), 0, "%s", path);
    cr_assert_str_eq(text, content);
}

static void assert_link(const struct scratch *scratch, const char *path, const char *target) {
    char full[512], text[512];
    ssize_t n;

    snprintf(full, sizeof full, "tree/%s", path);
    n = readlinkat(scratch->fd, full, text, sizeof text - 1);
    cr_assert_geq(n, 0, "%s", path);
    text[n] = '\0';
    cr_assert_str_eq(text, target);
}

static bool is_whiteout(const struct scratch *scratch, const char *path) {
    struct stat st = look(scratch, path);

    return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool has_xattr(const struct scratch *scratch, const char *path, const char *name,
                      const char *value) {
    char full[640], text[64];
    ssize_t n;

    snprintf(full, sizeof full, "%s/tree/%s", scratch->path, path);
    n = lgetxattr(full, name, text, sizeof text);
    return n == (ssize_t)strlen(value) && memcmp(text, value, (size_t)n) == 0;
}

Test(unpack, files_directories_links) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    struct stat st;

    scratch_init(&scratch);
    tarball_add(&tar,
                &(struct tar_entry){.name = "./", .type = '5', .mode = 0750, .mtime = 1000000000});
    tarball_add(
        &tar, &(struct tar_entry){.name = "./d/", .type = '5', .mode = 0555, .mtime = 1234567890});
    tarball_add(&tar, &(struct tar_entry){
                          .name = "./d/f", .mode = 0440, .mtime = 1111111111, .data = "hello"});
    tarball_add(&tar, &(struct tar_entry){.name = "./d/empty"});
    tarball_add(&tar, &(struct tar_entry){
                          .name = "./s", .type = '2', .link = "../../up", .mtime = 1222222222});
    tarball_add(&tar, &(struct tar_entry){.name = "./h", .type = '1', .link = "./d/f"});
    tarball_add(&tar, &(struct tar_entry){.name = "./suid", .mode = 06755, .data = "x"});
    tarball_add(&tar, &(struct tar_entry){.name = "./fifo", .type = '6', .mode = 0622});
    tarball_file(&tar, "made/on/the/way", "w");
    unpack_fine(&scratch, &tar);

    st = look(&scratch, "");
    cr_assert_eq(st.st_mode, S_IFDIR | 0750);
    cr_assert_eq(st.st_mtime, 1000000000);
    st = look(&scratch, "d");
    cr_assert_eq(st.st_mode, S_IFDIR | 0555);
    cr_assert_eq(st.st_mtime, 1234567890);
    st = look(&scratch, "d/f");
    cr_assert_eq(st.st_mode, S_IFREG | 0440);
    cr_assert_eq(st.st_mtime, 1111111111);
    cr_assert_eq(st.st_nlink, 2);
    cr_assert_eq(st.st_ino, look(&scratch, "h").st_ino);
    assert_content(&scratch, "d/f", "hello");
    assert_content(&scratch, "d/empty", "");
    assert_link(&scratch, "s", "../../up");
    cr_assert_eq(look(&scratch, "s").st_mtime, 1222222222);
    cr_assert_eq(look(&scratch, "suid").st_mode, S_IFREG | 06755);
    cr_assert_eq(look(&scratch, "fifo").st_mode, S_IFIFO | 0622);
    cr_assert_eq(look(&scratch, "made/on").st_mode, S_IFDIR | 0755);
}

Test(unpack, owners) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    bool root = geteuid() == 0;

    scratch_init(&scratch);
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5', .uid = 7, .gid = 8});
    tarball_add(&tar, &(struct tar_entry){.name = "d/f", .uid = 70000, .gid = 3000000000u});
    tarball_add(&tar, &(struct tar_entry){.name = "d/s", .type = '2', .link = "f", .uid = 5});
    tarball_add(&tar, &(struct tar_entry){.name = "suid", .mode = 04755, .uid = 9, .gid = 9});
    unpack_fine(&scratch, &tar);
    cr_assert_eq(look(&scratch, "d").st_uid, root ? 7 : geteuid());
    cr_assert_eq(look(&scratch, "d").st_gid, root ? 8 : getegid());
    cr_assert_eq(look(&scratch, "d/f").st_uid, root ? 70000 : geteuid());
    cr_assert_eq(look(&scratch, "d/f").st_gid, root ? 3000000000u : getegid());
    cr_assert_eq(look(&scratch, "d/s").st_uid, root ? 5 : geteuid());
    /* chown(2) drops the bit, so it has to be set after. */
    cr_assert_eq(look(&scratch, "suid").st_mode & 07777, 04755);
}

Test(unpack, names_of_any_bytes_and_length) {
    static const char composed[] = "caf\xc3\xa9", decomposed[] = "cafe\xcc\x81",
                      latin[] = "caf\xe9";
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT, name = BUF_INIT;

    scratch_init(&scratch);
    tarball_pax("path", composed, strlen(composed));
    tarball_file(&tar, "x", "composed");
    tarball_pax("path", decomposed, strlen(decomposed));
    tarball_file(&tar, "x", "decomposed");
    tarball_file(&tar, latin, "latin");
    tarball_file(&tar, "new\nline\t\x1b", "odd");
    for (int i = 0; i < 10; i++)
        buf_printf(&name, "%s%0200d", i ? "/" : "", i);
    tarball_pax("path", name.data, name.size);
    tarball_file(&tar, "x", "long");
    tarball_pax("linkpath", name.data, name.size);
    tarball_add(&tar, &(struct tar_entry){.name = "longlink", .type = '2', .link = "x"});
    unpack_fine(&scratch, &tar);
    assert_content(&scratch, composed, "composed");
    assert_content(&scratch, decomposed, "decomposed");
    assert_content(&scratch, latin, "latin");
    assert_content(&scratch, "new\nline\t\x1b", "odd");
    cr_assert_eq(look(&scratch, "longlink").st_size, (off_t)name.size);
    buf_done(&name);
}

Test(unpack, times_to_the_nanosecond) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    struct stat st;

    scratch_init(&scratch);
    tarball_pax("mtime", "1600000000.123456789", 20);
    tarball_file(&tar, "f", "");
    tarball_pax("mtime", "1600000001.000000001", 20);
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5'});
    unpack_fine(&scratch, &tar);
    st = look(&scratch, "f");
    cr_assert_eq(st.st_mtim.tv_sec, 1600000000);
    cr_assert_eq(st.st_mtim.tv_nsec, 123456789);
    st = look(&scratch, "d");
    cr_assert_eq(st.st_mtim.tv_sec, 1600000001);
    cr_assert_eq(st.st_mtim.tv_nsec, 1);
}

Test(unpack, attributes_but_none_that_steer_overlayfs) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_pax("SCHILY.xattr.user.kind", "tea", 3);
    tarball_pax("SCHILY.xattr.user.overlay.opaque", "y", 1);
    tarball_pax("SCHILY.xattr.trusted.overlay.redirect", "/etc", 4);
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5', .mode = 0500});
    tarball_pax("SCHILY.xattr.user.kind", "coffee", 6);
    tarball_pax("SCHILY.xattr.user.overlay.metacopy", "", 0);
    tarball_add(&tar, &(struct tar_entry){.name = "f", .mode = 0444, .data = "x"});
    unpack_fine(&scratch, &tar);
    cr_assert(has_xattr(&scratch, "d", "user.kind", "tea"));
    cr_assert(has_xattr(&scratch, "f", "user.kind", "coffee"));
    cr_assert(!has_xattr(&scratch, "d", "user.overlay.opaque", "y"));
    cr_assert(!has_xattr(&scratch, "d", "trusted.overlay.redirect", "/etc"));
    cr_assert(!has_xattr(&scratch, "f", "user.overlay.metacopy", ""));
    cr_assert_eq(look(&scratch, "f").st_mode & 07777, 0444);
}

Test(unpack, capabilities_are_kept_for_root) {
    /* cap_net_bind_service=ep; Spec: capabilities(7), VFS_CAP_REVISION_2 */
    static const char value[20] = {1, 0, 0, 2, 0, 4};
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    struct unpack_count count;
    struct err err;
    char path[320], back[64];
    ssize_t n;

    scratch_init(&scratch);
    tarball_pax("SCHILY.xattr.security.capability", value, sizeof value);
    tarball_add(&tar, &(struct tar_entry){.name = "f", .mode = 0755, .uid = 3, .data = "x"});
    tarball_end(&tar);
    cr_assert_eq(unpack_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
    buf_done(&tar);
    snprintf(path, sizeof path, "%s/tree/f", scratch.path);
    n = getxattr(path, "security.capability", back, sizeof back);
    if (geteuid() == 0) {
        cr_assert_eq(n, (ssize_t)sizeof value);
        cr_assert_eq(memcmp(back, value, sizeof value), 0);
    } else
        cr_assert_eq(count.n_xattrs, 1);
}

Test(unpack, devices_are_left_out_and_counted) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    struct unpack_count count;
    struct err err;

    scratch_init(&scratch);
    tarball_add(&tar, &(struct tar_entry){.name = "dev/sda", .type = '4'});
    tarball_add(&tar, &(struct tar_entry){.name = "dev/null", .type = '3'});
    tarball_file(&tar, "dev/file", "f");
    tarball_end(&tar);
    cr_assert_eq(unpack_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
    buf_done(&tar);
    cr_assert_eq(count.n_devices, 2);
    strv_done(&count.implied);
    cr_assert(!is_there(&scratch, "dev/sda"));
    cr_assert(!is_there(&scratch, "dev/null"));
    cr_assert(is_there(&scratch, "dev/file"));
}

Test(unpack, whiteouts_behind_a_link_mean_nothing) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_add(&tar, &(struct tar_entry){.name = "log", .type = '2', .link = "/tmp"});
    tarball_file(&tar, "log/x", "x");
    tarball_file(&tar, "log/.wh.gone", "");
    tarball_file(&tar, "log/.wh..wh..opq", "");
    tarball_file(&tar, "log/y", "y");
    unpack_fine(&scratch, &tar);
    assert_link(&scratch, "log", "/tmp");
    assert_content(&scratch, "tmp/x", "x");
    assert_content(&scratch, "tmp/y", "y");
    cr_assert(!is_there(&scratch, "tmp/gone"));
    cr_assert(!has_xattr(&scratch, "tmp", "user.overlay.opaque", "y"));
}

Test(unpack, tells_which_directories_were_only_implied) {
    _cleanup_scratch_ struct scratch scratch;
    struct unpack_count count;
    struct buf tar = BUF_INIT;
    struct err err;

    scratch_init(&scratch);
    tarball_file(&tar, "a/b/c", "c");
    tarball_file(&tar, "d/e/f", "f");
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5', .mode = 0700});
    tarball_end(&tar);
    cr_assert_eq(unpack_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
    cr_assert_eq(count.implied.n, 3);
    cr_assert_str_eq(count.implied.items[0], "a");
    cr_assert_str_eq(count.implied.items[1], "a/b");
    cr_assert_str_eq(count.implied.items[2], "d/e");
    strv_done(&count.implied);
    buf_done(&tar);
}

Test(unpack, holes_stay_holes) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT, data = BUF_INIT;
    struct stat st;

    scratch_init(&scratch);
    /* GNU's sparse format 1.0: a map, padded to a block, then the data. */
    buf_puts(&data, "2\n0\n512\n16777216\n512\n");
    while (data.size < 512)
        buf_append(&data, "", 1);
    for (int i = 0; i < 1024; i++)
        buf_puts(&data, i < 512 ? "a" : "b");
    tarball_pax("GNU.sparse.major", "1", 1);
    tarball_pax("GNU.sparse.minor", "0", 1);
    tarball_pax("GNU.sparse.name", "sparse", 6);
    tarball_pax("GNU.sparse.realsize", "33554432", 8);
    tarball_add(&tar, &(struct tar_entry){
                          .name = "GNUSparseFile.0/sparse", .data = data.data, .data_bytes = 1536});
    buf_done(&data);
    unpack_fine(&scratch, &tar);
    st = look(&scratch, "sparse");
    cr_assert_eq(st.st_size, 33554432);
    cr_assert_lt(st.st_blocks * 512, 4 << 20);
}

Test(unpack, whiteouts_become_those_of_overlayfs) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_file(&tar, "a/.wh.gone", "");
    tarball_file(&tar, ".wh.top", "");
    tarball_add(&tar, &(struct tar_entry){.name = "o", .type = '5'});
    for (int i = 0; i < 100; i++)
        tarball_file(&tar, "o/.wh..wh..opq", "");
    tarball_file(&tar, "o/new", "n");
    tarball_file(&tar, "o/.wh..wh.plnk", "");
    unpack_fine(&scratch, &tar);
    cr_assert(is_whiteout(&scratch, "a/gone"));
    cr_assert(is_whiteout(&scratch, "top"));
    cr_assert(!is_there(&scratch, "a/.wh.gone"));
    cr_assert(has_xattr(&scratch, "o", "user.overlay.opaque", "y"));
    cr_assert(is_there(&scratch, "o/new"));
    cr_assert(!is_there(&scratch, "o/.wh..wh..opq"));
    cr_assert(!is_there(&scratch, "o/.wh..wh.plnk"));
    cr_assert(!has_xattr(&scratch, "a", "user.overlay.opaque", "y"));
}

/* The specification: a whiteout hides what is in the layers below, never what is in its own. */
Test(unpack, a_whiteout_spares_its_own_layer) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_file(&tar, "file1", "1");
    tarball_file(&tar, ".wh.file1", "");
    tarball_file(&tar, ".wh.file2", "");
    tarball_file(&tar, "file2", "2");
    tarball_file(&tar, "dir1/f", "1");
    tarball_file(&tar, ".wh.dir1", "");
    tarball_file(&tar, ".wh.dir2", "");
    tarball_file(&tar, "dir2/f", "2");
    tarball_file(&tar, ".wh.dir3", "");
    tarball_add(&tar, &(struct tar_entry){.name = "dir3", .type = '5'});
    unpack_fine(&scratch, &tar);
    assert_content(&scratch, "file1", "1");
    assert_content(&scratch, "file2", "2");
    assert_content(&scratch, "dir1/f", "1");
    assert_content(&scratch, "dir2/f", "2");
    cr_assert(has_xattr(&scratch, "dir1", "user.overlay.opaque", "y"));
    cr_assert(has_xattr(&scratch, "dir2", "user.overlay.opaque", "y"));
    cr_assert(has_xattr(&scratch, "dir3", "user.overlay.opaque", "y"));
    cr_assert_eq(look(&scratch, "dir2").st_mode, S_IFDIR | 0755);
}

Test(unpack, the_last_of_several_counts) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_file(&tar, "f", "first");
    tarball_file(&tar, "h", "other");
    tarball_add(&tar, &(struct tar_entry){.name = "h2", .type = '1', .link = "h"});
    tarball_file(&tar, "f", "last");
    tarball_file(&tar, "h", "changed");
    tarball_file(&tar, "was-file", "x");
    tarball_add(&tar, &(struct tar_entry){.name = "was-file", .type = '5', .mode = 0711});
    tarball_file(&tar, "was-file/in", "y");
    tarball_file(&tar, "was-dir/deep/er", "x");
    tarball_file(&tar, "was-dir", "now a file");
    tarball_add(&tar, &(struct tar_entry){.name = "was-dir2", .type = '5', .mode = 0700});
    tarball_add(&tar, &(struct tar_entry){.name = "was-dir2", .type = '2', .link = "f"});
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5', .mode = 0700});
    tarball_file(&tar, "d/stays", "s");
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5', .mode = 0751});
    tarball_add(&tar, &(struct tar_entry){.name = "self", .data = "me"});
    tarball_add(&tar, &(struct tar_entry){.name = "self", .type = '1', .link = "self"});
    unpack_fine(&scratch, &tar);
    assert_content(&scratch, "f", "last");
    assert_content(&scratch, "h", "changed");
    assert_content(&scratch, "h2", "other");
    assert_content(&scratch, "was-file/in", "y");
    cr_assert_eq(look(&scratch, "was-file").st_mode, S_IFDIR | 0711);
    assert_content(&scratch, "was-dir", "now a file");
    assert_link(&scratch, "was-dir2", "f");
    assert_content(&scratch, "d/stays", "s");
    cr_assert_eq(look(&scratch, "d").st_mode, S_IFDIR | 0751);
    assert_content(&scratch, "self", "me");
}

Test(unpack, links_that_lead_out_stay_inside) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    char outside[400];

    scratch_init(&scratch);
    cr_assert_eq(mkdirat(scratch.fd, "outside", 0777), 0);
    snprintf(outside, sizeof outside, "%s/outside", scratch.path);
    tarball_add(&tar, &(struct tar_entry){.name = "up", .type = '2', .link = "../outside"});
    tarball_file(&tar, "up/by-parent", "1");
    tarball_pax("linkpath", outside, strlen(outside));
    tarball_add(&tar, &(struct tar_entry){.name = "abs", .type = '2', .link = "x"});
    tarball_file(&tar, "abs/by-absolute", "2");
    tarball_add(&tar, &(struct tar_entry){.name = "conf", .type = '2', .link = "/etc"});
    tarball_file(&tar, "conf/passwd", "inside");
    tarball_file(&tar, "target", "t");
    tarball_add(&tar, &(struct tar_entry){.name = "file", .type = '2', .link = "target"});
    tarball_file(&tar, "file", "replaced the link");
    tarball_add(&tar, &(struct tar_entry){.name = "usr/lib", .type = '5'});
    tarball_add(&tar, &(struct tar_entry){.name = "lib", .type = '2', .link = "usr/lib"});
    tarball_file(&tar, "lib/x", "through");
    tarball_file(&tar, "/absolute", "relative");
    unpack_fine(&scratch, &tar);
    cr_assert_neq(faccessat(scratch.fd, "outside/by-parent", F_OK, 0), 0);
    cr_assert_neq(faccessat(scratch.fd, "outside/by-absolute", F_OK, 0), 0);
    assert_content(&scratch, "outside/by-parent", "1");
    snprintf(outside, sizeof outside, "%s/outside/by-absolute", scratch.path + 1);
    assert_content(&scratch, outside, "2");
    assert_link(&scratch, "conf", "/etc");
    assert_content(&scratch, "etc/passwd", "inside");
    assert_content(&scratch, "usr/lib/x", "through");
    assert_link(&scratch, "lib", "usr/lib");
    assert_content(&scratch, "target", "t");
    assert_content(&scratch, "file", "replaced the link");
    assert_content(&scratch, "absolute", "relative");
}

Test(unpack, a_link_in_a_hard_links_place_is_not_followed) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    scratch_write(&scratch, "secret", "s", 1);
    tarball_add(&tar, &(struct tar_entry){.name = "l", .type = '2', .link = "../secret"});
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "l"});
    tarball_file(&tar, "h", "written");
    unpack_fine(&scratch, &tar);
    assert_content(&scratch, "../secret", "s");
    assert_link(&scratch, "l", "../secret");
    assert_content(&scratch, "h", "written");
}

Test(unpack, refuses_what_leads_out) {
    struct buf tar = BUF_INIT;

    tarball_file(&tar, "../x", "");
    unpack_refused(&tar, -EINVAL, "'..'");
    tarball_file(&tar, "a/../../x", "");
    unpack_refused(&tar, -EINVAL, "'..'");
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "../../etc/passwd"});
    unpack_refused(&tar, -EINVAL, "'..'");
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "/etc/passwd"});
    unpack_refused(&tar, -ENOENT, "hard link");
    tarball_add(&tar, &(struct tar_entry){.name = ".", .type = '2', .link = "/"});
    unpack_refused(&tar, -EINVAL, "root");
    tarball_file(&tar, ".", "root as a file");
    unpack_refused(&tar, -EINVAL, "root");
    tarball_add(&tar, &(struct tar_entry){.name = "x", .type = '1', .link = "."});
    unpack_refused(&tar, -EINVAL, "root");
    tarball_file(&tar, "a/.wh...", "");
    unpack_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "a/.wh..", "");
    unpack_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "a/.wh.", "");
    unpack_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "f", "");
    tarball_file(&tar, "f/g", "");
    unpack_refused(&tar, -ENOTDIR, "'f' is no directory");
    tarball_add(&tar, &(struct tar_entry){.name = "loop", .type = '2', .link = "loop"});
    tarball_file(&tar, "loop/x", "");
    unpack_refused(&tar, -ELOOP, "'loop' is a link");
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5'});
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "d"});
    unpack_refused(&tar, -EPERM, "hard link");
}

Test(unpack, refuses_what_is_damaged) {
    struct buf tar = BUF_INIT;

    tarball_add(&tar, &(struct tar_entry){.name = "f", .data = "x", .size = 1 << 20});
    unpack_refused(&tar, -EBADMSG, "damaged");
    tarball_add(&tar, &(struct tar_entry){.name = "f", .data = "x", .size = UINT64_C(1) << 62});
    unpack_refused(&tar, -EBADMSG, "damaged");
    tarball_file(&tar, "f", "x");
    tar.data[0] = 'g';
    unpack_refused(&tar, -EBADMSG, "damaged");
    buf_puts(&tar, "this is no tar at all, whatever its name may say");
    while (tar.size < 2048)
        buf_puts(&tar, "x");
    unpack_refused(&tar, -EBADMSG, "damaged");
    tarball_add(&tar, &(struct tar_entry){.name = "l", .type = '2'});
    unpack_refused(&tar, -EBADMSG, "no target");
}

Test(unpack, a_tar_cut_anywhere_is_an_error_or_a_whole_beginning) {
    struct buf tar = BUF_INIT, part;

    tarball_file(&tar, "a", "aaaa");
    tarball_pax("path", "long/name", 9);
    tarball_file(&tar, "x", "bbbb");
    for (size_t n = 1; n < tar.size; n += 100) {
        _cleanup_scratch_ struct scratch scratch;
        struct err err;

        scratch_init(&scratch);
        part = BUF_INIT;
        buf_append(&part, tar.data, n);
        if (unpack(&scratch, &part, &err) == 0)
            assert_content(&scratch, "a", "aaaa");
        else
            cr_assert_neq(err.message[0], '\0');
        buf_done(&part);
    }
    buf_done(&tar);
}

Test(unpack, an_impossible_owner_is_named) {
    struct buf tar = BUF_INIT;

    if (geteuid() != 0)
        cr_skip_test("only root sets owners");
    tarball_add(&tar, &(struct tar_entry){.name = "f", .uid = UINT32_MAX});
    unpack_refused(&tar, -EINVAL, "'f' belongs to an impossible number");
}

static ssize_t fail_at_once(void *context, const void **ret_data, struct err *err) {
    (void)context;
    (void)ret_data;
    return err_set(err, -ENETDOWN, "the source says so");
}

Test(unpack, a_sources_error_is_forwarded) {
    _cleanup_scratch_ struct scratch scratch;
    const struct unpack_source source = {.read = fail_at_once};
    struct unpack_count count;
    struct err err;

    scratch_init(&scratch);
    cr_assert_eq(unpack_layer(&source, scratch.fd, scratch_owners(), &count, &err), -ENETDOWN);
    cr_assert_str_eq(err.message, "the source says so");
}
