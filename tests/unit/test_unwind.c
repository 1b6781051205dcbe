/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/unwind.h"

#include <criterion/criterion.h>
#include <string.h>

static char order[8];

static void note(void *argument) {
    strcat(order, argument);
}

Test(unwind, the_latest_first_and_once) {
    struct unwind unwind = UNWIND_INIT;

    unwind_push(&unwind, note, (char[]){"a"});
    unwind_push(&unwind, note, (char[]){"b"});
    unwind_push(&unwind, note, (char[]){"c"});
    unwind_all(&unwind);
    cr_assert_str_eq(order, "cba");
    unwind_all(&unwind);
    cr_assert_str_eq(order, "cba");
}
