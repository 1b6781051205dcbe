/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists in braces, as bash has them, since that is where people know them from;
 * in quotes they reach us, and in a file there is no shell that would see them.
 *
 * The first brace that has a partner and is a list (a comma at its own level,
 * or "x..y") is replaced by each of its alternatives in turn, which are words
 * with lists themselves, and so is the rest behind it.  A brace that is no list
 * is a character like any other, and the search goes on right behind it.
 * Backslashes stay until a word has no list any more.
 */
#include "brace.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

/* Of the numbers in "{x..y..step}"; what is longer is no number. */
#define DIGITS_MAX 9

static int expand(const char *text, size_t n, struct strv *words, struct err *err);

static bool is_escape(const char *text, size_t i, size_t n) {
    return text[i] == '\\' && i + 1 < n && strchr("{},", text[i + 1]);
}

static int add(struct strv *words, char *word, struct err *err) {
    if (words->n >= BRACE_WORDS_MAX) {
        free(word);
        return err_set(err, -EINVAL, "the lists in braces make more than %d words",
                       BRACE_WORDS_MAX);
    }
    return strv_push_take(words, word) < 0 ? err_nomem(err) : 0;
}

/*
 * Looks at the brace at text[start].
 * Return: the place of its partner, 0 when it has none; @ret_list: whether a comma is between.
 */
static size_t find_partner(const char *text, size_t start, size_t n, bool *ret_list) {
    size_t depth = 0;

    *ret_list = false;
    for (size_t i = start; i < n; i++) {
        if (is_escape(text, i, n)) {
            i++;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}') {
            if (--depth == 0)
                return i;
        } else if (text[i] == ',' && depth == 1) {
            *ret_list = true;
        }
    }
    return 0;
}

/* Appends each alternative of "a,b{c,d},e", expanded. */
static int expand_list(const char *text, size_t n, struct strv *words, struct err *err) {
    size_t depth = 0, start = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && is_escape(text, i, n)) {
            i++;
        } else if (i == n || (text[i] == ',' && depth == 0)) {
            int r = expand(text + start, i - start, words, err);

            if (r < 0)
                return r;
            start = i + 1;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}' && depth > 0) {
            depth--;
        }
    }
    return 0;
}

/** struct sequence - "x..y..step" */
struct sequence {
    long first, last, step;
    int width; /* of numbers with leading zeros, the sign counted; 0: as they are */
    bool letters;
};

/* A number at @p that ends at the end or before "..".  Return: what follows, or NULL. */
static const char *parse_number(const char *p, const char *end, long *ret_value, int *width) {
    const char *start = p, *digits;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    digits = p;
    while (p < end && isdigit((unsigned char)*p))
        p++;
    if (p == digits || p - digits > DIGITS_MAX)
        return NULL;
    *ret_value = strtol(start, NULL, 10);
    if (*digits == '0' && p - digits > 1 && width)
        *width = -1;
    if (p == end)
        return p;
    return end - p > 2 && p[0] == '.' && p[1] == '.' ? p + 2 : NULL;
}

static bool parse_sequence(const char *text, size_t n, struct sequence *ret) {
    const char *p = text, *end = text + n;
    int padded = 0;

    *ret = (struct sequence){.step = 1};
    if (n >= 4 && isalpha((unsigned char)p[0]) && p[1] == '.' && p[2] == '.' &&
        isalpha((unsigned char)p[3])) {
        ret->letters = true;
        ret->first = (unsigned char)p[0];
        ret->last = (unsigned char)p[3];
        p += 4;
        if (p == end)
            return true;
        if (end - p <= 2 || p[0] != '.' || p[1] != '.')
            return false;
        p += 2;
    } else {
        const char *second;

        p = parse_number(p, end, &ret->first, &padded);
        if (!p || p == end)
            return false;
        second = p;
        p = parse_number(p, end, &ret->last, &padded);
        if (!p)
            return false;
        if (padded) {
            long n_first = second - 2 - text, n_last = (p == end ? p : p - 2) - second;

            ret->width = (int)(n_first > n_last ? n_first : n_last);
        }
        if (p == end)
            return true;
    }
    p = parse_number(p, end, &ret->step, NULL);
    if (!p || p != end)
        return false;
    if (ret->step < 0)
        ret->step = -ret->step;
    if (ret->step == 0)
        ret->step = 1;
    return true;
}

static int expand_sequence(const struct sequence *sequence, struct strv *words, struct err *err) {
    bool up = sequence->first <= sequence->last;

    for (long i = sequence->first; up ? i <= sequence->last : i >= sequence->last;
         i += up ? sequence->step : -sequence->step) {
        int r = add(words,
                    sequence->letters ? str_printf("%c", (int)i)
                                      : str_printf("%0*ld", sequence->width, i),
                    err);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Appends each of @first followed by each of @second, behind the @n bytes of @prefix. */
static int combine(const char *prefix, size_t n, const struct strv *first,
                   const struct strv *second, struct strv *words, struct err *err) {
    for (size_t i = 0; i < first->n; i++)
        for (size_t j = 0; j < second->n; j++) {
            int r =
                add(words,
                    str_printf("%.*s%s%s", (int)n, prefix, first->items[i], second->items[j]), err);

            if (r < 0)
                return r;
        }
    return 0;
}

static int expand(const char *text, size_t n, struct strv *words, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        _cleanup_strv_ struct strv middle = {0}, rest = {0};
        struct sequence sequence;
        bool is_list;
        size_t end;
        int r;

        if (is_escape(text, i, n)) {
            i++;
            continue;
        }
        if (text[i] != '{')
            continue;
        end = find_partner(text, i, n, &is_list);
        if (end == 0)
            continue;
        if (is_list)
            r = expand_list(text + i + 1, end - i - 1, &middle, err);
        else if (parse_sequence(text + i + 1, end - i - 1, &sequence))
            r = expand_sequence(&sequence, &middle, err);
        else
            continue;
        if (r == 0)
            r = expand(text + end + 1, n - end - 1, &rest, err);
        return r == 0 ? combine(text, i, &middle, &rest, words, err) : r;
    }
    return add(words, strndup(text, n), err);
}

static void remove_escapes(char *word) {
    size_t n = strlen(word);
    char *out = word;

    for (size_t i = 0; i < n; i++) {
        if (is_escape(word, i, n))
            i++;
        *out++ = word[i];
    }
    *out = '\0';
}

int brace_expand(const char *text, struct strv *ret_words, struct err *err) {
    _cleanup_strv_ struct strv words = {0};
    int r = expand(text, strlen(text), &words, err);

    for (size_t i = 0; r == 0 && i < words.n; i++) {
        remove_escapes(words.items[i]);
        if (strv_push_take(ret_words, take_ptr(words.items[i])) < 0)
            r = err_nomem(err);
    }
    return r;
}
