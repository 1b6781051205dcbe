/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this process stands in the host's control groups.
 *
 * Version 2 is one hierarchy for all controllers; version 1 has one for each, or
 * for several at once, and a host may have both, each controller bound to one of
 * them.  /proc/self/cgroup tells the process's group in each hierarchy,
 * /proc/self/mountinfo where hierarchies are mounted and which part of them: a
 * mount may begin below the hierarchy's top, in a container for instance.
 */
#include "cgroup_host.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>

#define MAX_PROC_BYTES (16u << 20)

const struct cgroup_controller cgroup_controllers[CGROUP_N_CONTROLLERS] = {
    {CGROUP_CPU, "cpu", "cpu", "--cpus"},
    {CGROUP_CPUACCT, NULL, "cpuacct", NULL},
    {CGROUP_CPUSET, "cpuset", "cpuset", "--cpuset"},
    {CGROUP_FREEZER, NULL, "freezer", NULL},
    {CGROUP_IO, "io", "blkio", "--io-max"},
    {CGROUP_MEMORY, "memory", "memory", "--memory"},
    {CGROUP_PIDS, "pids", "pids", "--pids"},
};

unsigned cgroup_controllers_parse(const char *list, const char *separators, bool is_v2) {
    unsigned mask = 0;

    for (const char *p = list; *(p += strspn(p, separators));) {
        size_t n = strcspn(p, separators);

        for (size_t i = 0; i < CGROUP_N_CONTROLLERS; i++) {
            const char *name = is_v2 ? cgroup_controllers[i].v2 : cgroup_controllers[i].v1;

            if (name && strlen(name) == n && strncmp(name, p, n) == 0)
                mask |= cgroup_controllers[i].bit;
        }
        p += n;
    }
    return mask;
}

const struct cgroup_controller *cgroup_controller_first(unsigned mask) {
    size_t i = 0;

    while (i + 1 < CGROUP_N_CONTROLLERS && !(mask & cgroup_controllers[i].bit))
        i++;
    return &cgroup_controllers[i];
}

/* One line of mountinfo, as far as it matters here; all point into the line, which is cut up. */
struct mount_line {
    char *root;
    char *point;
    char *options;
    char *type;
    char *super_options;
};

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL]... - TYPE SOURCE SUPER_OPTIONS */
static bool parse_mount(char *line, struct mount_line *mount) {
    char *words[6], *rest = line, *tail;

    for (size_t i = 0; i < N_ELEMENTS(words); i++) {
        words[i] = strsep(&rest, " ");
        if (!rest)
            return false;
    }
    if (strncmp(rest, "- ", 2) == 0) {
        tail = rest + 2;
    } else {
        tail = strstr(rest, " - ");
        if (!tail)
            return false;
        tail += 3;
    }
    mount->root = words[3];
    mount->point = words[4];
    mount->options = words[5];
    mount->type = strsep(&tail, " ");
    if (!strsep(&tail, " ") || !tail)
        return false;
    mount->super_options = tail;
    str_unescape_octal(mount->root);
    str_unescape_octal(mount->point);
    return true;
}

static bool has_option(const char *options, const char *name) {
    size_t n = strlen(name);

    for (const char *p = options; *(p += strspn(p, ","));) {
        size_t length = strcspn(p, ",");

        if (length == n && strncmp(p, name, n) == 0)
            return true;
        p += length;
    }
    return false;
}

/* Where @group can be seen below a mount; NULL when it is outside of what is mounted. */
static char *below_mount(const struct mount_line *mount, const char *group) {
    const char *rest = str_eq(mount->root, "/") ? group : str_after(group, mount->root);

    if (!rest || (*rest && *rest != '/') || strstr(group, "/../") || str_eq(group, "/.."))
        return NULL;
    if (str_eq(rest, "/"))
        rest = "";
    return str_printf("%s%s", mount->point, rest);
}

static int fill(struct cgroup_place *place, const struct mount_line *mount, const char *group) {
    char *own = below_mount(mount, group);

    if (!own)
        return 0;
    place->own = own;
    place->top = strdup(mount->point);
    place->is_read_only =
        has_option(mount->options, "ro") || has_option(mount->super_options, "ro");
    return place->top ? 1 : -ENOMEM;
}

/* Looks for a mount of the hierarchy; version 2 when @controllers is 0. */
static int find_mount(struct cgroup_place *place, const char *mounts, unsigned controllers,
                      const char *group) {
    _cleanup_free_ char *text = strdup(mounts);
    char *rest = text, *line;

    if (!text)
        return -ENOMEM;
    while ((line = strsep(&rest, "\n"))) {
        struct mount_line mount;
        int r;

        if (!parse_mount(line, &mount) || !str_eq(mount.type, controllers ? "cgroup" : "cgroup2"))
            continue;
        if (controllers &&
            !(cgroup_controllers_parse(mount.super_options, ",", false) & controllers))
            continue;
        r = fill(place, &mount, group);
        if (r != 0)
            return r;
    }
    return 0;
}

int cgroup_host_parse(struct cgroup_host *host, const char *memberships, const char *mounts) {
    _cleanup_free_ char *text = strdup(memberships);
    char *rest = text, *line;
    int r = 0;

    *host = (struct cgroup_host){0};
    if (!text)
        return -ENOMEM;
    /* ID:CONTROLLER,CONTROLLER...:GROUP; version 2 has no list. */
    while (r >= 0 && (line = strsep(&rest, "\n"))) {
        const char *names = (strsep(&line, ":"), strsep(&line, ":"));
        unsigned controllers;

        if (!names || !line)
            continue;
        controllers = cgroup_controllers_parse(names, ",", false);
        if (!*names && !host->v2.own) {
            r = find_mount(&host->v2, mounts, 0, line);
        } else if (controllers && host->n_v1 < CGROUP_HOST_MAX) {
            struct cgroup_place *place = &host->v1[host->n_v1];

            place->controllers = controllers;
            r = find_mount(place, mounts, controllers, line);
            host->n_v1 += r > 0;
        }
    }
    if (r < 0)
        cgroup_host_done(host);
    return r < 0 ? r : 0;
}

int cgroup_host_read(struct cgroup_host *host, struct err *err) {
    _cleanup_free_ char *memberships = NULL, *mounts = NULL;
    int r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", MAX_PROC_BYTES, &memberships, NULL);

    *host = (struct cgroup_host){0};
    /* Linux without control groups has no such file. */
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MAX_PROC_BYTES, &mounts, NULL);
    if (r == 0)
        r = cgroup_host_parse(host, memberships, mounts);
    return r < 0 ? err_set(err, r, "cannot read this process's control groups from /proc") : 0;
}

static void place_done(struct cgroup_place *place) {
    free(place->top);
    free(place->own);
}

void cgroup_host_done(struct cgroup_host *host) {
    place_done(&host->v2);
    for (size_t i = 0; i < N_ELEMENTS(host->v1); i++)
        place_done(&host->v1[i]);
    *host = (struct cgroup_host){0};
}

const struct cgroup_place *cgroup_host_v1(const struct cgroup_host *host, unsigned controller) {
    for (size_t i = 0; i < host->n_v1; i++)
        if (host->v1[i].controllers & controller)
            return &host->v1[i];
    return NULL;
}
