/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is confined, in podman's words: what was asked for, and what came of it. */
#include "describe.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/confine/caps.h"
#include "engine/confine/selinux.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define MAX_MAP_BYTES 65536

/* As they were asked for, "ALL" among them, or as the kernel has them. */
static void add_caps(struct value *object, const char *key, uint64_t caps, bool as_asked) {
    struct value *list = value_add(object, key, value_new(VALUE_LIST));
    _cleanup_strv_ struct strv names = {0};

    if (caps == CAPS_ALL && as_asked) {
        value_add_text(list, NULL, "ALL");
        return;
    }
    if (caps_names(caps, &names) < 0)
        return;
    for (size_t i = 0; i < names.n; i++)
        value_add_text(list, NULL, names.items[i]);
}

/* Each line of a map in /proc as INSIDE:OUTSIDE:COUNT. */
static void add_map(struct value *object, const char *key, int64_t pid, const char *file) {
    struct value *list = value_add(object, key, value_new(VALUE_LIST));
    _cleanup_free_ char *text = NULL;
    char path[64];
    const char *line;

    snprintf(path, sizeof path, "/proc/%" PRId64 "/%s", pid, file);
    if (pid <= 0 || fd_read_file(AT_FDCWD, path, MAX_MAP_BYTES, &text, NULL) < 0)
        return;
    for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        uint32_t inside, outside, count;
        char range[48];

        if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) != 3)
            return;
        snprintf(range, sizeof range, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, inside, outside, count);
        value_add_text(list, NULL, range);
    }
}

static void add_option(struct value *list, const char *name, const char *value) {
    _cleanup_free_ char *text = str_printf("%s%s", name, value);

    value_add_text(list, NULL, text);
}

static void add_security_options(struct value *config, const struct confinement *confinement) {
    static const char *const parts[] = {
        "label=user:", "label=role:", "label=type:", "label=level:", "label=filetype:"};
    struct value *list = value_add(config, "SecurityOpt", value_new(VALUE_LIST));

    if (confinement->seccomp)
        add_option(list, "seccomp=", confinement->seccomp);
    if (confinement->no_new_privileges)
        value_add_text(list, NULL, "no-new-privileges");
    if (confinement->apparmor)
        add_option(list, "apparmor=", confinement->apparmor);
    if (confinement->unlabelled)
        value_add_text(list, NULL, "label=disable");
    for (int i = 0; i < LABEL_N_PARTS; i++)
        if (confinement->label[i])
            add_option(list, parts[i], confinement->label[i]);
    for (size_t i = 0; i < confinement->masked.n; i++)
        add_option(list, "mask=", confinement->masked.items[i]);
    for (size_t i = 0; i < confinement->unmasked.n; i++)
        add_option(list, "unmask=", confinement->unmasked.items[i]);
}

void describe_labels(struct value *whole, int run_fd) {
    struct selinux labels = {0};

    if (run_fd >= 0)
        selinux_load(&labels, run_fd);
    value_add_text(whole, "ProcessLabel", labels.process);
    value_add_text(whole, "MountLabel", labels.mount);
}

void describe_confinement(struct value *whole, struct value *config, const struct plan *plan,
                          int64_t pid) {
    const struct confinement *confinement = &plan->confinement;
    struct value *maps;

    add_caps(config, "CapAdd", confinement->caps_added, true);
    add_caps(config, "CapDrop", confinement->caps_dropped, true);
    value_add_bool(config, "Privileged", confinement->privileged);
    add_security_options(config, confinement);
    value_add_text(config, "UsernsMode", plan->userns_host ? "host" : "private");
    maps = value_add(config, "IDMappings", value_new(VALUE_OBJECT));
    add_map(maps, "UidMap", pid, "uid_map");
    add_map(maps, "GidMap", pid, "gid_map");
    add_caps(whole, "EffectiveCaps", confinement_caps(confinement), false);
    add_caps(whole, "BoundingCaps", confinement_caps(confinement), false);
}
