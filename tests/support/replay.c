/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over the files that are given, without libFuzzer: each
 * once, and where MUTATIONS=N says so, also its beginnings (a thousand of a
 * longer one) and N changed forms of it, the same ones each time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEGINNINGS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of targets whose inputs have sums that nobody would get past otherwise: makes them right. */
void fuzz_mend(uint8_t *data, size_t size) __attribute__((weak));

static uint64_t random_next(void) {
    static uint64_t state = 1;
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A copy of its exact size, with @n_changes bytes that are something else. */
static int run_changed(const uint8_t *data, size_t size, unsigned n_changes) {
    uint8_t *copy = malloc(size ? size : 1);
    int r = -1;

    if (copy) {
        if (size > 0)
            memcpy(copy, data, size);
        while (size > 0 && n_changes-- > 0)
            copy[random_next() % size] = (uint8_t)random_next();
        if (fuzz_mend && random_next() % 4 != 0)
            fuzz_mend(copy, size);
        r = LLVMFuzzerTestOneInput(copy, size);
    }
    free(copy);
    return r;
}

static int replay_changed(const uint8_t *data, size_t size) {
    const char *text = getenv("MUTATIONS");
    unsigned long n = text ? strtoul(text, NULL, 10) : 0;
    int r = 0;

    for (size_t i = 0; n > 0 && r >= 0 && i < size; i += 1 + size / BEGINNINGS_MAX)
        r = run_changed(data, i, 0);
    for (unsigned long i = 0; r >= 0 && i < n; i++)
        r = run_changed(data, size, 1 + (unsigned)(random_next() % 8));
    return r;
}

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
        if (r >= 0)
            r = replay_changed(data, (size_t)size);
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
