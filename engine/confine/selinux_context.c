/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of SELinux's as text.  Only the level may have colons in itself: "s0-s0:c0.c1023". */
#include "selinux_context.h"

#include "engine/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the part begins; its NUL's place when a level is missing; NULL when it is no label. */
static const char *find(const char *context, enum label_part part) {
    for (int i = 0; i < (int)part; i++) {
        const char *colon = strchr(context, ':');

        if (!colon)
            return i == LABEL_LEVEL - 1 && part == LABEL_LEVEL ? context + strlen(context) : NULL;
        context = colon + 1;
    }
    return context;
}

const char *selinux_context_level(const char *context) {
    const char *level = find(context, LABEL_LEVEL);

    return level ? level : "";
}

int selinux_context_set(char context[SELINUX_CONTEXT_BYTES], enum label_part part,
                        const char *value) {
    const char *from = find(context, part);
    const char *rest = !from || part == LABEL_LEVEL ? "" : strchrnul(from, ':');
    char text[SELINUX_CONTEXT_BYTES];
    int n;

    if (!from || !find(context, LABEL_LEVEL))
        return -EINVAL;
    n = snprintf(text, sizeof text, "%.*s%s%s%s", (int)(from - context), context,
                 part == LABEL_LEVEL && from[-1] != ':' ? ":" : "", value, rest);
    if (n < 0 || (size_t)n >= sizeof text)
        return -ENAMETOOLONG;
    memcpy(context, text, (size_t)n + 1);
    return 0;
}

int selinux_setting(const char *text, const char *key, char *ret_value, size_t size) {
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        const char *value = text + strspn(text, " \t");
        size_t n;

        value = strncmp(value, key, strlen(key)) == 0 ? value + strlen(key) : "";
        value += strspn(value, " \t");
        if (*value != '=')
            continue;
        value += 1 + strspn(value + 1, " \t\"");
        n = strcspn(value, " \t\"\r\n#");
        if (n >= size)
            return -ENAMETOOLONG;
        memcpy(ret_value, value, n);
        ret_value[n] = '\0';
        return 0;
    }
    return -ENOENT;
}
