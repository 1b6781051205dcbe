/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DOCTOR_H
#define MAYFLY_DOCTOR_H

#include <stddef.h>

enum finding_level {
    FINDING_OK,
    FINDING_NOTE,    /* something works in a lesser way */
    FINDING_PROBLEM, /* runs fail */
};

/** struct finding - what the host offers on one point */
struct finding {
    enum finding_level level;
    const char *topic; /* static, a few words */
    char text[320];    /* what was found and, unless all is well, how to mend it */
};

/**
 * doctor() - look at everything that mayfly needs of its host
 * @store: as in struct plan; may be NULL
 * @emit: called for each finding, in order
 *
 * Return: the number of problems.
 */
int doctor(const char *store, void (*emit)(void *context, const struct finding *finding),
           void *context);

#endif
