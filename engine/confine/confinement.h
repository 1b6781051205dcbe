/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONFINEMENT_H
#define MAYFLY_CONFINEMENT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum label_part - the parts of a label of SELinux's; the first four in their order in it */
enum label_part {
    LABEL_USER,
    LABEL_ROLE,
    LABEL_TYPE,
    LABEL_LEVEL,
    LABEL_FILETYPE, /* the type of the container's files */
    LABEL_N_PARTS,
};

/**
 * struct confinement - what a plan says of how a container is confined; all zero: the default
 * @caps_added, @caps_dropped: sets of capabilities
 * @seccomp: NULL: the default filter; "unconfined": none; else the absolute path of a profile
 * @apparmor: NULL: none; else the name of a profile that the kernel has
 * @label: by enum label_part, what a label of SELinux's is to have instead; NULL: as usual
 * @unlabelled: programs get no label of SELinux's
 * @masked: absolute paths in the container to hide as well
 * @unmasked: patterns (fnmatch(3)) of paths not to hide and not to make read-only; "ALL": all
 * @privileged: all capabilities, no filter, nothing hidden or read-only
 * @no_new_privileges: set-user-id programs and capabilities of files give nothing
 */
struct confinement {
    uint64_t caps_added, caps_dropped;
    char *seccomp;
    char *apparmor;
    char *label[LABEL_N_PARTS];
    struct strv masked, unmasked;
    bool unlabelled;
    bool privileged;
    bool no_new_privileges;
};

void confinement_done(struct confinement *confinement);

/** confinement_add_cap() - --cap-add: names with commas between.  Return: 0, -EINVAL with a text.
 */
int confinement_add_cap(struct confinement *confinement, const char *names, struct err *err);

/** confinement_drop_cap() - --cap-drop: as above. */
int confinement_drop_cap(struct confinement *confinement, const char *names, struct err *err);

/**
 * confinement_set_security() - --security-opt
 * @text: seccomp=FILE|unconfined, no-new-privileges[:true|:false], mask=PATH[:PATH]...,
 *        unmask=ALL|PATH[:PATH]..., systempaths=unconfined,
 *        label=disable|user:U|role:R|type:T|level:L|filetype:T, apparmor=PROFILE|unconfined;
 *        "=" or ":" after the name
 *
 * Return: 0, -EINVAL with a text that says what there is, -ENOENT for a file that is not there,
 * -ENOMEM.
 */
int confinement_set_security(struct confinement *confinement, const char *text, struct err *err);

/**
 * confinement_check() - what is wrong between the parts
 * Return: 0 or -EINVAL with a text.
 */
int confinement_check(const struct confinement *confinement, struct err *err);

/** confinement_caps() - the capabilities that the container has, a set of bits. */
uint64_t confinement_caps(const struct confinement *confinement);

/** confinement_has_filter() - whether the default filter is wanted. */
bool confinement_has_filter(const struct confinement *confinement);

/** confinement_profile() - the path of a filter's file, lent; NULL: none. */
const char *confinement_profile(const struct confinement *confinement);

#endif
