/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels of SELinux's, as Podman gives them: programs of all containers have one
 * type, which may touch files of one other type and little else of the host's; two
 * random categories keep containers from each other.  The names of the types are the
 * policy's, in its file of "contexts" for containers.
 *
 * Labels are mount options of what a container mounts for itself, so that no image
 * has to be labelled; and what a program is to have is asked for right before its
 * execve(2).  PID 1 remains mayfly, with the label of who started it.
 *
 * No library is needed: the kernel takes all questions as files of selinuxfs.
 */
#include "selinux.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SELINUXFS "/sys/fs/selinux/"
#define LABEL_FILE "label"
#define MAX_FILE_BYTES (64u << 10)
#define N_CATEGORIES 1024
#define MAX_TRIES 1000

/* What Podman gives to files of containers whose programs have no label. */
#define UNLABELLED_CATEGORIES "c1022,c1023"

bool selinux_is_here(void) {
    static int is_here = -1;

    if (is_here < 0)
        is_here = access(SELINUXFS "enforce", F_OK) == 0;
    return is_here;
}

/* The policy's own words for containers.  -ENOENT: it has none. */
static int read_contexts(bool boots, struct selinux *labels) {
    _cleanup_free_ char *config = NULL, *path = NULL, *contexts = NULL;
    char policy[64] = "targeted";
    int r = -ENOENT;

    if (fd_read_file(AT_FDCWD, "/etc/selinux/config", MAX_FILE_BYTES, &config, NULL) == 0)
        (void)selinux_setting(config, "SELINUXTYPE", policy, sizeof policy);
    path = str_printf("/etc/selinux/%s/contexts/lxc_contexts", policy);
    if (!path)
        return -ENOMEM;
    if (fd_read_file(AT_FDCWD, path, MAX_FILE_BYTES, &contexts, NULL) < 0)
        return -ENOENT;
    if (boots)
        r = selinux_setting(contexts, "init_process", labels->process, sizeof labels->process);
    if (r < 0)
        r = selinux_setting(contexts, "process", labels->process, sizeof labels->process);
    if (r == 0)
        r = selinux_setting(contexts, "file", labels->shared, sizeof labels->shared);
    if (r == 0 && selinux_setting(contexts, "ro_file", labels->images, sizeof labels->images) < 0)
        memcpy(labels->images, labels->shared, sizeof labels->images);
    return r;
}

/* Asks a file of selinuxfs; the answer stands in @text, which held the question.  -errno. */
static int ask(const char *name, char *text, size_t size) {
    _cleanup_close_ int fd = open(name, O_RDWR | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text) + 1);

    if (n >= 0)
        n = read(fd, text, size - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    return 0;
}

static bool is_known(const char *context) {
    char text[SELINUX_CONTEXT_BYTES + 64];

    snprintf(text, sizeof text, "%s", context);
    return ask(SELINUXFS "context", text, sizeof text) == 0;
}

static unsigned long read_number(const char *path) {
    _cleanup_free_ char *text = NULL;

    return fd_read_file(AT_FDCWD, path, 64, &text, NULL) < 0 ? 0 : strtoul(text, NULL, 10);
}

/* Whether the policy lets this process start one with that label; what cannot be found out is left
 * to execve(2). */
static bool may_start(const char *context, const char *own) {
    unsigned long class = read_number(SELINUXFS "class/process/index");
    unsigned long bit = read_number(SELINUXFS "class/process/perms/transition");
    char text[2 * SELINUX_CONTEXT_BYTES + 128];

    if (read_number(SELINUXFS "enforce") == 0 || class == 0 || bit == 0 || bit > 32)
        return true;
    snprintf(text, sizeof text, "%s %s %lu", own, context, class);
    return ask(SELINUXFS "access", text, sizeof text) < 0 ||
           strtoul(text, NULL, 16) & 1UL << (bit - 1);
}

static int check(const struct selinux *labels, struct err *err) {
    _cleanup_free_ char *own = NULL;
    const char *wrong = !is_known(labels->mount)                         ? labels->mount
                        : !is_known(labels->images)                      ? labels->images
                        : *labels->process && !is_known(labels->process) ? labels->process
                                                                         : NULL;

    if (wrong)
        return err_set(err, -EINVAL,
                       "--security-opt label: SELinux's policy here knows no label %s", wrong);
    if (!*labels->process ||
        fd_read_file(AT_FDCWD, "/proc/thread-self/attr/current", MAX_FILE_BYTES, &own, NULL) < 0 ||
        may_start(labels->process, own))
        return 0;
    return err_set(
        err, -EACCES,
        "SELinux lets no program of %s start one of %s: label mayfly as its policy labels "
        "container engines (chcon -t container_runtime_exec_t), or give --security-opt "
        "label=disable",
        own, labels->process);
}

/* What the options change, in both labels as with Podman. */
static int apply(struct selinux *labels, const struct confinement *wanted) {
    int r = 0;

    for (int part = 0; r == 0 && part <= LABEL_LEVEL; part++) {
        const char *value = wanted->label[part];

        if (!value)
            continue;
        r = selinux_context_set(labels->process, (enum label_part)part, value);
        if (r == 0 && (part == LABEL_USER || part == LABEL_LEVEL))
            r = selinux_context_set(labels->mount, (enum label_part)part, value);
    }
    if (r == 0 && wanted->label[LABEL_FILETYPE])
        r = selinux_context_set(labels->mount, LABEL_TYPE, wanted->label[LABEL_FILETYPE]);
    return r;
}

