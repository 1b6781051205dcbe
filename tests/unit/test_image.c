/* SPDX-License-Identifier: Apache-2.0 */
/* Images of every form, brought in. */
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

Test(image, of_a_tarball) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello"), packed = BUF_INIT;
    struct image image;
    struct stat st;

    scratch_init(&scratch);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "tar:", "x.tar"));
    cr_assert_eq(image.layers.n, 1);
    importing_layer_has(&scratch, &image, 0, "hello");
    cr_assert_eq(fstatat(scratch.store.fd, image.layers.items[0], &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 0755);
    image_done(&image);
    /* The same file by other references, and the same content in another file. */
    cr_assert_eq(importing_find(&scratch, &image, importing_ref(&scratch, "", "x.tar")), 0);
    image_done(&image);
    tarball_compress("gzip", tar.data, tar.size, &packed);
    scratch_write(&scratch, "y.tgz", packed.data, packed.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "", "y.tgz"));
    image_done(&image);
    cr_assert_eq(scratch_count(&scratch, "layers"), 1);
    buf_done(&tar);
    buf_done(&packed);
}

Test(image, of_a_directory) {
    _cleanup_scratch_ struct scratch scratch;
    struct image image = IMAGE_INIT;
    struct err err = {0};

    scratch_init(&scratch);
    cr_assert_eq(importing_find(&scratch, &image, importing_ref(&scratch, "rootfs:", "")), 0);
    cr_assert(!image.in_store);
    cr_assert_eq(image.layers.n, 1);
    cr_assert_eq(image.layers.items[0][0], '/');
    image_done(&image);
    cr_assert_eq(importing_find(&scratch, &image, importing_ref(&scratch, "", "store")), 0);
    image_done(&image);
    cr_assert_eq(chdir(scratch.path), 0);
    cr_assert_eq(importing_find(&scratch, &image, "./store"), 0);
    cr_assert_eq(image.layers.items[0][0], '/');
    image_done(&image);
    cr_assert_eq(importing_find(&scratch, &image, "host:"), 0);
    cr_assert_str_eq(image.layers.items[0], "/");
    cr_assert(!image.in_store);
    image_done(&image);
    cr_assert_eq(image_find(&image, &scratch.store, "rootfs:nowhere", &err), -ENOENT);
    cr_assert_not_null(strstr(err.message, "image rootfs:nowhere: "), "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "tar:store", &err), -EISDIR);
    cr_assert_not_null(strstr(err.message, "rootfs:store"), "%s", err.message);
    scratch_write(&scratch, "file", "x", 1);
    cr_assert_eq(image_find(&image, &scratch.store, "rootfs:file", &err), -ENOTDIR);
    cr_assert_not_null(strstr(err.message, "tar:file"), "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "oci:store", &err), -ENOENT);
    cr_assert_not_null(strstr(err.message, "index.json"), "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, "tar:/dev/null", &err), -EINVAL);
    cr_assert_eq(chdir("/"), 0);
}

Test(image, of_a_layout) {
    static const char *const filters[] = {NULL, "gzip", "zstd", "xz", "bzip2", "lz4"};
    _cleanup_scratch_ struct scratch scratch;
    struct layout_layer layers[N_ELEMENTS(filters)];
    struct buf tars[N_ELEMENTS(filters)];
    struct image image;
    struct err err;

    scratch_init(&scratch);
    for (size_t i = 0; i < N_ELEMENTS(filters); i++) {
        char name[16];

        snprintf(name, sizeof name, "file%zu", i);
        tars[i] = importing_tar(name);
        layers[i] = (struct layout_layer){.tar = &tars[i], .filter = filters[i]};
    }
    layout_make(&scratch, "lay", layers, N_ELEMENTS(filters), "v1");
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "lay"));
    cr_assert_eq(image.layers.n, N_ELEMENTS(filters));
    for (size_t i = 0; i < N_ELEMENTS(filters); i++) {
        char name[16];

        snprintf(name, sizeof name, "file%zu", i);
        importing_layer_has(&scratch, &image, i, name);
        buf_done(&tars[i]);
    }
    cr_assert_str_eq(image.config.env.items[0], "MADE=yes");
    cr_assert_str_eq(image.config.cmd.items[0], "sh");
    image_done(&image);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "lay:v1"));
    image_done(&image);
    cr_assert_lt(
        image_import(&scratch.store, importing_ref(&scratch, "oci:", "lay:v2"), NULL, &err), 0);
    cr_assert_not_null(strstr(err.message, "it holds: v1"), "%s", err.message);
}

