/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are here already: shared, known again, read anew when they have changed. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "importing.h"
#include "layout.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

Test(image_again, layers_are_shared) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf base = importing_tar("base"), a = importing_tar("a"), b = importing_tar("b");
    struct layout_layer one[] = {{.tar = &base}, {.tar = &a, .filter = "gzip"}, {.tar = &base}};
    struct layout_layer two[] = {{.tar = &base, .filter = "zstd"}, {.tar = &b}};
    struct image image;

    scratch_init(&scratch);
    layout_make(&scratch, "one", one, 3, NULL);
    layout_make(&scratch, "two", two, 2, NULL);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "one"));
    cr_assert_eq(image.layers.n, 3);
    cr_assert_str_eq(image.layers.items[0], image.layers.items[2]);
    image_done(&image);
    cr_assert_eq(scratch_count(&scratch, "layers"), 2);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "two"));
    image_done(&image);
    cr_assert_eq(scratch_count(&scratch, "layers"), 3);
    buf_done(&base);
    buf_done(&a);
    buf_done(&b);
}

Test(image_again, a_changed_archive_is_noticed) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf before = importing_tar("aaaa"), after = importing_tar("bbbb");
    struct image image;

    scratch_init(&scratch);
    scratch_write(&scratch, "x.tar", before.data, before.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "", "x.tar"));
    image_done(&image);
    scratch_age(&scratch, "x.tar");
    scratch_write(&scratch, "x.tar", after.data, after.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "", "x.tar"));
    importing_layer_has(&scratch, &image, 0, "bbbb");
    image_done(&image);
    buf_done(&before);
    buf_done(&after);
}

/* Two changes within a tick of the clock look like one, so what was read at once is not trusted. */
Test(image_again, one_imported_right_after_it_was_written_is_read_again) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("x");
    struct store *store = &scratch.store;
    struct image image = IMAGE_INIT;
    const char *reference;

    scratch_init(&scratch);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    buf_done(&tar);
    scratch_age(&scratch, "x.tar");
    cr_assert_eq(fchmodat(scratch.fd, "x.tar", 0600, 0), 0);
    reference = importing_ref(&scratch, "", "x.tar");
    importing_fine(&scratch, &image, reference);
    image_done(&image);
    scratch_age(&scratch, "x.tar");
    /* As a later process would open it. */
    store->opened_nsec += UINT64_C(1000000000);
    importing_fine(&scratch, &image, reference);
    image_done(&image);
    store->opened_nsec += UINT64_C(1000000000);
    cr_assert_eq(importing_find(&scratch, &image, reference), 0);
    image_done(&image);
}

Test(image_again, a_broken_record_is_made_anew) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("x");
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    struct image image;

    scratch_init(&scratch);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "", "x.tar"));
    image_done(&image);
    dir = fdopendir(openat(scratch.store.fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while ((entry = readdir(dir)))
        if (!str_is_dots(entry->d_name)) {
            int fd = openat(dirfd(dir), entry->d_name, O_WRONLY | O_TRUNC | O_CLOEXEC);

            cr_assert_geq(fd, 0);
            close(fd);
        }
    importing_fine(&scratch, &image, importing_ref(&scratch, "", "x.tar"));
    importing_layer_has(&scratch, &image, 0, "x");
    image_done(&image);
    buf_done(&tar);
}

Test(image_again, finding_loads_no_library) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("x");
    int status;
    pid_t pid;

    scratch_init(&scratch);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    buf_done(&tar);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct image image = IMAGE_INIT;

        _exit(image_import(&scratch.store, importing_ref(&scratch, "", "x.tar"), NULL, NULL) != 0 ||
              image_find(&image, &scratch.store, importing_ref(&scratch, "", "x.tar"), NULL) != 0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    pid = fork();
    if (pid == 0) {
        /* Not libcrypto: Criterion has it. */
        _cleanup_free_ char *maps = NULL;
        struct image image = IMAGE_INIT;

        if (image_find(&image, &scratch.store, importing_ref(&scratch, "", "x.tar"), NULL) != 0)
            _exit(1);
        image_done(&image);
        if (fd_read_all(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), 1 << 24, &maps, NULL) < 0)
            _exit(2);
        _exit(strstr(maps, "libarchive") || strstr(maps, "libisal") || strstr(maps, "libjansson")
                  ? 3
                  : 0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0, "%d", WEXITSTATUS(status));
}

Test(image_again, two_imports_at_once_do_the_work_once) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tars[8];
    struct layout_layer layers[8], reversed[8];
    struct image image = IMAGE_INIT;
    pid_t pids[4];

    scratch_init(&scratch);
    for (int i = 0; i < 8; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%d", i);
        tars[i] = BUF_INIT;
        for (int k = 0; k < 7; k++) {
            char dir[8];

            snprintf(dir, sizeof dir, "d%d", k);
            tarball_add(&tars[i], &(struct tar_entry){.name = dir, .type = '5'});
        }
        for (int k = 0; k < 200; k++) {
            char file[32];

            snprintf(file, sizeof file, "d%d/%s-%d", k % 7, name, k);
            tarball_file(&tars[i], file, name);
        }
        tarball_end(&tars[i]);
        layers[i] = (struct layout_layer){.tar = &tars[i], .filter = "gzip"};
        reversed[7 - i] = layers[i];
    }
    layout_make(&scratch, "a", layers, 8, NULL);
    layout_make(&scratch, "b", reversed, 8, NULL);
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] == 0)
            _exit(image_import(&scratch.store, importing_ref(&scratch, "oci:", i % 2 ? "a" : "b"),
                               NULL, NULL) != 0);
    }
    for (int i = 0; i < 4; i++) {
        int status;

        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(scratch_count(&scratch, "layers"), 8);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
    cr_assert_eq(importing_find(&scratch, &image, importing_ref(&scratch, "oci:", "a")), 0);
    image_done(&image);
    cr_assert_eq(importing_find(&scratch, &image, importing_ref(&scratch, "oci:", "b")), 0);
    image_done(&image);
    for (int i = 0; i < 8; i++)
        buf_done(&tars[i]);
}

Test(image_again, names_are_looked_up_and_nobody_is_asked) {
    _cleanup_scratch_ struct scratch scratch;
    struct image image = IMAGE_INIT;
    struct err err = {0};

    scratch_init(&scratch);
    cr_assert_eq(importing_find(&scratch, &image, "debian:12"), IMAGE_MISSING);
    cr_assert_eq(importing_find(&scratch, &image, "https://example.invalid/x.tar"), IMAGE_MISSING);
    cr_assert_eq(image_find(&image, &scratch.store, "Not A Name", &err), -EINVAL);
    cr_assert_not_null(strstr(err.message, "image Not A Name: "), "%s", err.message);
}