static int write_record(const struct selinux *labels, int run_fd) {
    _cleanup_close_ int fd =
        openat(run_fd, LABEL_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char text[2 * SELINUX_CONTEXT_BYTES + 2];

    snprintf(text, sizeof text, "%s\n%s\n", labels->process, labels->mount);
    return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

void selinux_load(struct selinux *ret_labels, int run_fd) {
    _cleanup_free_ char *text = NULL;
    char *end;

    *ret_labels = (struct selinux){0};
    if (fd_read_file(run_fd, LABEL_FILE, MAX_FILE_BYTES, &text, NULL) < 0)
        return;
    end = strchrnul(text, '\n');
    if (!*end || (size_t)(end - text) >= sizeof ret_labels->process)
        return;
    *end = '\0';
    memcpy(ret_labels->process, text, (size_t)(end - text) + 1);
    snprintf(ret_labels->mount, sizeof ret_labels->mount, "%.*s", (int)strcspn(end + 1, "\n"),
             end + 1);
}

/* Whether another run has that level.  Both were written down before either looks. */
static bool is_taken(const char *level, int runs_fd, int run_fd) {
    int list = openat(runs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = list < 0 ? NULL : fdopendir(list);
    bool taken = false;
    struct dirent *entry;
    struct stat own, st;

    if (!dir || fstat(run_fd, &own) < 0)
        return false;
    while (!taken && (entry = readdir(dir))) {
        _cleanup_close_ int fd = entry->d_name[0] == '.' ? -1
                                                         : openat(runs_fd, entry->d_name,
                                                                  O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct selinux other;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino == own.st_ino)
            continue;
        selinux_load(&other, fd);
        taken = str_eq(selinux_context_level(other.mount), level);
    }
    return taken;
}

/* Two categories that no other container has, as the level of both labels. */
static int choose_level(struct selinux *labels, int runs_fd, int run_fd) {
    char level[64];

    for (int tries = 0; tries < MAX_TRIES; tries++) {
        uint16_t bits[2];
        int a, b, r;

        if (getrandom(bits, sizeof bits, 0) != sizeof bits)
            return -EIO;
        a = bits[0] % N_CATEGORIES;
        b = bits[1] % N_CATEGORIES;
        if (a == b)
            continue;
        snprintf(level, sizeof level, "%.32s:c%d,c%d", selinux_context_level(labels->shared),
                 a < b ? a : b, a < b ? b : a);
        r = selinux_context_set(labels->process, LABEL_LEVEL, level);
        if (r == 0)
            r = selinux_context_set(labels->mount, LABEL_LEVEL, level);
        if (r == 0)
            r = write_record(labels, run_fd);
        if (r < 0 || !is_taken(level, runs_fd, run_fd))
            return r;
    }
    return -EBUSY;
}

static int make(struct selinux *labels, const struct confinement *wanted, int runs_fd, int run_fd) {
    bool has_levels = read_number(SELINUXFS "mls") != 0 && *selinux_context_level(labels->shared);
    char level[64];
    int r = 0;

    memcpy(labels->mount, labels->shared, sizeof labels->mount);
    if (wanted->unlabelled || wanted->privileged) {
        labels->process[0] = '\0';
        snprintf(level, sizeof level, "%.32s:" UNLABELLED_CATEGORIES,
                 selinux_context_level(labels->shared));
        return has_levels ? selinux_context_set(labels->mount, LABEL_LEVEL, level) : 0;
    }
    if (has_levels && !wanted->label[LABEL_LEVEL])
        r = choose_level(labels, runs_fd, run_fd);
    return r < 0 ? r : apply(labels, wanted);
}

int selinux_prepare(struct selinux *ret_labels, const struct confinement *wanted, bool boots,
                    int runs_fd, int run_fd, struct err *err) {
    struct selinux *labels = ret_labels;
    bool is_asked_for = false;
    int r;

    *labels = (struct selinux){0};
    if (!selinux_is_here())
        return 0;
    for (int i = 0; i < LABEL_N_PARTS; i++)
        is_asked_for |= wanted->label[i] != NULL;
    r = read_contexts(boots, labels);
    if (r == 0 && !is_asked_for && (!is_known(labels->process) || !is_known(labels->shared)))
        r = -ENOENT;
    if (r == -ENOENT) {
        *labels = (struct selinux){0};
        return is_asked_for ? err_set(err, -EOPNOTSUPP,
                                      "--security-opt label: the policy of SELinux's here knows no "
                                      "containers (contexts/lxc_contexts)")
                            : 0;
    }
    if (r == 0)
        r = make(labels, wanted, runs_fd, run_fd);
    if (r == 0)
        r = write_record(labels, run_fd);
    if (r < 0)
        return err_set(err, r, "cannot choose a label of SELinux's: %s", strerror(-r));
    return check(labels, err);
}
