/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords that a program keeps (a key ring, a cloud's login): it is started,
 * told the registry on its standard input, and answers on its standard output.
 * What a configuration file calls it becomes part of a program's name, so it
 * may hold no slash.
 */
#include "auth_helper.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "manifest_json.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#define DOCKER_HUB "https://index.docker.io/v1/"

enum { ANSWER_BYTES_MAX = 64 << 10 };

int auth_helper_of(const char *text, const char *registry, char **ret_helper, char **ret_server,
                   struct err *err) {
    _cleanup_json_document_ json_t *root = NULL;
    const json_t *helpers;
    const char *server = str_eq(registry, "docker.io") ? DOCKER_HUB : registry, *helper;
    int r = json_parse(text, strlen(text), JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    helpers = json_member(root, "credHelpers", JSON_OBJECT);
    helper = json_text(helpers, registry);
    if (!helper)
        helper = json_text(helpers, server);
    if (!helper)
        helper = json_text(root, "credsStore");
    if (!helper || !*helper)
        return -ENOENT;
    if (strchr(helper, '/'))
        return err_set(err, -EBADMSG, "'%.100s' is no name of a credential helper", helper);
    *ret_helper = strdup(helper);
    *ret_server = strdup(server);
    return *ret_helper && *ret_server ? 0 : err_nomem(err);
}

/* Spec: RFC 4648, section 4. */
static char *encode_base64(const unsigned char *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf buf = BUF_INIT;

    for (size_t i = 0; i < size; i += 3) {
        unsigned n = (unsigned)data[i] << 16;
        char four[4] = {0, 0, '=', '='};

        if (i + 1 < size)
            n |= (unsigned)data[i + 1] << 8;
        if (i + 2 < size)
            n |= data[i + 2];
        four[0] = digits[n >> 18];
        four[1] = digits[n >> 12 & 63];
        if (i + 1 < size)
            four[2] = digits[n >> 6 & 63];
        if (i + 2 < size)
            four[3] = digits[n & 63];
        buf_append(&buf, four, sizeof four);
    }
    return buf_take(&buf);
}

int auth_helper_parse(const char *text, size_t size, char **ret_basic, struct err *err) {
    _cleanup_json_document_ json_t *root = NULL;
    _cleanup_free_ char *both = NULL;
    const char *user, *secret;
    int r = json_parse(text, size, JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    user = json_text(root, "Username");
    secret = json_text(root, "Secret");
    if (!user || !secret)
        return err_set(err, -EBADMSG, "it answers without a name or a password");
    if (str_eq(user, "<token>"))
        return err_set(err, -ENOTSUP,
                       "it keeps a token and no password; log in with name and password");
    both = str_printf("%s:%s", user, secret);
    *ret_basic = both ? encode_base64((const unsigned char *)both, strlen(both)) : NULL;
    return *ret_basic ? 0 : err_nomem(err);
}

/* Starts the program with @in_fd and @out_fd.  Return: its process, or -errno. */
static pid_t start(const char *program, int in_fd, int out_fd) {
    char *argv[] = {(char *)program, (char *)"get", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int e;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    e = posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (e == 0)
        e = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return e ? -e : pid;
}

/* Its standard input is a file, so that it is never waited for while it waits for us. */
static int open_input(const char *server, struct err *err) {
    _cleanup_close_ int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_all(fd, server, strlen(server)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(err, "cannot make a file in /tmp");
    return take_fd(fd);
}

static int ask(const char *program, const char *server, struct buf *answer, int *ret_status,
               struct err *err) {
    _cleanup_close_ int in_fd = open_input(server, err), out_fd = -1, answer_fd = -1;
    char part[4096];
    int pipe_fds[2];
    pid_t pid;
    ssize_t n;

    if (in_fd < 0)
        return in_fd;
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return err_errno(err, "cannot make a pipe");
    answer_fd = pipe_fds[0];
    out_fd = pipe_fds[1];
    pid = start(program, in_fd, out_fd);
    if (pid < 0)
        return err_set(err, pid, "%s cannot be started (%s)", program, strerror(-pid));
    close(take_fd(out_fd));
    while ((n = read(answer_fd, part, sizeof part)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0 && answer->size + (size_t)n <= ANSWER_BYTES_MAX)
            buf_append(answer, part, (size_t)n);
    }
    while (waitpid(pid, ret_status, 0) < 0)
        if (errno != EINTR)
            return err_errno(err, "cannot wait for %s", program);
    return buf_failed(answer) ? err_nomem(err) : 0;
}

int auth_helper_get(const char *helper, const char *server, char **ret_basic, struct err *err) {
    _cleanup_free_ char *program = str_printf("docker-credential-%s", helper);
    _cleanup_buf_ struct buf answer = BUF_INIT;
    int r, status = 0;

    if (!program)
        return err_nomem(err);
    r = ask(program, server, &answer, &status, err);
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    if (status != 0 && answer.data && strstr(answer.data, "credentials not found"))
        return -ENOENT;
    if (status != 0)
        return err_set(err, -EACCES, "%s failed: %.100s", program,
                       answer.data && *answer.data ? answer.data : "it says nothing");
    r = auth_helper_parse(answer.data ? answer.data : "", answer.size, ret_basic, err);
    if (r < 0)
        err_wrap(err, "%s", program);
    return r;
}
