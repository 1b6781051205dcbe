/* SPDX-License-Identifier: Apache-2.0 */
/* Tars that were made to do harm, or are damaged. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "tarball.h"
#include "unpacking.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

Test(unpack_hostile, attributes_but_none_that_steer_overlayfs) {
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
    unpacking_fine(&scratch, &tar);
    cr_assert(unpacking_has_xattr(&scratch, "d", "user.kind", "tea"));
    cr_assert(unpacking_has_xattr(&scratch, "f", "user.kind", "coffee"));
    cr_assert(!unpacking_has_xattr(&scratch, "d", "user.overlay.opaque", "y"));
    cr_assert(!unpacking_has_xattr(&scratch, "d", "trusted.overlay.redirect", "/etc"));
    cr_assert(!unpacking_has_xattr(&scratch, "f", "user.overlay.metacopy", ""));
    cr_assert_eq(unpacking_look(&scratch, "f").st_mode & 07777, 0444);
}

Test(unpack_hostile, devices_are_left_out_and_counted) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    struct unpack_count count;
    struct err err;

    scratch_init(&scratch);
    tarball_add(&tar, &(struct tar_entry){.name = "dev/sda", .type = '4'});
    tarball_add(&tar, &(struct tar_entry){.name = "dev/null", .type = '3'});
    tarball_file(&tar, "dev/file", "f");
    tarball_end(&tar);
    cr_assert_eq(unpacking_counted(&scratch, &tar, &count, &err), 0, "%s", err.message);
    buf_done(&tar);
    cr_assert_eq(count.n_devices, 2);
    strv_done(&count.implied);
    cr_assert(!unpacking_has(&scratch, "dev/sda"));
    cr_assert(!unpacking_has(&scratch, "dev/null"));
    cr_assert(unpacking_has(&scratch, "dev/file"));
}

Test(unpack_hostile, whiteouts_behind_a_link_mean_nothing) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    tarball_add(&tar, &(struct tar_entry){.name = "log", .type = '2', .link = "/tmp"});
    tarball_file(&tar, "log/x", "x");
    tarball_file(&tar, "log/.wh.gone", "");
    tarball_file(&tar, "log/.wh..wh..opq", "");
    tarball_file(&tar, "log/y", "y");
    unpacking_fine(&scratch, &tar);
    unpacking_link(&scratch, "log", "/tmp");
    unpacking_content(&scratch, "tmp/x", "x");
    unpacking_content(&scratch, "tmp/y", "y");
    cr_assert(!unpacking_has(&scratch, "tmp/gone"));
    cr_assert(!unpacking_has_xattr(&scratch, "tmp", "user.overlay.opaque", "y"));
}

Test(unpack_hostile, the_last_of_several_counts) {
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
    unpacking_fine(&scratch, &tar);
    unpacking_content(&scratch, "f", "last");
    unpacking_content(&scratch, "h", "changed");
    unpacking_content(&scratch, "h2", "other");
    unpacking_content(&scratch, "was-file/in", "y");
    cr_assert_eq(unpacking_look(&scratch, "was-file").st_mode, S_IFDIR | 0711);
    unpacking_content(&scratch, "was-dir", "now a file");
    unpacking_link(&scratch, "was-dir2", "f");
    unpacking_content(&scratch, "d/stays", "s");
    cr_assert_eq(unpacking_look(&scratch, "d").st_mode, S_IFDIR | 0751);
    unpacking_content(&scratch, "self", "me");
}

Test(unpack_hostile, links_that_lead_out_stay_inside) {
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
    unpacking_fine(&scratch, &tar);
    cr_assert_neq(faccessat(scratch.fd, "outside/by-parent", F_OK, 0), 0);
    cr_assert_neq(faccessat(scratch.fd, "outside/by-absolute", F_OK, 0), 0);
    unpacking_content(&scratch, "outside/by-parent", "1");
    snprintf(outside, sizeof outside, "%s/outside/by-absolute", scratch.path + 1);
    unpacking_content(&scratch, outside, "2");
    unpacking_link(&scratch, "conf", "/etc");
    unpacking_content(&scratch, "etc/passwd", "inside");
    unpacking_content(&scratch, "usr/lib/x", "through");
    unpacking_link(&scratch, "lib", "usr/lib");
    unpacking_content(&scratch, "target", "t");
    unpacking_content(&scratch, "file", "replaced the link");
    unpacking_content(&scratch, "absolute", "relative");
}

Test(unpack_hostile, a_link_in_a_hard_links_place_is_not_followed) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    scratch_write(&scratch, "secret", "s", 1);
    tarball_add(&tar, &(struct tar_entry){.name = "l", .type = '2', .link = "../secret"});
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "l"});
    tarball_file(&tar, "h", "written");
    unpacking_fine(&scratch, &tar);
    unpacking_content(&scratch, "../secret", "s");
    unpacking_link(&scratch, "l", "../secret");
    unpacking_content(&scratch, "h", "written");
}

Test(unpack_hostile, refuses_what_leads_out) {
    struct buf tar = BUF_INIT;

    tarball_file(&tar, "../x", "");
    unpacking_refused(&tar, -EINVAL, "'..'");
    tarball_file(&tar, "a/../../x", "");
    unpacking_refused(&tar, -EINVAL, "'..'");
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "../../etc/passwd"});
    unpacking_refused(&tar, -EINVAL, "'..'");
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "/etc/passwd"});
    unpacking_refused(&tar, -ENOENT, "hard link");
    tarball_add(&tar, &(struct tar_entry){.name = ".", .type = '2', .link = "/"});
    unpacking_refused(&tar, -EINVAL, "root");
    tarball_file(&tar, ".", "root as a file");
    unpacking_refused(&tar, -EINVAL, "root");
    tarball_add(&tar, &(struct tar_entry){.name = "x", .type = '1', .link = "."});
    unpacking_refused(&tar, -EINVAL, "root");
    tarball_file(&tar, "a/.wh...", "");
    unpacking_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "a/.wh..", "");
    unpacking_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "a/.wh.", "");
    unpacking_refused(&tar, -EINVAL, "whiteout");
    tarball_file(&tar, "f", "");
    tarball_file(&tar, "f/g", "");
    unpacking_refused(&tar, -ENOTDIR, "'f' is no directory");
    tarball_add(&tar, &(struct tar_entry){.name = "loop", .type = '2', .link = "loop"});
    tarball_file(&tar, "loop/x", "");
    unpacking_refused(&tar, -ELOOP, "'loop' is a link");
    tarball_add(&tar, &(struct tar_entry){.name = "d", .type = '5'});
    tarball_add(&tar, &(struct tar_entry){.name = "h", .type = '1', .link = "d"});
    unpacking_refused(&tar, -EPERM, "hard link");
}

Test(unpack_hostile, refuses_what_is_damaged) {
    struct buf tar = BUF_INIT;

    tarball_add(&tar, &(struct tar_entry){.name = "f", .data = "x", .size = 1 << 20});
    unpacking_refused(&tar, -EBADMSG, "damaged");
    tarball_add(&tar, &(struct tar_entry){.name = "f", .data = "x", .size = UINT64_C(1) << 62});
    unpacking_refused(&tar, -EBADMSG, "damaged");
    tarball_file(&tar, "f", "x");
    tar.data[0] = 'g';
    unpacking_refused(&tar, -EBADMSG, "damaged");
    buf_puts(&tar, "this is no tar at all, whatever its name may say");
    while (tar.size < 2048)
        buf_puts(&tar, "x");
    unpacking_refused(&tar, -EBADMSG, "damaged");
    tarball_add(&tar, &(struct tar_entry){.name = "l", .type = '2'});
    unpacking_refused(&tar, -EBADMSG, "no target");
}

Test(unpack_hostile, a_tar_cut_anywhere_is_an_error_or_a_whole_beginning) {
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
        if (unpacking_try(&scratch, &part, &err) == 0)
            unpacking_content(&scratch, "a", "aaaa");
        else
            cr_assert_neq(err.message[0], '\0');
        buf_done(&part);
    }
    buf_done(&tar);
}

Test(unpack_hostile, an_impossible_owner_is_named) {
    struct buf tar = BUF_INIT;

    if (geteuid() != 0)
        cr_skip_test("only root sets owners");
    tarball_add(&tar, &(struct tar_entry){.name = "f", .uid = UINT32_MAX});
    unpacking_refused(&tar, -EINVAL, "'f' belongs to an impossible number");
}
