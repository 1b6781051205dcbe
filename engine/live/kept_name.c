/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none: a colour and an insect, since mayflies are short of
 * company. */
#include "kept_name.h"

#include "engine/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const colors[] = {
    "amber", "azure", "black", "blue",  "bronze", "brown", "copper", "coral",
    "gold",  "green", "grey",  "ivory", "jade",   "olive", "pearl",  "red",
};

static const char *const insects[] = {
    "ant",     "bee",    "beetle", "cicada",  "cricket",  "damsel",  "dragon", "earwig",
    "firefly", "gnat",   "hornet", "katydid", "lacewing", "locust",  "mantis", "midge",
    "moth",    "sawfly", "scarab", "skipper", "stonefly", "termite", "wasp",   "weevil",
};

void kept_name_make(const char *id, unsigned attempt, char ret_name[KEPT_NAME_BYTES]) {
    char digits[9];
    unsigned long bits;

    snprintf(digits, sizeof digits, "%s", id);
    bits = strtoul(digits, NULL, 16) + attempt;
    snprintf(ret_name, KEPT_NAME_BYTES, "%s_%s", colors[bits % N_ELEMENTS(colors)],
             insects[bits / N_ELEMENTS(colors) % N_ELEMENTS(insects)]);
    if (attempt >= 10) {
        char number[12];

        snprintf(number, sizeof number, "%u", attempt);
        snprintf(ret_name, KEPT_NAME_BYTES, "%s_%s%s", colors[bits % N_ELEMENTS(colors)],
                 insects[bits / N_ELEMENTS(colors) % N_ELEMENTS(insects)], number);
    }
}
