/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/confine/selinux_context.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

struct part_case {
    const char *context;
    enum label_part part;
    const char *value, *expected; /* NULL: it is no label */
};

Test(selinux_context, parts) {
    static const struct part_case cases[] = {
        {"u:r:t:s0", LABEL_USER, "x", "x:r:t:s0"},
        {"u:r:t:s0", LABEL_ROLE, "x", "u:x:t:s0"},
        {"u:r:t:s0", LABEL_TYPE, "spc_t", "u:r:spc_t:s0"},
        {"u:r:t:s0", LABEL_LEVEL, "s0:c1,c2", "u:r:t:s0:c1,c2"},
        {"u:r:t:s0-s0:c0.c1023", LABEL_LEVEL, "s0:c1,c2", "u:r:t:s0:c1,c2"},
        {"u:r:t:s0-s0:c0.c1023", LABEL_TYPE, "x", "u:r:x:s0-s0:c0.c1023"},
        /* A policy without levels. */
        {"u:r:t", LABEL_TYPE, "x", "u:r:x"},
        {"u:r:t", LABEL_LEVEL, "s0", "u:r:t:s0"},
        {"u:r", LABEL_TYPE, "x", NULL},
        {"u:r", LABEL_LEVEL, "x", NULL},
        {"", LABEL_USER, "x", NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        char context[SELINUX_CONTEXT_BYTES];
        int r;

        strcpy(context, cases[i].context);
        r = selinux_context_set(context, cases[i].part, cases[i].value);
        cr_expect_eq(r, cases[i].expected ? 0 : -EINVAL, "%s: %d", cases[i].context, r);
        cr_expect_str_eq(context, cases[i].expected ? cases[i].expected : cases[i].context);
    }
}

Test(selinux_context, one_that_is_too_long_is_left_as_it_is) {
    char context[SELINUX_CONTEXT_BYTES] = "u:r:t:s0", type[SELINUX_CONTEXT_BYTES];

    memset(type, 'x', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    cr_expect_eq(selinux_context_set(context, LABEL_TYPE, type), -ENAMETOOLONG);
    cr_expect_str_eq(context, "u:r:t:s0");
}

Test(selinux_context, levels) {
    cr_expect_str_eq(selinux_context_level("u:r:t:s0:c1,c2"), "s0:c1,c2");
    cr_expect_str_eq(selinux_context_level("u:r:t"), "");
    cr_expect_str_eq(selinux_context_level(""), "");
}

struct setting_case {
    const char *text, *key, *expected;
};

Test(selinux_context, settings) {
    static const struct setting_case cases[] = {
        {"process = \"u:r:t:s0\"\nfile = \"u:o:f:s0\"\n", "file", "u:o:f:s0"},
        {"# SELINUXTYPE=none\nSELINUXTYPE=default\n", "SELINUXTYPE", "default"},
        {"SELINUX=enforcing\nSELINUXTYPE=targeted # the usual", "SELINUXTYPE", "targeted"},
        {"  file=\"a\"\r\n", "file", "a"},
        {"ro_file = \"a\"\nfile = \"b\"\n", "file", "b"},
        {"file\nfile=\n", "file", ""},
        {"files=a\n", "file", NULL},
        {"", "file", NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        char value[16] = "";
        int r = selinux_setting(cases[i].text, cases[i].key, value, sizeof value);

        cr_expect_eq(r, cases[i].expected ? 0 : -ENOENT, "%s", cases[i].text);
        cr_expect_str_eq(value, cases[i].expected ? cases[i].expected : "");
    }
    cr_expect_eq(selinux_setting("a=12345678", "a", (char[8]){""}, 8), -ENAMETOOLONG);
}
