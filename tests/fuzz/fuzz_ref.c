/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a reference: refused, or one whose full form means the same again. */
#include "engine/base/str.h"
#include "rootfs/ref.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = strndup((const char *)data, size), *full = NULL, *again = NULL;
    struct ref ref = REF_INIT, second = REF_INIT;
    struct err err;

    if (text && ref_parse(text, &ref, &err) == 0 && ref.kind == REF_NAME) {
        full = ref_format(&ref);
        /* "a.b/c.tar" is a file where it is bare and a name where a registry stands before it. */
        if (!full || (ref_parse(full, &second, &err) < 0))
            abort();
        if (second.kind == REF_NAME) {
            again = ref_format(&second);
            if (!again || !str_eq(full, again))
                abort();
        }
    }
    ref_done(&ref);
    ref_done(&second);
    free(again);
    free(full);
    free(text);
    return 0;
}
