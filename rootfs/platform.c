/* SPDX-License-Identifier: Apache-2.0 */
/* Which of an index's images is the one for this machine. */
#include "platform.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <string.h>
#include <sys/utsname.h>

static const struct {
    const char *machine;
    const char *architecture;
    const char *variant;
} machines[] = {
    {"x86_64", "amd64", ""},    {"aarch64", "arm64", "v8"},
    {"armv7l", "arm", "v7"},    {"armv8l", "arm", "v7"},
    {"armv6l", "arm", "v6"},    {"armv5tel", "arm", "v5"},
    {"i386", "386", ""},        {"i486", "386", ""},
    {"i586", "386", ""},        {"i686", "386", ""},
    {"riscv64", "riscv64", ""}, {"ppc64le", "ppc64le", ""},
    {"s390x", "s390x", ""},     {"loongarch64", "loong64", ""},
};

static void copy(char *to, size_t size, const char *from) {
    size_t n = strlen(from);

    if (n >= size)
        n = size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
}

void platform_of_machine(const char *machine, struct platform *ret_platform) {
    const char *architecture = machine, *variant = "";

    for (size_t i = 0; i < N_ELEMENTS(machines); i++)
        if (str_eq(machine, machines[i].machine)) {
            architecture = machines[i].architecture;
            variant = machines[i].variant;
        }
    *ret_platform = (struct platform){.os = "linux"};
    copy(ret_platform->architecture, sizeof ret_platform->architecture, architecture);
    copy(ret_platform->variant, sizeof ret_platform->variant, variant);
}

void platform_host(struct platform *ret_platform) {
    struct utsname name;

    uname(&name);
    platform_of_machine(name.machine, ret_platform);
}

void platform_wanted(const struct store *store, struct platform *ret_platform) {
    if (!store->platform || platform_parse(store->platform, ret_platform, NULL) < 0)
        platform_host(ret_platform);
}

int platform_parse(const char *text, struct platform *ret_platform, struct err *err) {
    const char *architecture = strchr(text, '/'), *variant;
    char *places[3] = {ret_platform->os, ret_platform->architecture, ret_platform->variant};
    const size_t sizes[3] = {sizeof ret_platform->os, sizeof ret_platform->architecture,
                             sizeof ret_platform->variant};
    const char *p = text;

    *ret_platform = (struct platform){0};
    variant = architecture ? strchr(architecture + 1, '/') : NULL;
    for (size_t i = 0; i < (variant ? 3u : 2u); i++) {
        size_t n = strcspn(p, "/");

        if (n == 0 || n >= sizes[i] || strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_-.") < n ||
            (i == 0 && !p[n]))
            return err_set(err, -EINVAL, "'%s' is no platform (OS/ARCHITECTURE, as linux/arm64)",
                           text);
        memcpy(places[i], p, n);
        p += n + (p[n] == '/');
    }
    if (*p)
        return err_set(err, -EINVAL, "'%s' is no platform (OS/ARCHITECTURE, as linux/arm64)", text);
    return 0;
}

int platform_match(const struct platform *offered, const struct platform *wanted) {
    if (!str_eq(offered->os, wanted->os) || !str_eq(offered->architecture, wanted->architecture))
        return 0;
    if (str_eq(offered->variant, wanted->variant))
        return 1000;
    if (!*offered->variant || !*wanted->variant)
        return 500;
    /* Of arm, a lower version runs on a higher one: v6 on v7. */
    if (offered->variant[0] == 'v' && wanted->variant[0] == 'v' &&
        offered->variant[1] < wanted->variant[1])
        return 100 + offered->variant[1] - '0';
    return 0;
}
