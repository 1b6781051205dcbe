/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and archives that lie, or are damaged: nothing of them gets in. */
#include "importing.h"
#include "layout.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OTHER "0000000000000000000000000000000000000000000000000000000000000002"

Test(image_hostile, nothing_of_a_layout_that_lies_gets_in) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf good = importing_tar("good"), tar = importing_tar("tar"), hostile = BUF_INIT;
    struct digest digest;
    size_t size;

    scratch_init(&scratch);
    tarball_file(&hostile, "../../evil", "x");
    tarball_end(&hostile);
    {
        const struct layout_layer layers[] = {{.tar = &good}, {.tar = &tar, .diff_id = OTHER}};

        layout_make(&scratch, "diff", layers, 2, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "diff"),
                          "layer 2 of 2: digest mismatch");
    }
    {
        const struct layout_layer layers[] = {{.tar = &good}, {.tar = &tar, .blob_bytes = 12}};

        layout_make(&scratch, "size", layers, 2, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "size"), "12 were announced");
    }
    {
        const struct layout_layer layers[] = {{.tar = &good}, {.tar = &tar, .blob = OTHER}};

        layout_make(&scratch, "gone", layers, 2, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "gone"),
                          "layer 2 of 2: cannot open");
        layout_blob(&scratch, "gone", "x", 1);
        cr_assert_eq(symlinkat("/dev/zero", scratch.fd, "gone/blobs/sha256/" OTHER), 0);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "gone"), "no file");
    }
    {
        const struct layout_layer layers[] = {{.tar = &hostile}, {.tar = &good}};

        layout_make(&scratch, "evil", layers, 2, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "evil"),
                          "layer 1 of 2: '../../evil'");
    }
    {
        const struct layout_layer layer = {.tar = &good};

        digest = layout_manifest(&scratch, "none", &layer, 0, &size);
        layout_index(&scratch, "none", &digest, size, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "none"), "no layers");
        digest = layout_manifest(&scratch, "wrong", &layer, 1, &size);
        layout_index(&scratch, "wrong", &digest, size + 1, NULL);
        importing_refused(&scratch, importing_ref(&scratch, "oci:", "wrong"), "were announced");
    }
    buf_done(&good);
    buf_done(&tar);
    buf_done(&hostile);
}

Test(image_hostile, a_layer_that_was_changed_after_it_was_named) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello");
    const struct layout_layer layer = {.tar = &tar};
    struct digest digest;
    char path[256];

    scratch_init(&scratch);
    layout_make(&scratch, "lay", &layer, 1, NULL);
    digest = layout_blob(&scratch, "lay", tar.data, tar.size);
    snprintf(path, sizeof path, "lay/blobs/sha256/%s", digest.hex);
    tar.data[512] = 'J';
    scratch_write(&scratch, path, tar.data, tar.size);
    importing_refused(&scratch, importing_ref(&scratch, "oci:", "lay"), "digest mismatch");
    scratch_write(&scratch, path, tar.data, tar.size - 600);
    importing_refused(&scratch, importing_ref(&scratch, "oci:", "lay"), "layer 1 of 1");
    buf_done(&tar);
}

Test(image_hostile, an_index_without_end) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("hello"), index = BUF_INIT;
    const struct layout_layer layer = {.tar = &tar};
    struct digest digest;
    size_t size;

    scratch_init(&scratch);
    digest = layout_manifest(&scratch, "lay", &layer, 1, &size);
    for (int i = 0; i < 10; i++) {
        buf_done(&index);
        buf_printf(&index, "{\"manifests\":[{\"digest\":\"sha256:%s\",\"size\":%zu}]}", digest.hex,
                   size);
        digest = layout_blob(&scratch, "lay", index.data, index.size);
        size = index.size;
    }
    layout_index(&scratch, "lay", &digest, size, NULL);
    importing_refused(&scratch, importing_ref(&scratch, "oci:", "lay"), "without end");
    buf_done(&index);
    buf_done(&tar);
}