Test(image, of_a_layout_whose_blobs_are_links) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello");
    struct layout_layer layer = {.tar = &tar};
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    struct image image;
    int n = 0, fd;

    scratch_init(&scratch);
    layout_make(&scratch, "lay", &layer, 1, NULL);
    fd = openat(scratch.fd, "lay/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fdopendir(fd);
    while ((entry = readdir(dir))) {
        char target[64], away[64];

        if (str_is_dots(entry->d_name) || strlen(entry->d_name) != 64)
            continue;
        snprintf(away, sizeof away, "lay/file%d", n);
        snprintf(target, sizeof target, "../../file%d", n);
        cr_assert_eq(renameat(fd, entry->d_name, scratch.fd, away), 0);
        /* As links, and as Git keeps them where there are none. */
        if (n++ % 2)
            cr_assert_eq(symlinkat(target, fd, entry->d_name), 0);
        else {
            char path[320];

            snprintf(path, sizeof path, "lay/blobs/sha256/%s", entry->d_name);
            scratch_write(&scratch, path, target, strlen(target));
        }
    }
    cr_assert_eq(n, 3);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "lay"));
    importing_layer_has(&scratch, &image, 0, "hello");
    image_done(&image);
    buf_done(&tar);
}

Test(image, of_a_docker_archive) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tars[3] = {importing_tar("one"), importing_tar("two"), importing_tar("three")};
    const struct layout_layer layers[3] = {{.tar = &tars[0]}, {.tar = &tars[1]}, {.tar = &tars[2]}};
    struct buf archive = BUF_INIT, packed = BUF_INIT;
    struct image image;
    struct err err;

    scratch_init(&scratch);
    layout_docker(&archive, layers, 3, "docker.io/library/app:1");
    scratch_write(&scratch, "a.tar", archive.data, archive.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "docker-archive:", "a.tar"));
    cr_assert_eq(image.layers.n, 3);
    importing_layer_has(&scratch, &image, 0, "one");
    importing_layer_has(&scratch, &image, 1, "two");
    importing_layer_has(&scratch, &image, 2, "three");
    cr_assert_str_eq(image.config.env.items[0], "MADE=yes");
    image_done(&image);
    importing_fine(&scratch, &image, importing_ref(&scratch, "docker-archive:", "a.tar:app:1"));
    image_done(&image);
    cr_assert_lt(image_import(&scratch.store,
                              importing_ref(&scratch, "docker-archive:", "a.tar:app:2"), NULL,
                              &err),
                 0);
    cr_assert_not_null(strstr(err.message, "docker.io/library/app:1"), "%s", err.message);
    tarball_compress("gzip", archive.data, archive.size, &packed);
    scratch_write(&scratch, "b.tgz", packed.data, packed.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "docker-archive:", "b.tgz"));
    image_done(&image);
    cr_assert_eq(scratch_count(&scratch, "layers"), 3);
    cr_assert_eq(scratch_count(&scratch, "images"), 1);
    for (int i = 0; i < 3; i++)
        buf_done(&tars[i]);
    buf_done(&archive);
    buf_done(&packed);
}

