/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PLATFORM_H
#define MAYFLY_PLATFORM_H

#include "engine/base/err.h"
#include "store.h"

/** struct platform - what an image runs on; Spec: OCI image-spec, image-index.md, "platform" */
struct platform {
    char os[32];
    char architecture[32]; /* as Go names them: amd64, arm64 ... */
    char variant[16];      /* "" where there is none */
};

/** platform_of_machine() - the platform for a machine as uname(2) names it ("x86_64"). */
void platform_of_machine(const char *machine, struct platform *ret_platform);

/** platform_host() - this machine's. */
void platform_host(struct platform *ret_platform);

/** platform_wanted() - what imports into a store choose: what was asked for, else this machine's.
 */
void platform_wanted(const struct store *store, struct platform *ret_platform);

/** platform_parse() - read OS/ARCHITECTURE[/VARIANT].  Return: 0 or -EINVAL with a text. */
int platform_parse(const char *text, struct platform *ret_platform, struct err *err);

/**
 * platform_match() - how well something made for @offered runs on @wanted
 * Return: 0 not at all, more is better.
 */
int platform_match(const struct platform *offered, const struct platform *wanted);

#endif
