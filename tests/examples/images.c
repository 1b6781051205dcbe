/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a tarball in as an image and lists what is in the store: images STORE TARBALL NAME */
#include <mayfly.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct mayfly_error error;
    struct mayfly_image *images;
    size_t n;

    if (argc != 4)
        return 2;
    if (mayfly_image_import(argv[1], argv[2], argv[3], NULL, &error) < 0 ||
        mayfly_image_list(argv[1], &images, &n, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        printf("%s\n", images[i].name ? images[i].name : images[i].id);
    mayfly_image_list_free(images, n);
    return 0;
}
