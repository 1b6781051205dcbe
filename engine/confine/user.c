/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users as an image's own /etc/passwd and /etc/group name them.  The texts come
 * from the image: lines that are not well formed are passed over, and a number
 * is a number only if it is nothing else and below 2^31 (CVE-2024-40635).
 */
#include "user.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <inttypes.h>

#define MAX_ID INT32_MAX

/* The fields of a line, each ended by ':' or the line's end. */
struct entry {
    const char *fields[7];
    size_t lengths[7];
    size_t n;
};

/* Splits the line at @text; returns where the next begins. */
static const char *split_line(const char *text, struct entry *entry) {
    entry->n = 0;
    for (;;) {
        size_t length = strcspn(text, ":\n");

        if (entry->n < N_ELEMENTS(entry->fields)) {
            entry->fields[entry->n] = text;
            entry->lengths[entry->n++] = length;
        }
        text += length;
        if (*text == ':')
            text++;
        else
            return *text ? text + 1 : text;
    }
}

static bool field_is(const struct entry *entry, size_t i, const char *text, size_t length) {
    return i < entry->n && entry->lengths[i] == length &&
           strncmp(entry->fields[i], text, length) == 0;
}

static bool field_id(const struct entry *entry, size_t i, uint32_t *ret_id) {
    char digits[16];
    uint64_t value;

    if (i >= entry->n || entry->lengths[i] >= sizeof digits)
        return false;
    memcpy(digits, entry->fields[i], entry->lengths[i]);
    digits[entry->lengths[i]] = '\0';
    if (str_to_u64(digits, MAX_ID, &value) < 0)
        return false;
    *ret_id = (uint32_t)value;
    return true;
}

/* Whether @text is all digits: then it is a number and never a name. */
static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int parse_id(const char *text, const char *what, uint32_t *ret_id, struct err *err) {
    uint64_t value;

    if (str_to_u64(text, MAX_ID, &value) < 0)
        return err_set(err, -EINVAL, "%s %s is out of range: 0 to %d are possible", what, text,
                       MAX_ID);
    *ret_id = (uint32_t)value;
    return 0;
}

/* Finds @name, or @id when it is NULL, in a file whose third field is a number. */
static bool find_entry(const char *text, const char *name, uint32_t id, struct entry *entry) {
    while (*text) {
        uint32_t found;

        text = split_line(text, entry);
        if (!field_id(entry, 2, &found))
            continue;
        if (name ? field_is(entry, 0, name, strlen(name)) : found == id)
            return true;
    }
    return false;
}

/* Adds the groups whose member lists hold @name. */
static void add_groups(struct user *user, const char *text, const char *name, size_t length) {
    while (*text && user->n_groups < USER_MAX_GROUPS) {
        struct entry entry;
        uint32_t gid;

        text = split_line(text, &entry);
        if (entry.n < 4 || !field_id(&entry, 2, &gid) || gid == user->gid)
            continue;
        for (const char *p = entry.fields[3], *end = p + entry.lengths[3]; p < end; p++) {
            size_t n = strcspn(p, ",:\n");

            if (n == length && strncmp(p, name, n) == 0) {
                user->groups[user->n_groups++] = gid;
                break;
            }
            p += n;
        }
    }
}

static int set_user(struct user *user, const char *name, const char *passwd, const char *group,
                    struct err *err) {
    struct entry entry;
    uint32_t id = 0;
    bool number = is_number(name);

    if (number && parse_id(name, "user", &id, err) < 0)
        return -EINVAL;
    if (!find_entry(passwd, number ? NULL : name, id, &entry)) {
        if (!number && !str_eq(name, "root"))
            return err_set(err, -ENOENT,
                           "the image has no user %s in its /etc/passwd: give a number, or a name "
                           "that is there",
                           name);
        user->uid = id;
        user->home = strdup(id == 0 ? "/root" : "/");
        return user->home ? 0 : err_nomem(err);
    }
    (void)field_id(&entry, 2, &user->uid);
    if (!field_id(&entry, 3, &user->gid))
        user->gid = 0;
    add_groups(user, group, entry.fields[0], entry.lengths[0]);
    user->home = entry.n > 5 && entry.lengths[5] > 0 && *entry.fields[5] == '/'
                     ? strndup(entry.fields[5], entry.lengths[5])
                     : strdup("/");
    return user->home ? 0 : err_nomem(err);
}

static int set_group(struct user *user, const char *name, const char *group, struct err *err) {
    struct entry entry;

    user->n_groups = 0;
    if (is_number(name))
        return parse_id(name, "group", &user->gid, err);
    if (!find_entry(group, name, 0, &entry))
        return err_set(err, -ENOENT,
                       "the image has no group %s in its /etc/group: give a number, or a name that "
                       "is there",
                       name);
    (void)field_id(&entry, 2, &user->gid);
    return 0;
}

int user_lookup(struct user *ret_user, const char *spec, const char *passwd, const char *group,
                struct err *err) {
    _cleanup_free_ char *copy = strdup(spec && *spec ? spec : "root");
    char *colon;
    int r;

    *ret_user = (struct user){0};
    if (!copy)
        return err_nomem(err);
    colon = strchr(copy, ':');
    if (colon)
        *colon = '\0';
    r = set_user(ret_user, *copy ? copy : "root", passwd, group, err);
    if (r == 0 && colon && colon[1])
        r = set_group(ret_user, colon + 1, group, err);
    if (r < 0)
        user_done(ret_user);
    return r;
}

void user_done(struct user *user) {
    free(user->home);
    *user = (struct user){0};
}
