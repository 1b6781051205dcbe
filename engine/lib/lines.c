/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of an answer, one after the other. */
#include "lines.h"

#include "engine/base/str.h"

/* The next line, ended by a NUL in its place. */
static char *take(struct lines *lines) {
    char *line = lines->rest, *end = strchr(line, '\n');

    if (!end)
        return NULL;
    *end = '\0';
    lines->rest = end + 1;
    return line;
}

bool lines_text(struct lines *lines, char **ret_text) {
    const char *line = take(lines);

    *ret_text = line && *line ? strdup(line) : NULL;
    return line && (!*line || *ret_text);
}

bool lines_number(struct lines *lines, uint64_t *ret_number) {
    const char *line = take(lines);

    return line && str_to_u64(line, UINT64_MAX, ret_number) == 0;
}
