/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "layout.h"
#include "rootfs/image.h"
#include "rootfs/image_store.h"
#include "scratch.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A docker-archive of two layers, the lower of which is the same in all, under a name. */
static void load(const struct scratch *scratch, const char *name, const char *content) {
    struct buf base = BUF_INIT, top = BUF_INIT, archive = BUF_INIT;
    _cleanup_strv_ struct strv names = {0};
    struct err err = {0};
    char path[320];

    tarball_file(&base, "base", "base");
    tarball_end(&base);
    tarball_file(&top, content, content);
    tarball_end(&top);
    {
        const struct layout_layer layers[] = {{.tar = &base}, {.tar = &top}};

        layout_docker(&archive, layers, 2, name);
    }
    scratch_write(scratch, "a.tar", archive.data, archive.size);
    snprintf(path, sizeof path, "%s/a.tar", scratch->path);
    cr_assert_eq(image_load(&scratch->store, path, NULL, &names, &err), 0, "%s", err.message);
    cr_assert_eq(names.n, 1);
    buf_done(&base);
    buf_done(&top);
    buf_done(&archive);
}

static int find(const struct scratch *scratch, const char *reference) {
    struct image image = IMAGE_INIT;
    struct err err = {0};
    int r = image_find(&image, &scratch->store, reference, &err);

    cr_assert_geq(r, 0, "%s", err.message);
    image_done(&image);
    return r;
}

Test(image_store, lists_what_was_loaded) {
    _cleanup_scratch_ struct scratch scratch;
    struct image_entries entries;

    scratch_init(&scratch);
    cr_assert_eq(image_list(&scratch.store, &entries, NULL), 0);
    cr_assert_eq(entries.n, 0);
    image_entries_done(&entries);
    load(&scratch, "zebra:2", "two");
    load(&scratch, "app:1", "one");
    load(&scratch, NULL, "unnamed");
    cr_assert_eq(image_list(&scratch.store, &entries, NULL), 0);
    cr_assert_eq(entries.n, 3);
    cr_assert_str_eq(entries.items[0].name, "docker.io/library/app:1");
    cr_assert_str_eq(entries.items[1].name, "docker.io/library/zebra:2");
    cr_assert_null(entries.items[2].name);
    cr_assert_eq(strlen(entries.items[0].id), 64);
    cr_assert_eq(entries.items[0].n_layers, 2);
    cr_assert_eq(entries.items[0].size_bytes, 2 * (1024 + 1024));
    image_entries_done(&entries);
    cr_assert_eq(find(&scratch, "app:1"), 0);
    cr_assert_eq(find(&scratch, "docker.io/library/app:1"), 0);
    cr_assert_eq(find(&scratch, "app:2"), IMAGE_MISSING);
    cr_assert_eq(scratch_count(&scratch, "layers"), 4);
}

Test(image_store, a_name_moves_to_the_newer_image) {
    _cleanup_scratch_ struct scratch scratch;
    struct image_entries entries;

    scratch_init(&scratch);
    load(&scratch, "app:1", "old");
    load(&scratch, "app:1", "new");
    cr_assert_eq(image_list(&scratch.store, &entries, NULL), 0);
    cr_assert_eq(entries.n, 2);
    cr_assert_str_eq(entries.items[0].name, "docker.io/library/app:1");
    cr_assert_null(entries.items[1].name);
    image_entries_done(&entries);
}

Test(image_store, tags) {
    _cleanup_scratch_ struct scratch scratch;
    struct image_entries entries;
    struct err err = {0};
    char id[12] = "";

    scratch_init(&scratch);
    load(&scratch, "app:1", "x");
    cr_assert_eq(image_tag(&scratch.store, "app:1", "host:5000/a/b:c", &err), 0, "%s", err.message);
    cr_assert_eq(find(&scratch, "host:5000/a/b:c"), 0);
    cr_assert_eq(image_list(&scratch.store, &entries, NULL), 0);
    cr_assert_eq(entries.n, 2);
    cr_assert_str_eq(entries.items[0].id, entries.items[1].id);
    memcpy(id, entries.items[0].id, 11);
    image_entries_done(&entries);
    cr_assert_eq(image_tag(&scratch.store, id, "by-id", &err), 0, "%s", err.message);
    cr_assert_eq(find(&scratch, "by-id"), 0);
    cr_assert_eq(image_tag(&scratch.store, "nobody", "x", &err), -ENOENT);
    cr_assert_eq(image_tag(&scratch.store, "/etc", "x", &err), -ENOENT);
    cr_assert_eq(image_tag(&scratch.store, "app:1", "./x", &err), -EINVAL);
}

