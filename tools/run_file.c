/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options in a file, one a line.  There is no quoting to learn: what follows the
 * name is the argument, so that a shell's command stands there as it would stand
 * in a script, '#' and quotes included.  Only -X, whose words have to be told
 * apart, reads quotes.
 *
 * Paths are meant from where the file is: who runs it from elsewhere should not
 * have to know.
 */
#include "run_file.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"

#include <stdbool.h>

#define BLANKS " \t\r"

void run_file_done(struct run_file *file) {
    for (size_t i = 0; i < file->n_lines; i++)
        strv_done(&file->lines[i].words);
    free(file->lines);
    *file = (struct run_file){0};
}

/* --- words ------------------------------------------------------------------ */

/* One word at @p, blanks before it skipped.  Return: what follows, or NULL for an open quote. */
static const char *take_word(const char *p, struct buf *word) {
    char quote = '\0';

    for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
        if (quote ? *p == quote : *p == '\'' || *p == '"') {
            quote = quote ? '\0' : *p;
            continue;
        }
        if (*p == '\\' && p[1] && (!quote || (quote == '"' && strchr("\"\\", p[1]))))
            p++;
        buf_append(word, p, 1);
    }
    buf_puts(word, "");
    return quote ? NULL : p;
}

/* The program of -X and its arguments.  Return: 0, -EINVAL, -ENOMEM. */
static int split_words(const char *text, struct strv *words) {
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        _cleanup_buf_ struct buf word = BUF_INIT;

        text = take_word(text, &word);
        if (!text)
            return -EINVAL;
        if (strv_push_take(words, word.data ? buf_take(&word) : strdup("")) < 0)
            return -ENOMEM;
    }
    return 0;
}

static bool is_exec(const char *name) {
    return str_eq(name, "-X") || str_eq(name, "--exec");
}

/* A line that says something: a name and the rest of it. */
static int take_option(struct run_file_line *line, char *text, const char *name, struct err *err) {
    size_t n = strcspn(text, BLANKS);
    char *rest = text + n;
    _cleanup_free_ char *option = NULL;
    int r = 0;

    if (*rest)
        *rest++ = '\0';
    rest += strspn(rest, BLANKS);
    option = text[0] == '-' ? strdup(text) : str_printf("--%s", text);
    if (!option || strv_push(&line->words, name) < 0 || strv_push(&line->words, option) < 0)
        return err_nomem(err);
    if (is_exec(option)) {
        r = split_words(rest, &line->words);
        if (r == -EINVAL)
            return err_set(err, r, "%s:%u: a quote is opened and not closed", name, line->number);
    } else if (*rest) {
        r = strv_push(&line->words, rest);
    }
    return r < 0 ? err_nomem(err) : 0;
}

/* --- lines ------------------------------------------------------------------ */

/*
 * Appends the line at @p, joined with those that it goes on in, without blanks around.
 * Return: the next line.
 */
static const char *take_line(const char *p, struct buf *line, unsigned *number) {
    for (;;) {
        size_t n = strcspn(p, "\n"), used;
        bool goes_on;

        ++*number;
        p += strspn(p, BLANKS);
        n = strcspn(p, "\n");
        used = n;
        while (used > 0 && strchr(BLANKS, p[used - 1]))
            used--;
        /* A backslash before the backslash is an ordinary one. */
        goes_on = used > 0 && p[used - 1] == '\\' && !(used > 1 && p[used - 2] == '\\') &&
                  (line->size > 0 || *p != '#');
        if (goes_on)
            used--;
        while (goes_on && used > 0 && strchr(BLANKS, p[used - 1]))
            used--;
        if (line->size > 0 && used > 0)
            buf_puts(line, " ");
        buf_append(line, p, used);
        p += n + (p[n] == '\n');
        if (!goes_on || !*p)
            return p;
    }
}

static struct run_file_line *add_line(struct run_file *file, unsigned number) {
    struct run_file_line *lines = reallocarray(file->lines, file->n_lines + 1, sizeof *lines);

    if (!lines)
        return NULL;
    file->lines = lines;
    lines[file->n_lines] = (struct run_file_line){.number = number};
    return &lines[file->n_lines++];
}