Test(image_hostile, documents_over_the_limit) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf big = BUF_INIT;
    struct digest digest;

    scratch_init(&scratch);
    buf_puts(&big, "{\"config\":{}");
    while (big.size < (5U << 20))
        buf_puts(&big, "                                                                ");
    buf_puts(&big, "}");
    digest = layout_blob(&scratch, "lay", big.data, big.size);
    layout_index(&scratch, "lay", &digest, big.size, NULL);
    importing_refused(&scratch, importing_ref(&scratch, "oci:", "lay"), "4 MiB");
    scratch_write(&scratch, "lay/index.json", big.data, big.size);
    importing_refused(&scratch, importing_ref(&scratch, "oci:", "lay"), "4 MiB");
    buf_done(&big);
}

Test(image_hostile, tarballs_that_are_wrong) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT, packed = BUF_INIT;

    scratch_init(&scratch);
    for (int i = 0; i < 64; i++)
        tarball_file(&tar, "file", "content");
    tarball_end(&tar);
    tarball_compress("gzip", tar.data, tar.size, &packed);
    scratch_write(&scratch, "cut.tar", tar.data, tar.size - 1024 - 700);
    importing_refused(&scratch, importing_ref(&scratch, "", "cut.tar"), "cut short");
    /* At the end of an entry, where nothing but the missing end mark tells. */
    scratch_write(&scratch, "cut.tar", tar.data, (size_t)1024 * 10);
    importing_refused(&scratch, importing_ref(&scratch, "", "cut.tar"), "cut short");
    scratch_write(&scratch, "cut.tgz", packed.data, packed.size / 2);
    importing_refused(&scratch, importing_ref(&scratch, "", "cut.tgz"), "cut short");
    scratch_write(&scratch, "empty.tar", "", 0);
    importing_refused(&scratch, importing_ref(&scratch, "", "empty.tar"), "empty");
    scratch_write(&scratch, "text.tar", "no tar", 6);
    importing_refused(&scratch, importing_ref(&scratch, "", "text.tar"), "damaged");
    scratch_write(&scratch, "good.tar", tar.data, tar.size);
    importing_refused(&scratch, importing_ref(&scratch, "docker-archive:", "good.tar"),
                      "manifest.json");
    importing_refused(&scratch, importing_ref(&scratch, "oci-archive:", "good.tar"), "index.json");
    scratch.store.max_image_bytes = 4096;
    importing_refused(&scratch, importing_ref(&scratch, "", "good.tar"), "limit");
    buf_done(&tar);
    buf_done(&packed);
}

Test(image_hostile, docker_archives_that_are_wrong) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = importing_tar("x"), archive = BUF_INIT;
    const struct layout_layer wrong = {.tar = &tar, .diff_id = OTHER};

    scratch_init(&scratch);
    layout_docker(&archive, &wrong, 1, "a:1");
    scratch_write(&scratch, "a.tar", archive.data, archive.size);
    importing_refused(&scratch, importing_ref(&scratch, "docker-archive:", "a.tar"),
                      "digest mismatch");
    scratch_write(&scratch, "a.tar", archive.data, 1300);
    importing_refused(&scratch, importing_ref(&scratch, "docker-archive:", "a.tar"), "cut short");
    buf_done(&archive);
    tarball_file(&archive, "manifest.json",
                 "[{\"Config\":\"../../etc/passwd\",\"Layers\":[\"x\"]}]");
    tarball_end(&archive);
    scratch_write(&scratch, "a.tar", archive.data, archive.size);
    importing_refused(&scratch, importing_ref(&scratch, "docker-archive:", "a.tar"), "'..'");
    buf_done(&archive);
    tarball_file(&archive, "manifest.json", "[{\"Config\":\"c\",\"Layers\":[\"l\"]}]");
    tarball_file(&archive, "c", "{\"rootfs\":{\"diff_ids\":[\"sha256:" OTHER "\"]}}");
    tarball_add(&archive, &(struct tar_entry){.name = "l", .type = '2', .link = "l2"});
    tarball_add(&archive, &(struct tar_entry){.name = "l2", .type = '2', .link = "l"});
    tarball_end(&archive);
    scratch_write(&scratch, "a.tar", archive.data, archive.size);
    importing_refused(&scratch, importing_ref(&scratch, "docker-archive:", "a.tar"), "has no 'l'");
    buf_done(&archive);
    buf_done(&tar);
}
