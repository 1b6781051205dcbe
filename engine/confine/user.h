/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_USER_H
#define MAYFLY_USER_H

#include "engine/base/err.h"

#include <stddef.h>
#include <sys/types.h>

/** USER_MAX_GROUPS - supplementary groups that are kept. */
#define USER_MAX_GROUPS 64

/**
 * struct user - who a step runs as
 * @home: to free(3)
 */
struct user {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_MAX_GROUPS];
    size_t n_groups;
    char *home;
};

/**
 * user_lookup() - find a user in an image's files
 * @spec: USER[:GROUP], each a name or a number; NULL or "": root
 * @passwd, @group: the texts of /etc/passwd and /etc/group; "" when there is none
 *
 * A number needs no entry: its group is then 0 and its home "/".  Pure.
 * Spec: OCI image-spec, config.md, "User"; passwd(5), group(5).
 * Return: 0, -ENOENT for an unknown name or -EINVAL for a bad number with a text, -ENOMEM.
 */
int user_lookup(struct user *ret_user, const char *spec, const char *passwd, const char *group,
                struct err *err);

void user_done(struct user *user);

#endif
