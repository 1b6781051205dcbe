/* SPDX-License-Identifier: Apache-2.0 */
/* Files of options: lines, words, paths. */
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "tools/run_file.h"
#include "tools/run_options.h"

#include <criterion/criterion.h>
#include <string.h>

/* The lines as "number[word|word]". */
static char *parse(const char *text) {
    _cleanup_(run_file_done) struct run_file file = {0};
    _cleanup_buf_ struct buf shown = BUF_INIT;
    struct err err = {0};

    if (run_file_parse(&file, "f", text, strlen(text), &err) < 0)
        return strdup(err.message);
    for (size_t i = 0; i < file.n_lines; i++) {
        buf_printf(&shown, "%u[", file.lines[i].number);
        for (size_t j = 1; j < file.lines[i].words.n; j++)
            buf_printf(&shown, "%s%s", j > 1 ? "|" : "", file.lines[i].words.items[j]);
        buf_puts(&shown, "]");
    }
    buf_puts(&shown, "");
    return shown.data ? buf_take(&shown) : strdup("");
}

struct example {
    const char *text;
    const char *lines;
};

static void expect_all(const struct example *examples, size_t n) {
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *lines = parse(examples[i].text);

        cr_expect_str_eq(lines, examples[i].lines, "%s: came %s", examples[i].text, lines);
    }
}

/* --- lines ---------------------------------------------------------------- */

Test(run_file, lines) {
    static const struct example examples[] = {
        {"", ""},
        {"\n\n", ""},
        {"# only\n  # comments", ""},
        {"image debian:12", "1[--image|debian:12]"},
        {"\xef\xbb\xbfimage a\r\nquiet\r\n", "1[--image|a]2[--quiet]"},
        {"-i a\n\n-q\n", "1[-i|a]3[-q]"},
        {"  --net=none  \n\tenv\tA= b  c \n", "1[--net=none]2[--env|A= b  c]"},
        {"-S make -j4 && make check # all", "1[-S|make -j4 && make check # all]"},
        {"-S 'a' \"b\" \\c", "1[-S|'a' \"b\" \\c]"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

Test(run_file, lines_that_go_on) {
    static const struct example examples[] = {
        {"-S a \\\n   b\\\n c\n-q", "1[-S|a b c]4[-q]"},
        {"-S a\\\\\n-q", "1[-S|a\\\\]2[-q]"},
        {"# a comment \\\n-q", "2[-q]"},
        {"-S a \\", "1[-S|a]"},
        {"-S a \\\n\n-q", "1[-S|a]3[-q]"},
        {"-S a \\\n # b", "1[-S|a # b]"},
        {"\\\nimage a", "1[--image|a]"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

Test(run_file, words_of_exec) {
    static const struct example examples[] = {
        {"exec /bin/a b  c ;", "1[--exec|/bin/a|b|c|;]"},
        {"-X a 'b  c' \"d 'e' \\\" \\x\" f\\ g '' \"\"", "1[-X|a|b  c|d 'e' \" \\x|f g||]"},
        {"-X a'b'\"c\"", "1[-X|abc]"},
        {"-X 'a", "f:1: a quote is opened and not closed"},
        {"-X", "1[-X]"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

/* --- paths ---------------------------------------------------------------- */

Test(run_file, paths) {
    static const struct {
        const char *option, *value, *result;
    } cases[] = {
        {"volume", "src:/src:ro", "d\\:r/src:/src:ro"},
        {"volume", "./src:/src", "d\\:r/src:/src"},
        {"volume", "/src:/src", "/src:/src"},
        {"upload", "../a\\:b", "d\\:r/../a\\:b"},
        {"download", "/tmp/x", "/tmp/x:d\\:r/"},
        {"download", "x\\:y:z", "x\\:y:d\\:r/z"},
        {"download", "x:/z", "x:/z"},
        {"image", "debian:12", "debian:12"},
        {"image", "localhost:5000/a/b", "localhost:5000/a/b"},
        {"image", "https://h/x.tar", "https://h/x.tar"},
        {"image", "host:", "host:"},
        {"image", "x.tar.gz", "./d:r/x.tar.gz"},
        {"image", "./x", "./d:r/x"},
        {"image", "..", "./d:r/.."},
        {"image", "/x.tar", "/x.tar"},
        {"image", "tar:x", "tar:d:r/x"},
        {"image", "tar:-", "tar:-"},
        {"image", "oci-archive:/x:1", "oci-archive:/x:1"},
        {"json", "r", "d:r/r"},
        {"workdir", "sub", "sub"},
        {"shellcmd", "./x", "./x"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_free_ char *result = run_file_rebase(cases[i].option, cases[i].value, "d:r");

        cr_expect_str_eq(result, cases[i].result, "%s %s: came %s", cases[i].option, cases[i].value,
                         result);
    }
}

/* What is told to be a file is looked for where the file of options is. */
Test(run_file, every_option_that_takes_a_path) {
    struct option_spec specs[OPTIONS_MAX];
    size_t n = run_options_specs(specs);

    for (size_t i = 0; i < n; i++) {
        const char *argument = specs[i].argument ? specs[i].argument : "";
        _cleanup_free_ char *result = run_file_rebase(specs[i].name, "a:b", "dir");

        if (str_after(argument, "SRC") || str_after(argument, "FILE") ||
            str_eq(argument, "PATH..."))
            cr_expect_str_neq(result, "a:b", "--%s", specs[i].name);
    }
}
