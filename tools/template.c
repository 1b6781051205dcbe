/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates are read and carried out in one go: a cursor runs over the text, and
 * a part that is not shown (the branch of an {{if}} not taken, the body of an
 * empty {{range}}) is read with @quiet set.  A {{range}} goes back to its body
 * for each item.
 */
#include "template.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "template_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define MAX_DEPTH 32
#define MAX_VARIABLES 16
#define MAX_ARGUMENTS 4

struct variable {
    char name[32];
    const struct value *value;
};

struct state {
    const char *p;
    struct buf *buf;
    struct err *err;
    const struct value *root;
    const struct value *dot;
    struct variable variables[MAX_VARIABLES];
    size_t n_variables;
    struct value *made; /* values that belong to nobody, a list */
    int depth;
    bool quiet;
    bool trim;
};

/* What ended a block. */
enum end { END_TEXT, END_END, END_ELSE, END_FAILED };

static enum end block(struct state *s);

static int bad(struct state *s, const char *what) {
    size_t n = strcspn(what, "}\n");

    return err_set(s->err, -EINVAL, "--format: '%.*s' is not understood", (int)(n < 40 ? n : 40),
                   what);
}

static struct value *make(struct state *s, enum value_kind kind) {
    return template_make(s->made, kind);
}

static const struct value *make_text(struct state *s, const char *text, size_t size) {
    return template_make_text(s->made, text, size);
}

static void skip_space(struct state *s) {
    while (isspace((unsigned char)*s->p))
        s->p++;
}

static bool at_end_of_action(const struct state *s) {
    return strncmp(s->p, "}}", 2) == 0 || strncmp(s->p, "-}}", 3) == 0;
}

static bool take_word(struct state *s, const char *word) {
    size_t n = strlen(word);

    if (strncmp(s->p, word, n) != 0 || isalnum((unsigned char)s->p[n]) || s->p[n] == '_')
        return false;
    s->p += n;
    skip_space(s);
    return true;
}

static void put_text(struct state *s, const struct value *value) {
    if (!s->quiet)
        template_put(s->buf, value);
}

/* --- operands ----------------------------------------------------------------- */

/* .A.B behind a value.  Return: 0 or -EINVAL. */
static int fields(struct state *s, const struct value **value) {
    while (*s->p == '.') {
        const char *start = ++s->p;
        _cleanup_free_ char *name = NULL;

        while (isalnum((unsigned char)*s->p) || *s->p == '_')
            s->p++;
        if (s->p == start)
            return 0; /* the dot alone */
        name = strndup(start, (size_t)(s->p - start));
        if (!name)
            return err_nomem(s->err);
        if (s->quiet || (*value && (*value)->kind == VALUE_NULL))
            continue;
        *value = value_find(*value, name);
        if (!*value)
            return err_set(s->err, -EINVAL, "--format: there is no field '%s' here", name);
    }
    return 0;
}

