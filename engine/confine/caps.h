/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CAPS_H
#define MAYFLY_CAPS_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <linux/capability.h>
#include <stdint.h>

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

/** CAPS_ALL - every capability, those that the kernel has yet to get included. */
#define CAPS_ALL UINT64_MAX

/** CAPS_DEFAULT - what a container has unless told otherwise: the set that Podman gives. */
#define CAPS_DEFAULT                                                                               \
    (CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_FOWNER) |                     \
     CAPS_BIT(CAP_FSETID) | CAPS_BIT(CAP_KILL) | CAPS_BIT(CAP_NET_BIND_SERVICE) |                  \
     CAPS_BIT(CAP_SETFCAP) | CAPS_BIT(CAP_SETGID) | CAPS_BIT(CAP_SETPCAP) | CAPS_BIT(CAP_SETUID) | \
     CAPS_BIT(CAP_SYS_CHROOT))

/**
 * caps_parse() - a capability by its name
 * @name: "NET_ADMIN", "CAP_NET_ADMIN", in any case, or "ALL"
 * @ret_caps: a set of bits; CAPS_ALL for "ALL"
 *
 * Return: 0, or -EINVAL with a text.
 */
int caps_parse(const char *name, uint64_t *ret_caps, struct err *err);

/**
 * caps_names() - append the names of a set's capabilities, in capitals, as far as the kernel has
 * them
 *
 * Return: 0 or -ENOMEM.
 */
int caps_names(uint64_t caps, struct strv *names);

/**
 * caps_confine() - give up all capabilities but those of the container
 * @caps: a set of bits; those that the kernel does not have count for nothing
 * @kept: capabilities that this process keeps for itself all the same, and does not hand on to a
 *        program that it starts
 *
 * Afterwards no program that this process starts has, or can get, another one than @caps, all of
 * them over the container's user namespace alone.  None is inheritable or ambient (CVE-2022-24769).
 * Context: PID 1, after pivot.
 * Spec: capabilities(7).
 * Return: 0 or -errno with a text.
 */
int caps_confine(uint64_t caps, uint64_t kept, struct err *err);

#endif