Test(image, of_a_layout_in_a_tar) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello"), archive = BUF_INIT;
    struct layout_layer layer = {.tar = &tar, .filter = "gzip"};
    static const char *const folders[] = {"lay", "lay/blobs/sha256"};
    struct image image;

    scratch_init(&scratch);
    layout_make(&scratch, "lay", &layer, 1, "x");
    for (size_t i = 0; i < N_ELEMENTS(folders); i++) {
        _cleanup_closedir_ DIR *dir =
            fdopendir(openat(scratch.fd, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct dirent *entry;

        while ((entry = readdir(dir))) {
            _cleanup_free_ char *data = NULL;
            char path[512];
            size_t size;

            snprintf(path, sizeof path, "%s/%s", folders[i], entry->d_name);
            if (fd_read_file(scratch.fd, path, 1 << 20, &data, &size) == 0)
                tarball_add(&archive, &(struct tar_entry){.name = path + strlen("lay/"),
                                                          .data = data,
                                                          .data_bytes = size});
        }
    }
    tarball_end(&archive);
    scratch_write(&scratch, "oci.tar", archive.data, archive.size);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci-archive:", "oci.tar:x"));
    importing_layer_has(&scratch, &image, 0, "hello");
    image_done(&image);
    buf_done(&tar);
    buf_done(&archive);
}

Test(image, what_an_opaque_root_hides_is_not_mounted) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf base = importing_tar("base"), top = BUF_INIT;
    struct layout_layer layers[] = {{.tar = &base}, {.tar = &top}};
    struct image image;

    scratch_init(&scratch);
    tarball_file(&top, ".wh..wh..opq", "");
    tarball_file(&top, "top", "top");
    tarball_end(&top);
    layout_make(&scratch, "lay", layers, 2, NULL);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "lay"));
    cr_assert_eq(image.layers.n, 1);
    importing_layer_has(&scratch, &image, 0, "top");
    image_done(&image);
    buf_done(&base);
    buf_done(&top);
}

/* Some tools write no entry for a directory that they change nothing of. */
Test(image, directories_without_an_entry_are_as_below) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf base = BUF_INIT, none = importing_tar("none"), top = BUF_INIT;
    struct layout_layer layers[] = {{.tar = &base}, {.tar = &none}, {.tar = &top}};
    struct layout_layer alone[] = {{.tar = &top}};
    struct image image;
    struct stat st;
    char path[256];

    scratch_init(&scratch);
    tarball_add(&base,
                &(struct tar_entry){.name = "tmp", .type = '5', .mode = 01777, .mtime = 1000000});
    tarball_add(&base, &(struct tar_entry){.name = "tmp/in", .type = '5', .mode = 0711});
    tarball_end(&base);
    tarball_file(&top, "tmp/in/f", "f");
    tarball_file(&top, "own/f", "f");
    tarball_add(&top, &(struct tar_entry){.name = "log", .type = '2', .link = "/tmp"});
    tarball_file(&top, "log/.wh.gone", "");
    tarball_end(&top);
    layout_make(&scratch, "lay", layers, 3, NULL);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "lay"));
    snprintf(path, sizeof path, "%s/tmp", image.layers.items[2]);
    cr_assert_eq(fstatat(scratch.store.fd, path, &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 01777);
    cr_assert_eq(st.st_mtime, 1000000);
    snprintf(path, sizeof path, "%s/tmp/in", image.layers.items[2]);
    cr_assert_eq(fstatat(scratch.store.fd, path, &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 0711);
    snprintf(path, sizeof path, "%s/own", image.layers.items[2]);
    cr_assert_eq(fstatat(scratch.store.fd, path, &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 0755);
    image_done(&image);
    /* The same layer with nothing below it is another. */
    layout_make(&scratch, "alone", alone, 1, NULL);
    importing_fine(&scratch, &image, importing_ref(&scratch, "oci:", "alone"));
    snprintf(path, sizeof path, "%s/tmp", image.layers.items[0]);
    cr_assert_eq(fstatat(scratch.store.fd, path, &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 0755);
    image_done(&image);
    cr_assert_eq(scratch_count(&scratch, "layers"), 4);
    buf_done(&base);
    buf_done(&none);
    buf_done(&top);
}

Test(image, from_standard_input) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello");
    struct image image;
    int ends[2], before = dup(STDIN_FILENO);
    pid_t pid;

    scratch_init(&scratch);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        _exit(fd_write_all(ends[1], tar.data, tar.size) < 0);
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    importing_fine(&scratch, &image, "tar:-");
    importing_layer_has(&scratch, &image, 0, "hello");
    image_done(&image);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    /* Another run reads its own. */
    scratch.store.opened_nsec += UINT64_C(1000000000);
    cr_assert_eq(importing_find(&scratch, &image, "tar:-"), IMAGE_MISSING);
    dup2(before, STDIN_FILENO);
    close(before);
    close(ends[0]);
    buf_done(&tar);
}
