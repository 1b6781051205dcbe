/* SPDX-License-Identifier: Apache-2.0 */
#include "ground.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy_busybox(const struct scratch *scratch) {
    _cleanup_close_ int from = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int to = openat(scratch->fd, "root/bin/busybox", O_WRONLY | O_CREAT, 0755);
    struct stat st;

    cr_assert(from >= 0 && to >= 0 && fstat(from, &st) == 0, "busybox-static is needed");
    while (st.st_size > 0) {
        ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

        cr_assert_gt(n, 0);
        st.st_size -= n;
    }
}

void ground_option(const struct ground *ground, const char *name, const char *value) {
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_plan_option(ground->plan, name, value, &error), 0, "%s", error.message);
}

void ground_init(struct ground *ground) {
    static const char *const applets[] = {"sh", "cat", "tr", "kill", "id", "head", "yes", "sleep"};
    struct mayfly_error error = {0};
    char path[300];

    scratch_init(&ground->scratch);
    cr_assert_eq(chmod(ground->scratch.path, 0755), 0);
    cr_assert_eq(mkdirat(ground->scratch.fd, "root", 0755), 0);
    cr_assert_eq(mkdirat(ground->scratch.fd, "root/bin", 0755), 0);
    copy_busybox(&ground->scratch);
    for (size_t i = 0; i < N_ELEMENTS(applets); i++) {
        snprintf(path, sizeof path, "root/bin/%s", applets[i]);
        cr_assert_eq(symlinkat("busybox", ground->scratch.fd, path), 0);
    }
    snprintf(path, sizeof path, "%s/root", ground->scratch.path);
    cr_assert_eq(mayfly_plan_new(path, &ground->plan, &error), 0, "%s", error.message);
    snprintf(path, sizeof path, "%s/store", ground->scratch.path);
    cr_assert_eq(setenv("MAYFLY_STORE", path, 1), 0);
    ground_option(ground, "net", "none");
}

void ground_done(struct ground *ground) {
    mayfly_plan_free(ground->plan);
    scratch_done(&ground->scratch);
}

struct mayfly_container *ground_start(const struct ground *ground) {
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_start(ground->plan, &container, &error), 0, "%s", error.message);
    return container;
}

struct mayfly_result ground_exec(struct mayfly_container *container,
                                 const struct mayfly_command *command) {
    struct mayfly_error error = {0};
    struct mayfly_result result;

    cr_assert_eq(mayfly_exec(container, command, &result, &error), 0, "%s", error.message);
    return result;
}

int ground_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

void ground_import(struct ground *ground, const char *name) {
    struct mayfly_error error = {0};
    char root[300], tar[300];
    int status = -1;
    pid_t pid;

    snprintf(root, sizeof root, "%s/root", ground->scratch.path);
    snprintf(tar, sizeof tar, "%s/root.tar", ground->scratch.path);
    pid = fork();
    if (pid == 0) {
        execlp("tar", "tar", "-C", root, "-cf", tar, ".", NULL);
        _exit(1);
    }
    cr_assert(waitpid(pid, &status, 0) == pid && status == 0);
    cr_assert_eq(mayfly_image_import(NULL, tar, name, NULL, &error), 0, "%s", error.message);
    mayfly_plan_free(ground->plan);
    cr_assert_eq(mayfly_plan_new(name, &ground->plan, &error), 0, "%s", error.message);
    ground_option(ground, "net", "none");
}

int ground_nothing(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    return 0;
}
