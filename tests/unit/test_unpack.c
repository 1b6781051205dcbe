/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "tarball.h"
#include "unpacking.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

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
    unpacking_fine(&scratch, &tar);

    st = unpacking_look(&scratch, "");
    cr_assert_eq(st.st_mode, S_IFDIR | 0750);
    cr_assert_eq(st.st_mtime, 1000000000);
    st = unpacking_look(&scratch, "d");
    cr_assert_eq(st.st_mode, S_IFDIR | 0555);
    cr_assert_eq(st.st_mtime, 1234567890);
    st = unpacking_look(&scratch, "d/f");
    cr_assert_eq(st.st_mode, S_IFREG | 0440);
    cr_assert_eq(st.st_mtime, 1111111111);
    cr_assert_eq(st.st_nlink, 2);
    cr_assert_eq(st.st_ino, unpacking_look(&scratch, "h").st_ino);
    unpacking_content(&scratch, "d/f", "hello");
    unpacking_content(&scratch, "d/empty", "");
    unpacking_link(&scratch, "s", "../../up");
    cr_assert_eq(unpacking_look(&scratch, "s").st_mtime, 1222222222);
    cr_assert_eq(unpacking_look(&scratch, "suid").st_mode, S_IFREG | 06755);
    cr_assert_eq(unpacking_look(&scratch, "fifo").st_mode, S_IFIFO | 0622);
    cr_assert_eq(unpacking_look(&scratch, "made/on").st_mode, S_IFDIR | 0755);
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
    unpacking_fine(&scratch, &tar);
    cr_assert_eq(unpacking_look(&scratch, "d").st_uid, root ? 7 : geteuid());
    cr_assert_eq(unpacking_look(&scratch, "d").st_gid, root ? 8 : getegid());
    cr_assert_eq(unpacking_look(&scratch, "d/f").st_uid, root ? 70000 : geteuid());
    cr_assert_eq(unpacking_look(&scratch, "d/f").st_gid, root ? 3000000000u : getegid());
    cr_assert_eq(unpacking_look(&scratch, "d/s").st_uid, root ? 5 : geteuid());
    /* chown(2) drops the bit, so it has to be set after. */
    cr_assert_eq(unpacking_look(&scratch, "suid").st_mode & 07777, 04755);
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
    unpacking_fine(&scratch, &tar);
    unpacking_content(&scratch, composed, "composed");
    unpacking_content(&scratch, decomposed, "decomposed");
    unpacking_content(&scratch, latin, "latin");
    unpacking_content(&scratch, "new\nline\t\x1b", "odd");
    cr_assert_eq(unpacking_look(&scratch, "longlink").st_size, (off_t)name.size);
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
    unpacking_fine(&scratch, &tar);
    st = unpacking_look(&scratch, "f");
    cr_assert_eq(st.st_mtim.tv_sec, 1600000000);
    cr_assert_eq(st.st_mtim.tv_nsec, 123456789);
    st = unpacking_look(&scratch, "d");
    cr_assert_eq(st.st_mtim.tv_sec, 1600000001);
    cr_assert_eq(st.st_mtim.tv_nsec, 1);
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
    cr_assert_eq(unpacking_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
    buf_done(&tar);
    snprintf(path, sizeof path, "%s/tree/f", scratch.path);
    n = getxattr(path, "security.capability", back, sizeof back);
    if (geteuid() == 0) {
        cr_assert_eq(n, (ssize_t)sizeof value);
        cr_assert_eq(memcmp(back, value, sizeof value), 0);
    } else
        cr_assert_eq(count.n_xattrs, 1);
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
    cr_assert_eq(unpacking_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
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
    unpacking_fine(&scratch, &tar);
    st = unpacking_look(&scratch, "sparse");
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
    unpacking_fine(&scratch, &tar);
    cr_assert(unpacking_is_whiteout(&scratch, "a/gone"));
    cr_assert(unpacking_is_whiteout(&scratch, "top"));
    cr_assert(!unpacking_has(&scratch, "a/.wh.gone"));
    cr_assert(unpacking_has_xattr(&scratch, "o", "user.overlay.opaque", "y"));
    cr_assert(unpacking_has(&scratch, "o/new"));
    cr_assert(!unpacking_has(&scratch, "o/.wh..wh..opq"));
    cr_assert(!unpacking_has(&scratch, "o/.wh..wh.plnk"));
    cr_assert(!unpacking_has_xattr(&scratch, "a", "user.overlay.opaque", "y"));
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
    unpacking_fine(&scratch, &tar);
    unpacking_content(&scratch, "file1", "1");
    unpacking_content(&scratch, "file2", "2");
    unpacking_content(&scratch, "dir1/f", "1");
    unpacking_content(&scratch, "dir2/f", "2");
    cr_assert(unpacking_has_xattr(&scratch, "dir1", "user.overlay.opaque", "y"));
    cr_assert(unpacking_has_xattr(&scratch, "dir2", "user.overlay.opaque", "y"));
    cr_assert(unpacking_has_xattr(&scratch, "dir3", "user.overlay.opaque", "y"));
    cr_assert_eq(unpacking_look(&scratch, "dir2").st_mode, S_IFDIR | 0755);
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
