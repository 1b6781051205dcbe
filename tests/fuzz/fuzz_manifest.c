/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a manifest, an index, a configuration, a docker-archive's list, and a record. */
#include "rootfs/manifest.h"
#include "rootfs/record.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    struct docker_manifest docker = {0};
    struct manifest manifest = MANIFEST_INIT;
    const char *text = (const char *)data;
    struct image image = IMAGE_INIT;
    struct platform platform;
    struct err err;
    char *copy;

    platform_of_machine("x86_64", &platform);
    if (manifest_parse(text, size, &manifest, &err) == 0 && manifest.is_index)
        (void)manifest_choose(&manifest, NULL, &platform, &err);
    manifest_done(&manifest);
    if (manifest_parse_config(text, size, &description, &err) == 0)
        image_description_done(&description);
    if (manifest_parse_docker(text, size, &docker, &err) == 0)
        docker_manifest_done(&docker);
    copy = malloc(size + 1);
    if (copy) {
        if (size > 0)
            memcpy(copy, data, size);
        copy[size] = '\0';
        if (record_decode(copy, size, &image) == 0)
            image_done(&image);
        free(copy);
    }
    return 0;
}
