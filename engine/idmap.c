/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ids a container gets.
 *
 *   root, ordinary host      0..65535 → a range of our own, nobody's files
 *   root, mounts cannot be   0..n → 0..n: still a user namespace, so no
 *     ID-mapped, or nested     capability reaches outside of it
 *   root that asks for it    no user namespace, and the host's ids
 *   user with /etc/subuid    0 → the user, 1..n → the subordinate ids
 *   any other user           0 → the user, and nothing else
 *
 * /etc/passwd is read here rather than through the name service, whose modules
 * cost more than a whole container; newuidmap(1) checks again anyway.
 */
#include "idmap.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Ids that the kernel takes everywhere: as a range of groups that may ping, for one. */
#define HOST_COUNT UINT32_C(0x7fffffff)
#define MAX_FILE_BYTES (4u << 20)

const char *idmap_name(enum idmap_mode mode) {
    static const char *const names[] = {
        [IDMAP_SHIFTED] = "shifted", [IDMAP_IDENTITY] = "identity", [IDMAP_HOST] = "host",
        [IDMAP_SUBUID] = "subuid",   [IDMAP_SINGLE] = "single",
    };

    return names[mode];
}

bool idmap_has(const struct id_range *ranges, unsigned n, uint32_t inside) {
    for (unsigned i = 0; i < n; i++)
        if (inside >= ranges[i].inside && inside - ranges[i].inside < ranges[i].count)
            return true;
    return false;
}

/* The field that begins at @p, digits and nothing else, ended by @end or the line. */
static bool field_u32(const char *p, char end, uint32_t *ret_value) {
    char digits[16];
    size_t n = strspn(p, "0123456789");
    uint64_t value;

    if (n >= sizeof digits || (p[n] != end && p[n] != '\n' && p[n] != '\0'))
        return false;
    *(char *)mempcpy(digits, p, n) = '\0';
    if (str_to_u64(digits, UINT32_MAX, &value) < 0)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

/* What follows the next colon of the line; NULL without one. */
static const char *next_field(const char *p) {
    p += strcspn(p, ":\n");
    return *p == ':' ? p + 1 : NULL;
}

bool idmap_parse_sub(const char *text, const char *name, uid_t uid, uint32_t *ret_start,
                     uint32_t *ret_count) {
    char number[16];

    snprintf(number, sizeof number, "%" PRIu32, (uint32_t)uid);
    for (const char *line = text; *line; line += *line == '\n') {
        size_t length = strcspn(line, "\n"), key = strcspn(line, ":\n");
        uint32_t start, count;

        if ((name && key == strlen(name) && strncmp(line, name, key) == 0) ||
            (key == strlen(number) && strncmp(line, number, key) == 0)) {
            const char *first = next_field(line), *second = first ? next_field(first) : NULL;

            if (second && field_u32(first, ':', &start) && field_u32(second, '\n', &count) &&
                count > 0 && start > 0 && start <= UINT32_MAX - count) {
                *ret_start = start;
                *ret_count = count;
                return true;
            }
        }
        line += length;
    }
    return false;
}

/* The login name of @uid from the text of /etc/passwd; to free(3), or NULL. */
static char *name_of(const char *passwd, uid_t uid) {
    for (const char *line = passwd; *line; line += *line == '\n') {
        size_t length = strcspn(line, "\n"), name = strcspn(line, ":\n");
        const char *password = next_field(line), *id = password ? next_field(password) : NULL;
        uint32_t found;

        if (id && field_u32(id, ':', &found) && found == uid)
            return strndup(line, name);
        line += length;
    }
    return NULL;
}

static bool find_sub(const char *path, const char *name, uid_t uid, struct id_range *ret) {
    _cleanup_free_ char *text = NULL;
    uint32_t start, count;

    if (fd_read_file(AT_FDCWD, path, MAX_FILE_BYTES, &text, NULL) < 0 ||
        !idmap_parse_sub(text, name, uid, &start, &count))
        return false;
    *ret = (struct id_range){1, start, count};
    return true;
}

static bool have_program(const char *name) {
    static const char *const places[] = {"/usr/bin", "/bin", "/usr/local/bin"};
    char path[64];

    for (size_t i = 0; i < N_ELEMENTS(places); i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

void idmap_single(struct idmap *ret_map) {
    *ret_map = (struct idmap){
        .mode = IDMAP_SINGLE,
        .uids = {{0, geteuid(), 1}},
        .gids = {{0, getegid(), 1}},
        .n_uids = 1,
        .n_gids = 1,
    };
}

static void choose_for_user(struct idmap *map) {
    _cleanup_free_ char *passwd = NULL, *name = NULL;
    uid_t uid = geteuid();

    idmap_single(map);
    if (!have_program("newuidmap") || !have_program("newgidmap"))
        return;
    if (fd_read_file(AT_FDCWD, "/etc/passwd", MAX_FILE_BYTES, &passwd, NULL) == 0)
        name = name_of(passwd, uid);
    if (!find_sub("/etc/subuid", name, uid, &map->uids[1]) ||
        !find_sub("/etc/subgid", name, uid, &map->gids[1]))
        return;
    map->mode = IDMAP_SUBUID;
    map->n_uids = map->n_gids = 2;
}

/* How many ids from 0 on this process's own namespace has; the first line alone is looked at. */
static int own_range(uint32_t *ret_count, struct err *err) {
    _cleanup_free_ char *text = NULL;
    uint32_t inside, outside;
    int r = fd_read_file(AT_FDCWD, "/proc/self/uid_map", 65536, &text, NULL);

    if (r < 0)
        return err_set(err, r, "cannot read /proc/self/uid_map: /proc has to be mounted");
    if (sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, ret_count) != 3 ||
        inside != 0)
        *ret_count = 1;
    return 0;
}

static void set_root(struct idmap *map, enum idmap_mode mode, uint32_t outside, uint32_t count) {
    *map = (struct idmap){
        .mode = mode,
        .uids = {{0, outside, count}},
        .gids = {{0, outside, count}},
        .n_uids = 1,
        .n_gids = 1,
    };
}

int idmap_choose(struct idmap *ret_map, struct err *err) {
    uint32_t count = 0;
    int r;

    if (geteuid() != 0) {
        choose_for_user(ret_map);
        return 0;
    }
    r = own_range(&count, err);
    if (r < 0)
        return r;
    if (count >= IDMAP_ROOT_BASE + IDMAP_COUNT)
        set_root(ret_map, IDMAP_SHIFTED, IDMAP_ROOT_BASE, IDMAP_COUNT);
    else if (count > 1)
        set_root(ret_map, IDMAP_IDENTITY, 0, count < IDMAP_COUNT ? count : IDMAP_COUNT);
    else
        idmap_single(ret_map);
    return 0;
}

int idmap_choose_host(struct idmap *ret_map, struct err *err) {
    if (geteuid() != 0)
        return idmap_choose(ret_map, err);
    set_root(ret_map, IDMAP_HOST, 0, HOST_COUNT);
    return 0;
}

bool idmap_fall_back(struct idmap *map) {
    switch (map->mode) {
    case IDMAP_SHIFTED:
        set_root(map, IDMAP_IDENTITY, 0, IDMAP_COUNT);
        return true;
    case IDMAP_IDENTITY:
    case IDMAP_SUBUID:
        idmap_single(map);
        return true;
    case IDMAP_HOST:
    case IDMAP_SINGLE:
        break;
    }
    return false;
}
