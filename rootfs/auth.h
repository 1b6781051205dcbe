/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_AUTH_H
#define MAYFLY_AUTH_H

#include "engine/base/err.h"

/**
 * struct auth_challenge - how a registry wants to be asked
 * @is_bearer: with a token from @realm; otherwise with name and password
 */
struct auth_challenge {
    int is_bearer;
    char *realm;
    char *service; /* NULL: none */
    char *scope;   /* NULL: none */
};

/**
 * auth_parse_challenge() - read a WWW-Authenticate header
 * Spec: RFC 7235, section 4.1; distribution, "Token Authentication Specification".
 * Return: 0, -EBADMSG with a text when it is none that is known, -ENOMEM.
 */
int auth_parse_challenge(const char *header, struct auth_challenge *ret_challenge, struct err *err);

void auth_challenge_done(struct auth_challenge *challenge);

/**
 * auth_token_url() - where to ask for a token
 * @scope: "repository:NAME:pull", when the challenge names none
 *
 * Return: to free(3); NULL when memory ran out.
 */
char *auth_token_url(const struct auth_challenge *challenge, const char *scope);

/**
 * auth_parse_file() - look up a registry in an auth file
 * @text: NUL-terminated JSON
 * @registry: host[:port]; "docker.io" is also found as Docker writes it
 * @repository: podman's files may name more than the host
 * @ret_basic: base64 of NAME:PASSWORD, to free(3)
 *
 * Spec: containers-auth.json(5).
 * Return: 0, -ENOENT when it is not there, -EBADMSG with a text, -ENOMEM.
 */
int auth_parse_file(const char *text, const char *registry, const char *repository,
                    char **ret_basic, struct err *err);

/**
 * auth_find() - look for name and password where docker and podman keep them
 *
 * $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json (of root
 * /run/containers/0/auth.json), ~/.config/containers/auth.json,
 * $DOCKER_CONFIG/config.json, ~/.docker/config.json: the first that has them.  A file may name
 * programs that keep them (auth_helper.h), which are asked first.
 * Return: 0, -ENOENT when nobody has, or -errno with a text.
 */
int auth_find(const char *registry, const char *repository, char **ret_basic, struct err *err);

#endif
