/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts on their way to a terminal.  What a command line holds may be anything,
 * escape sequences included, so it is decoded, judged character by character,
 * and only then shown.  The text is taken for UTF-8 without asking the locale:
 * setlocale(3) would cost each run a dozen system calls, and '?' for the odd
 * byte is what other locales lose.
 */
#include "text.h"

#include "engine/base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELLIPSIS "..."

size_t text_decode(const char *text, uint32_t *ret_code) {
    const unsigned char *p = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t code = n == 1 ? p[0] : n ? p[0] & (0x7fu >> n) : 0;

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (n == 0 || code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return n;
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* C0, DEL and C1 controls; line separators; marks that turn the direction of writing. */
static bool is_control(uint32_t code) {
    static const struct range controls[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    return in_ranges(code, controls, N_ELEMENTS(controls));
}

/* Unicode's combining marks of width none, and East Asian Width W and F, in broad strokes. */
static size_t columns_of(uint32_t code) {
    static const struct range none[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x200b, 0x200d},   {0x20d0, 0x20ff},
        {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
        {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
        {0x20000, 0x3fffd},
    };

    if (in_ranges(code, none, N_ELEMENTS(none)))
        return 0;
    return in_ranges(code, wide, N_ELEMENTS(wide)) ? 2 : 1;
}

static bool is_space(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t text_append_line(struct buf *buf, const char *text, size_t max_columns) {
    const unsigned char *p = (const unsigned char *)text;
    size_t columns = 0, cut_columns = 0, cut_size = buf->size, n;

    while (is_space(*p))
        p++;
    for (; *p; p += n) {
        const char *shown = (const char *)p;
        size_t width = 1, n_shown = 1;
        uint32_t code = 0;

        n = text_decode((const char *)p, &code);
        if (is_space(*p)) {
            for (n = 1; is_space(p[n]);)
                n++;
            if (!p[n])
                break;
            shown = " ";
        } else if (n == 0 || is_control(code)) {
            n = n ? n : 1;
            shown = "?";
        } else {
            width = columns_of(code);
            n_shown = n;
        }
        if (max_columns - columns < width) {
            /* Back to where there is still room for the sign that something is missing. */
            buf->size = cut_size;
            buf_puts(buf, max_columns >= strlen(ELLIPSIS) ? ELLIPSIS : "");
            return cut_columns + (max_columns >= strlen(ELLIPSIS) ? strlen(ELLIPSIS) : 0);
        }
        buf_append(buf, shown, n_shown);
        columns += width;
        if (max_columns >= strlen(ELLIPSIS) && columns <= max_columns - strlen(ELLIPSIS)) {
            cut_columns = columns;
            cut_size = buf->size;
        }
    }
    return columns;
}

void text_append_wrapped(struct buf *buf, const char *text, size_t indent, size_t columns) {
    size_t used = 0;

    while (*(text += strspn(text, " "))) {
        size_t n = strcspn(text, " ");

        if (used > 0 && indent + used + 1 + n > columns) {
            buf_printf(buf, "\n%*s", (int)indent, "");
            used = 0;
        }
        if (used > 0) {
            buf_puts(buf, " ");
            used++;
        }
        buf_append(buf, text, n);
        used += n;
        text += n;
    }
    buf_puts(buf, "\n");
}
