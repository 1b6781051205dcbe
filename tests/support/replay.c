/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files that are given, each once, without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path) {
    FILE *file = fopen(path, "re");
    uint8_t *data = NULL;
    long size = -1;
    int r = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    /* Of its exact size, so that a read past the end is seen. */
    if (size >= 0 && (data = malloc((size_t)size ? (size_t)size : 1))) {
        rewind(file);
        if (fread(data, 1, (size_t)size, file) == (size_t)size)
            r = LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    if (r < 0)
        fprintf(stderr, "%s: not replayed\n", path);
    free(data);
    if (file)
        fclose(file);
    return r;
}

int main(int argc, char **argv) {
    int status = 0;

    for (int i = 1; i < argc; i++)
        if (replay(argv[i]) < 0)
            status = 1;
    return status;
}