Test(image_store, removes_with_the_last_name) {
    _cleanup_scratch_ struct scratch scratch;
    struct err err = {0};

    scratch_init(&scratch);
    load(&scratch, "app:1", "one");
    load(&scratch, "other", "two");
    cr_assert_eq(image_tag(&scratch.store, "app:1", "app:2", NULL), 0);
    cr_assert_eq(image_remove(&scratch.store, "app:1", &err), 0, "%s", err.message);
    cr_assert_eq(find(&scratch, "app:1"), IMAGE_MISSING);
    cr_assert_eq(find(&scratch, "app:2"), 0);
    cr_assert_eq(scratch_count(&scratch, "layers"), 3);
    cr_assert_eq(image_remove(&scratch.store, "app:2", &err), 0, "%s", err.message);
    cr_assert_eq(find(&scratch, "app:2"), IMAGE_MISSING);
    /* The layer that the other image has too stays. */
    cr_assert_eq(scratch_count(&scratch, "layers"), 2);
    cr_assert_eq(find(&scratch, "other"), 0);
    cr_assert_eq(image_remove(&scratch.store, "app:2", &err), -ENOENT);
    cr_assert_eq(image_remove(&scratch.store, "other", &err), 0, "%s", err.message);
    cr_assert_eq(scratch_count(&scratch, "layers"), 0);
    cr_assert_eq(scratch_count(&scratch, "images"), 0);
    cr_assert_eq(scratch_count(&scratch, "index"), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
}

Test(image_store, what_a_run_has_stays) {
    _cleanup_scratch_ struct scratch scratch;
    struct image image = IMAGE_INIT;
    struct err err = {0};
    uint64_t bytes;

    scratch_init(&scratch);
    load(&scratch, "app:1", "one");
    cr_assert_eq(image_find(&image, &scratch.store, "app:1", &err), 0);
    cr_assert_eq(image_remove(&scratch.store, "app:1", &err), -EBUSY);
    cr_assert_not_null(strstr(err.message, "a run is using it"));
    cr_assert_eq(find(&scratch, "app:1"), 0);
    /* Another image takes its name. */
    load(&scratch, "app:1", "two");
    cr_assert_eq(image_prune(&scratch.store, true, &bytes, &err), 0, "%s", err.message);
    cr_assert_eq(bytes, 0);
    cr_assert_eq(scratch_count(&scratch, "layers"), 3);
    image_done(&image);
    cr_assert_eq(image_prune(&scratch.store, true, &bytes, &err), 0, "%s", err.message);
    cr_assert_eq(bytes, 2048);
    cr_assert_eq(scratch_count(&scratch, "layers"), 2);
    cr_assert_eq(find(&scratch, "app:1"), 0);
}

Test(image_store, prune_takes_unnamed_ones_when_told) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;
    char reference[320];
    struct err err = {0};
    uint64_t bytes;

    scratch_init(&scratch);
    tarball_file(&tar, "f", "f");
    tarball_end(&tar);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    snprintf(reference, sizeof reference, "%s/x.tar", scratch.path);
    cr_assert_eq(image_import(&scratch.store, reference, NULL, &err), 0, "%s", err.message);
    cr_assert_eq(image_prune(&scratch.store, false, &bytes, &err), 0, "%s", err.message);
    cr_assert_eq(find(&scratch, reference), 0);
    cr_assert_eq(image_prune(&scratch.store, true, &bytes, &err), 0, "%s", err.message);
    cr_assert_eq(bytes, tar.size);
    cr_assert_eq(find(&scratch, reference), IMAGE_MISSING);
    cr_assert_eq(scratch_count(&scratch, "layers"), 0);
    cr_assert_eq(scratch_count(&scratch, "index"), 0);
    buf_done(&tar);
}

Test(image_store, loads_a_layout) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_strv_ struct strv names = {0};
    struct buf tar = BUF_INIT;
    struct layout_layer layer = {.tar = &tar};
    struct err err = {0};
    char path[320];

    scratch_init(&scratch);
    tarball_file(&tar, "f", "f");
    tarball_end(&tar);
    layout_make(&scratch, "lay", &layer, 1, "quay.io/a/b:c");
    snprintf(path, sizeof path, "%s/lay", scratch.path);
    cr_assert_eq(image_load(&scratch.store, path, NULL, &names, &err), 0, "%s", err.message);
    cr_assert_eq(names.n, 1);
    cr_assert_str_eq(names.items[0], "quay.io/a/b:c");
    cr_assert_eq(find(&scratch, "quay.io/a/b:c"), 0);
    scratch_write(&scratch, "x.tar", tar.data, tar.size);
    snprintf(path, sizeof path, "%s/x.tar", scratch.path);
    cr_assert_lt(image_load(&scratch.store, path, NULL, &names, &err), 0);
    cr_assert_not_null(strstr(err.message, "tar:PATH"), "%s", err.message);
    buf_done(&tar);
}

/* Puts a copy of an image's record in its place, again and again, as imports of it at once do. */
static void replace_record(const struct scratch *scratch, const char *id) {
    char path[128], text[4096];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "images/%s", id);
    fd = openat(scratch->store.fd, path, O_RDONLY | O_CLOEXEC);
    n = read(fd, text, sizeof text);
    for (int i = 0; i < 3000; i++) {
        int copy = openat(scratch->store.fd, "copy", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (write(copy, text, (size_t)n) != n ||
            renameat(scratch->store.fd, "copy", scratch->store.fd, path) < 0)
            _exit(1);
        close(copy);
    }
    _exit(0);
}

Test(image_store, one_that_is_imported_again_meanwhile_is_there) {
    _cleanup_scratch_ struct scratch scratch;
    struct image_entries entries;
    int status;
    pid_t pid;

    scratch_init(&scratch);
    load(&scratch, "app:1", "x");
    cr_assert_eq(image_list(&scratch.store, &entries, NULL), 0);
    pid = fork();
    if (pid == 0)
        replace_record(&scratch, entries.items[0].id);
    while (waitpid(pid, &status, WNOHANG) == 0)
        cr_assert_eq(find(&scratch, "app:1"), 0);
    cr_assert_eq(status, 0);
    image_entries_done(&entries);
}
