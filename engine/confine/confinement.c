/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people write of a container's confinement, in the words of Docker and
 * Podman.  Pure but for the name of a profile's file, which is made absolute
 * while the directory that it is relative to is still the person's own.
 */
#include "confinement.h"

#include "caps.h"
#include "engine/base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void confinement_done(struct confinement *confinement) {
    free(confinement->seccomp);
    free(confinement->apparmor);
    for (int i = 0; i < LABEL_N_PARTS; i++)
        free(confinement->label[i]);
    strv_done(&confinement->masked);
    strv_done(&confinement->unmasked);
    *confinement = (struct confinement){0};
}

/* The parts of @text between @separator; empty ones are left out. */
static int split(const char *text, char separator, struct strv *parts) {
    const char set[] = {separator, '\0'};

    for (const char *p = text + strspn(text, set); *p; p += strspn(p, set)) {
        size_t length = strcspn(p, set);

        if (strv_push_take(parts, strndup(p, length)) < 0)
            return -ENOMEM;
        p += length;
    }
    return 0;
}

static int add_caps(uint64_t *caps, const char *option, const char *names, struct err *err) {
    _cleanup_strv_ struct strv list = {0};

    if (split(names, ',', &list) < 0)
        return err_nomem(err);
    if (list.n == 0)
        return err_set(err, -EINVAL,
                       "%s: no capability is named; give one such as NET_ADMIN, or ALL", option);
    for (size_t i = 0; i < list.n; i++) {
        uint64_t more;

        if (caps_parse(list.items[i], &more, err) < 0)
            return err_wrap(err, "%s", option);
        *caps |= more;
    }
    return 0;
}

int confinement_add_cap(struct confinement *confinement, const char *names, struct err *err) {
    return add_caps(&confinement->caps_added, "--cap-add", names, err);
}

int confinement_drop_cap(struct confinement *confinement, const char *names, struct err *err) {
    return add_caps(&confinement->caps_dropped, "--cap-drop", names, err);
}

static int set_seccomp(struct confinement *confinement, const char *value, struct err *err) {
    char *path = str_eq(value, "unconfined") ? strdup(value) : realpath(value, NULL);

    if (!path && errno == ENOMEM)
        return err_nomem(err);
    if (!path)
        return err_errno(err, "--security-opt seccomp=%s: a profile's file, or 'unconfined'",
                         value);
    free(confinement->seccomp);
    confinement->seccomp = path;
    return 0;
}

static int set_no_new_privileges(struct confinement *confinement, const char *value,
                                 struct err *err) {
    if (!str_eq(value, "") && !str_eq(value, "true") && !str_eq(value, "false"))
        return err_set(err, -EINVAL,
                       "--security-opt no-new-privileges: '%s' is neither true nor false", value);
    confinement->no_new_privileges = !str_eq(value, "false");
    return 0;
}

static int add_paths(struct strv *paths, const char *option, const char *value, bool takes_all,
                     struct err *err) {
    _cleanup_strv_ struct strv list = {0};

    if (split(value, ':', &list) < 0)
        return err_nomem(err);
    if (list.n == 0)
        return err_set(err, -EINVAL, "--security-opt %s: no path is given", option);
    for (size_t i = 0; i < list.n; i++) {
        bool all = takes_all && strcasecmp(list.items[i], "ALL") == 0;

        if (!all && list.items[i][0] != '/')
            return err_set(err, -EINVAL, "--security-opt %s: '%s' is not an absolute path", option,
                           list.items[i]);
        if (strv_push(paths, all ? "ALL" : list.items[i]) < 0)
            return err_nomem(err);
    }
    return 0;
}

/* Where there is no SELinux, all of them are taken, and mean nothing. */
static int set_label(struct confinement *confinement, const char *value, struct err *err) {
    static const char *const words[LABEL_N_PARTS] = {
        "user:", "role:", "type:", "level:", "filetype:"};

    if (str_eq(value, "disable")) {
        confinement->unlabelled = true;
        return 0;
    }
    for (size_t i = 0; i < N_ELEMENTS(words); i++) {
        const char *part = str_after(value, words[i]);

        if (part && *part)
            return str_set(&confinement->label[i], part, err);
    }
    if (str_eq(value, "nested") && access("/sys/fs/selinux/enforce", F_OK) < 0)
        return 0;
    return err_set(err, -EINVAL,
                   "--security-opt label=%s: use disable, type:T, level:L, user:U, role:R or "
                   "filetype:T",
                   value);
}

static int set_apparmor(struct confinement *confinement, const char *value, struct err *err) {
    if (!*value)
        return err_set(err, -EINVAL, "--security-opt apparmor: a profile's name, or 'unconfined'");
    free(confinement->apparmor);
    confinement->apparmor = str_eq(value, "unconfined") ? NULL : strdup(value);
    return confinement->apparmor || str_eq(value, "unconfined") ? 0 : err_nomem(err);
}

int confinement_set_security(struct confinement *confinement, const char *text, struct err *err) {
    size_t length = strcspn(text, "=:");
    _cleanup_free_ char *name = strndup(text, length);
    const char *value = text[length] ? text + length + 1 : "";

    if (!name)
        return err_nomem(err);
    if (str_eq(name, "seccomp"))
        return set_seccomp(confinement, value, err);
    if (str_eq(name, "no-new-privileges"))
        return set_no_new_privileges(confinement, value, err);
    if (str_eq(name, "mask"))
        return add_paths(&confinement->masked, name, value, false, err);
    if (str_eq(name, "unmask"))
        return add_paths(&confinement->unmasked, name, value, true, err);
    if (str_eq(name, "systempaths") && str_eq(value, "unconfined"))
        return strv_push(&confinement->unmasked, "ALL") < 0 ? err_nomem(err) : 0;
    if (str_eq(name, "label"))
        return set_label(confinement, value, err);
    if (str_eq(name, "apparmor"))
        return set_apparmor(confinement, value, err);
    return err_set(err, -EINVAL,
                   "--security-opt '%s': use seccomp=FILE|unconfined, no-new-privileges, "
                   "mask=PATH, unmask=ALL|PATH, apparmor=PROFILE or label=disable|type:T|level:L",
                   text);
}

int confinement_check(const struct confinement *confinement, struct err *err) {
    uint64_t added = confinement->caps_added, dropped = confinement->caps_dropped;

    if (added == CAPS_ALL && dropped == CAPS_ALL)
        return err_set(err, -EINVAL, "--cap-add ALL and --cap-drop ALL contradict each other");
    if (added != CAPS_ALL && dropped != CAPS_ALL && (added & dropped))
        return err_set(err, -EINVAL, "a capability is given to both --cap-add and --cap-drop");
    return 0;
}

uint64_t confinement_caps(const struct confinement *confinement) {
    uint64_t caps = confinement->privileged ? CAPS_ALL : CAPS_DEFAULT;

    /* ALL is done first on either side, whatever the order on the command line. */
    if (confinement->caps_dropped == CAPS_ALL)
        return confinement->caps_added;
    return (caps | confinement->caps_added) & ~confinement->caps_dropped;
}

bool confinement_has_filter(const struct confinement *confinement) {
    return !confinement->privileged && !confinement->seccomp;
}

const char *confinement_profile(const struct confinement *confinement) {
    bool is_file = confinement->seccomp && !str_eq(confinement->seccomp, "unconfined");

    return is_file ? confinement->seccomp : NULL;
}