static int quoted(struct state *s, const struct value **ret) {
    char quote = *s->p++;
    _cleanup_buf_ struct buf text = BUF_INIT;

    for (; *s->p && *s->p != quote; s->p++) {
        char c = *s->p;

        if (c == '\\' && quote == '"' && s->p[1]) {
            c = *++s->p;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        buf_append(&text, &c, 1);
    }
    if (*s->p != quote)
        return bad(s, s->p);
    s->p++;
    *ret = make_text(s, text.data ? text.data : "", text.size);
    return 0;
}

static int variable(struct state *s, const struct value **ret) {
    const char *start = ++s->p;
    size_t n;

    while (isalnum((unsigned char)*s->p) || *s->p == '_')
        s->p++;
    n = (size_t)(s->p - start);
    *ret = n == 0 ? s->root : NULL;
    for (size_t i = 0; i < s->n_variables; i++)
        if (strlen(s->variables[i].name) == n && memcmp(s->variables[i].name, start, n) == 0)
            *ret = s->variables[i].value;
    if (!*ret && !s->quiet)
        return bad(s, start - 1);
    return fields(s, ret);
}

static int pipeline(struct state *s, const struct value **ret);

static int operand(struct state *s, const struct value **ret) {
    int r = 0;

    if (*s->p == '.') {
        *ret = s->dot;
        r = fields(s, ret);
    } else if (*s->p == '$') {
        r = variable(s, ret);
    } else if (*s->p == '"' || *s->p == '`') {
        r = quoted(s, ret);
    } else if (*s->p == '(') {
        s->p++;
        r = pipeline(s, ret);
        if (r == 0 && *s->p++ != ')')
            r = bad(s, s->p - 1);
        if (r == 0)
            r = fields(s, ret);
    } else if (isdigit((unsigned char)*s->p)) {
        struct value *number = make(s, VALUE_NUMBER);
        char *end;

        if (number)
            number->number = strtoll(s->p, &end, 10);
        *ret = number;
        while (isdigit((unsigned char)*s->p))
            s->p++;
    } else {
        r = bad(s, s->p);
    }
    skip_space(s);
    return r;
}

/* --- functions ---------------------------------------------------------------- */

static enum template_function take_function(struct state *s, size_t *ret_n) {
    static const struct {
        const char *name;
        enum template_function function;
        size_t n;
    } functions[] = {
        {"json", TEMPLATE_JSON, 1},       {"upper", TEMPLATE_UPPER, 1},
        {"lower", TEMPLATE_LOWER, 1},     {"index", TEMPLATE_INDEX, 2},
        {"join", TEMPLATE_JOIN, 2},       {"len", TEMPLATE_LEN, 1},
        {"println", TEMPLATE_PRINTLN, 1}, {"eq", TEMPLATE_EQ, 2},
        {"ne", TEMPLATE_NE, 2},
    };

    for (size_t i = 0; i < N_ELEMENTS(functions); i++)
        if (take_word(s, functions[i].name)) {
            *ret_n = functions[i].n;
            return functions[i].function;
        }
    return TEMPLATE_NONE;
}

/* One command of a pipeline; @piped: what the one before has made, the last argument. */
static int command(struct state *s, const struct value *piped, const struct value **ret) {
    const struct value *arguments[MAX_ARGUMENTS] = {NULL};
    size_t n = 0, n_wanted = 1;
    enum template_function function = take_function(s, &n_wanted);
    int r = 0;

    if (piped && function == TEMPLATE_NONE)
        return bad(s, s->p);
    while (r == 0 && n < n_wanted - (piped ? 1 : 0))
        r = operand(s, &arguments[n++]);
    if (r < 0)
        return r;
    if (piped)
        arguments[n++] = piped;
    *ret = template_apply(function, arguments, s->made, s->quiet ? NULL : s->buf);
    return *ret || s->quiet ? 0 : err_nomem(s->err);
}

static int pipeline(struct state *s, const struct value **ret) {
    int r;

    skip_space(s);
    r = command(s, NULL, ret);
    while (r == 0 && *s->p == '|') {
        s->p++;
        skip_space(s);
        r = command(s, *ret, ret);
    }
    return r;
}

/* --- actions ------------------------------------------------------------------ */

static int end_action(struct state *s) {
    skip_space(s);
    if (!at_end_of_action(s))
        return bad(s, s->p);
    s->trim = *s->p == '-';
    s->p += s->trim ? 3 : 2;
    return 0;
}

static int if_action(struct state *s) {
    const struct value *condition = NULL;
    bool quiet = s->quiet, taken;
    enum end end;
    int r = pipeline(s, &condition);

    if (r == 0)
        r = end_action(s);
    if (r < 0)
        return r;
    taken = template_is_true(condition);
    s->quiet = quiet || !taken;
    end = block(s);
    if (end == END_ELSE) {
        s->quiet = quiet || taken;
        end = block(s);
    }
    s->quiet = quiet;
    return end == END_FAILED ? -EINVAL : end == END_END ? 0 : bad(s, "if without end");
}

/* $k, $v := in front of what is ranged over. */
static int range_variables(struct state *s, struct variable names[2], size_t *ret_n) {
    const char *start = s->p;

    *ret_n = 0;
    while (*s->p == '$' && *ret_n < 2) {
        size_t n = 0;

        for (s->p++; isalnum((unsigned char)*s->p) || *s->p == '_'; s->p++)
            if (n + 1 < sizeof names[0].name)
                names[*ret_n].name[n++] = *s->p;
        names[(*ret_n)++].name[n] = '\0';
        skip_space(s);
        if (*s->p == ',')
            s->p++;
        skip_space(s);
    }
    if (*ret_n > 0 && strncmp(s->p, ":=", 2) == 0) {
        s->p += 2;
        return 0;
    }
    s->p = start;
    *ret_n = 0;
    return 0;
}

/* The body once, for item @i of @list. */
static enum end range_body(struct state *s, const struct value *list, size_t i,
                           const struct variable names[2], size_t n_names) {
    size_t n_before = s->n_variables;
    const struct value *item = list->items[i];
    enum end end;

    for (size_t j = 0; j < n_names && s->n_variables < MAX_VARIABLES; j++) {
        struct variable *added = &s->variables[s->n_variables++];
        struct value *index = NULL;

        *added = names[j];
        added->value = item;
        if (n_names == 2 && j == 0 && item->key) {
            added->value = make_text(s, item->key, strlen(item->key));
        } else if (n_names == 2 && j == 0) {
            added->value = index = make(s, VALUE_NUMBER);
            if (index)
                index->number = (int64_t)i;
        }
    }
    s->dot = item;
    end = block(s);
    s->n_variables = n_before;
    return end;
}

static int range_action(struct state *s) {
    const struct value *list = NULL, *dot = s->dot;
    struct variable names[2] = {0};
    bool quiet = s->quiet, has_items, trim;
    enum end end = END_END;
    const char *body;
    size_t n_names;
    int r;

    skip_space(s);
    r = range_variables(s, names, &n_names);
    if (r == 0)
        r = pipeline(s, &list);
    if (r == 0)
        r = end_action(s);
    if (r < 0)
        return r;
    body = s->p;
    trim = s->trim;
    has_items = !quiet && list && list->n_items > 0;
    for (size_t i = 0; has_items && i < list->n_items && end != END_FAILED; i++) {
        s->p = body;
        s->trim = trim;
        end = range_body(s, list, i, names, n_names);
    }
    s->dot = dot;
    if (!has_items) {
        s->quiet = true;
        /* Names in it stand for nothing now. */
        end = block(s);
        s->quiet = quiet;
    }
    if (end == END_ELSE) {
        s->quiet = quiet || has_items;
        end = block(s);
        s->quiet = quiet;
    }
    return end == END_FAILED ? -EINVAL : end == END_END ? 0 : bad(s, "range without end");
}

/* What stands between two braces.  Return: how it ends the block, END_TEXT when it does not. */
static enum end action(struct state *s) {
    const struct value *value = NULL;
    int r = 0;

    skip_space(s);
    if (take_word(s, "end"))
        return end_action(s) < 0 ? END_FAILED : END_END;
    if (take_word(s, "else"))
        return end_action(s) < 0 ? END_FAILED : END_ELSE;
    if (take_word(s, "if"))
        return if_action(s) < 0 ? END_FAILED : END_TEXT;
    if (take_word(s, "range"))
        return range_action(s) < 0 ? END_FAILED : END_TEXT;
    r = pipeline(s, &value);
    if (r == 0)
        put_text(s, value);
    if (r == 0)
        r = end_action(s);
    return r < 0 ? END_FAILED : END_TEXT;
}

/* The text up to the next action, white space cut off on the sides that ask for it. */
static void text(struct state *s, const char *end) {
    const char *start = s->p, *stop = end;

    if (s->trim)
        while (start < stop && isspace((unsigned char)*start))
            start++;
    if (strncmp(end, "{{- ", 4) == 0)
        while (stop > start && isspace((unsigned char)stop[-1]))
            stop--;
    for (; !s->quiet && start < stop; start++) {
        bool is_escape = *start == '\\' && start + 1 < stop && strchr("nt\\", start[1]);
        char c = is_escape ? *++start : *start;

        if (is_escape)
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        buf_append(s->buf, &c, 1);
    }
    s->trim = false;
    s->p = end;
}

static enum end block(struct state *s) {
    enum end end = END_TEXT;

    if (++s->depth > MAX_DEPTH) {
        (void)bad(s, s->p);
        return END_FAILED;
    }
    while (*s->p && end == END_TEXT) {
        const char *open = strstr(s->p, "{{");

        text(s, open ? open : s->p + strlen(s->p));
        if (!open)
            break;
        s->p += strncmp(s->p, "{{- ", 4) == 0 ? 4 : 2;
        end = action(s);
    }
    s->depth--;
    return end;
}

int template_format(const char *template, const struct value *value, struct buf *buf,
                    struct err *err) {
    _cleanup_value_ struct value *made = value_new(VALUE_LIST);
    struct state state = {
        .p = template, .buf = buf, .err = err, .root = value, .dot = value, .made = made};
    enum end end;

    if (!made)
        return err_nomem(err);
    end = block(&state);
    if (end == END_END || end == END_ELSE)
        return bad(&state, "end");
    return end == END_FAILED ? -EINVAL : 0;
}
