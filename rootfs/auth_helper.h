/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_AUTH_HELPER_H
#define MAYFLY_AUTH_HELPER_H

#include "engine/base/err.h"

#include <stddef.h>

/**
 * auth_helper_of() - which program keeps a registry's password
 * @text: NUL-terminated JSON of an auth file
 * @registry: host[:port]
 * @ret_helper: the NAME of docker-credential-NAME, to free(3)
 * @ret_server: what the program knows the registry by, to free(3)
 *
 * An entry of credHelpers goes before credsStore.
 * Return: 0, -ENOENT when no program does, -EBADMSG with a text, -ENOMEM.
 */
int auth_helper_of(const char *text, const char *registry, char **ret_helper, char **ret_server,
                   struct err *err);

/**
 * auth_helper_parse() - read what such a program answers
 * @ret_basic: base64 of NAME:PASSWORD, to free(3)
 *
 * Return: 0, -EBADMSG or -ENOTSUP with a text, -ENOMEM.
 */
int auth_helper_parse(const char *text, size_t size, char **ret_basic, struct err *err);

/**
 * auth_helper_get() - ask the program docker-credential-@helper of the PATH
 *
 * Spec: docker-credential-helpers, "get".
 * Context: starts a process and waits for it; a process with a single thread.
 * Return: 0, -ENOENT when it knows no password, or -errno with a text.
 */
int auth_helper_get(const char *helper, const char *server, char **ret_basic, struct err *err);

#endif
