/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the filters of system calls that ordinary containers have as C, to
 * standard output: run by make, so that a run of mayfly finds them ready.
 */
#include "engine/confine/caps.h"
#include "engine/confine/seccomp_compile.h"

#include <stdio.h>
#include <stdlib.h>

static int print(const char *name, bool confine, bool emulate) {
    struct sock_fprog program;
    struct err err;

    if (seccomp_compile(confine, CAPS_DEFAULT, emulate, &program, &err) < 0) {
        fprintf(stderr, "filters: %s\n", err.message);
        return 1;
    }
    printf("static const struct sock_filter %s[] = {\n", name);
    for (unsigned i = 0; i < program.len; i++)
        printf("    {0x%02x, %u, %u, 0x%08x},\n", program.filter[i].code, program.filter[i].jt,
               program.filter[i].jf, program.filter[i].k);
    printf("};\n");
    free(program.filter);
    return 0;
}

int main(void) {
    printf("/* Made by tools/dev/filters.c. */\n");
    return print("filter_default", true, false) | print("filter_default_single", true, true) |
           print("filter_unconfined_single", false, true);
}