int run_file_parse(struct run_file *file, const char *name, const char *text, size_t size,
                   struct err *err) {
    const char *p = str_after(text, "\xef\xbb\xbf"); /* a byte order mark */
    unsigned number = 0;

    *file = (struct run_file){0};
    if (strlen(text) != size)
        return err_set(err, -EINVAL, "%s: it is no text: there is a NUL in it", name);
    for (p = p ? p : text; *p;) {
        _cleanup_buf_ struct buf text_of_line = BUF_INIT;
        struct run_file_line *line;
        unsigned first = number + 1;
        int r;

        p = take_line(p, &text_of_line, &number);
        if (text_of_line.size == 0 || text_of_line.data[0] == '#')
            continue;
        line = buf_failed(&text_of_line) ? NULL : add_line(file, first);
        if (!line)
            return err_nomem(err);
        r = take_option(line, text_of_line.data, name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- paths ------------------------------------------------------------------ */

/* @path as seen from @directory; colons of the directory escaped where fields are told by them. */
static char *join(const char *directory, const char *path, bool is_field) {
    _cleanup_buf_ struct buf joined = BUF_INIT;

    if (*path == '/' || !*path || str_eq(directory, "."))
        return strdup(path);
    for (const char *p = directory; *p; p++) {
        if (is_field && (*p == ':' || *p == '\\'))
            buf_puts(&joined, "\\");
        buf_append(&joined, p, 1);
    }
    if (joined.size > 0 && joined.data[joined.size - 1] != '/')
        buf_puts(&joined, "/");
    while (str_after(path, "./"))
        path += 2 + strspn(path + 2, "/");
    buf_puts(&joined, path);
    return buf_take(&joined);
}

/* SRC[:DEST] of a download: SRC is the container's, DEST ours; without it, the file's directory. */
static char *rebase_download(const char *value, const char *directory) {
    const char *p = value;
    _cleanup_free_ char *target = NULL;

    if (str_eq(directory, "."))
        return strdup(value);
    while (*p && *p != ':')
        p += *p == '\\' && p[1] ? 2 : 1;
    target = join(directory, *p ? p + 1 : "./", true);
    return target ? str_printf("%.*s:%s", (int)(p - value), value, target) : NULL;
}

static bool ends_as_tarball(const char *text) {
    static const char *const suffixes[] = {".tar", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst"};
    size_t n = strlen(text);

    for (size_t i = 0; i < N_ELEMENTS(suffixes); i++)
        if (n > strlen(suffixes[i]) && str_eq(text + n - strlen(suffixes[i]), suffixes[i]))
            return true;
    return strstr(text, ".tar.") != NULL;
}

/* A reference: the part behind a transport's name, or all of one that is a path. */
static char *rebase_image(const char *value, const char *directory) {
    static const char *const transports[] = {
        "rootfs:", "tar:", "oci:", "oci-archive:", "docker-archive:"};
    _cleanup_free_ char *joined = NULL;

    for (size_t i = 0; i < N_ELEMENTS(transports); i++) {
        const char *path = str_after(value, transports[i]);

        if (!path || str_eq(path, "-"))
            continue;
        joined = join(directory, path, false);
        return joined ? str_printf("%s%s", transports[i], joined) : NULL;
    }
    if (strstr(value, "://") ||
        !(str_eq(value, ".") || str_eq(value, "..") || str_after(value, "./") ||
          str_after(value, "../") || ends_as_tarball(value)))
        return strdup(value);
    joined = join(directory, value, false);
    /* What does not begin as a path does may be taken for a name. */
    return joined && *joined != '/' && *joined != '.' ? str_printf("./%s", joined)
                                                      : take_ptr(joined);
}

char *run_file_rebase(const char *option, const char *value, const char *directory) {
    static const char *const fields[] = {"volume", "upload"};
    static const char *const files[] = {"json", "junit", "file", "watch"};

    if (str_eq(option, "download"))
        return rebase_download(value, directory);
    if (str_eq(option, "image"))
        return rebase_image(value, directory);
    for (size_t i = 0; i < N_ELEMENTS(fields); i++)
        if (str_eq(option, fields[i]))
            return join(directory, value, true);
    for (size_t i = 0; i < N_ELEMENTS(files); i++)
        if (str_eq(option, files[i]) && !str_eq(value, "-"))
            return join(directory, value, false);
    return strdup(value);
}
