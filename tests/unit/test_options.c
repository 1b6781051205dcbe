/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: the parser over a table, and the one-liner's own. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "tools/options.h"
#include "tools/run_options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define MAX_WORDS 16

static int count(char *const *argv) {
    int n = 0;

    while (argv[n])
        n++;
    return n;
}

/* --- the parser over a table -------------------------------------------------- */

static const struct option_spec specs[] = {
    {"all", 'a', NULL, "g", "", 1},
    {"block", 'b', "SIZE", "g", "", 2},
    {"color", 0, "WHEN", "g", "", 3},
    {"column", 0, NULL, "g", "", 4},
};

/* Whether words are taken and followed by more, as commands do it. */
static bool takes_words;

/* What the parser makes of a command line: "a", "b=3", "word:x", "end" or "error: ...". */
static void parse_generic(const char *const *words, struct buf *ret_text) {
    char *argv[MAX_WORDS + 2] = {(char *)"mayfly"};
    struct options options;
    struct err err = {0};
    int r;

    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = (char *)words[i];
    options_init(&options, specs, N_ELEMENTS(specs), count(argv), argv);
    while ((r = options_next(&options, &err)) == 0 || (r == OPTIONS_WORD && takes_words)) {
        if (r == OPTIONS_WORD) {
            options_take_word(&options);
            buf_printf(ret_text, "%s ", options.value);
            continue;
        }
        buf_printf(ret_text, "%d", options.spec->id);
        if (options.value)
            buf_printf(ret_text, "=%s", options.value);
        buf_puts(ret_text, " ");
    }
    if (r == OPTIONS_END)
        buf_puts(ret_text, "end");
    else if (r == OPTIONS_WORD)
        buf_printf(ret_text, "word:%s", options.value);
    else
        buf_printf(ret_text, "error: %s", err.message);
}

Test(options, gnu_conventions) {
    static const struct {
        const char *words[MAX_WORDS];
        const char *expected;
    } cases[] = {
        {{NULL}, "end"},
        {{"-a", "--all"}, "1 1 end"},
        {{"-b", "3", "-b3", "--block", "3", "--block=3"}, "2=3 2=3 2=3 2=3 end"},
        {{"-aab3"}, "1 1 2=3 end"},
        {{"-ab", "3", "-a"}, "1 2=3 1 end"},
        {{"--bl=3", "--al"}, "2=3 1 end"},
        {{"--block="}, "2= end"},
        {{"-b", "-a"}, "2=-a end"},
        {{"-b", "--"}, "2=-- end"},
        {{"-a", "--"}, "1 end"},
        {{"-a", "--", "-a"}, "1 word:-a"},
        {{"-a", "x", "-a"}, "1 word:x"},
        {{"-"}, "word:-"},
        {{""}, "word:"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        parse_generic(cases[i].words, &text);
        cr_expect_str_eq(text.data, cases[i].expected);
    }
}

Test(options, mistakes_are_named) {
    static const struct {
        const char *words[MAX_WORDS];
        const char *expected;
    } cases[] = {
        {{"-x"}, "error: unknown option '-x'; 'mayfly --help' lists them"},
        {{"-ax"}, "1 error: unknown option '-x'; 'mayfly --help' lists them"},
        {{"-a", "-?"}, "1 error: unknown option '-?'; 'mayfly --help' lists them"},
        {{"-\xc3\xa9"}, "error: unknown option '-\xc3\xa9'; 'mayfly --help' lists them"},
        {{"--zebra"}, "error: unknown option '--zebra'; 'mayfly --help' lists them"},
        {{"--zebra=3"}, "error: unknown option '--zebra'; 'mayfly --help' lists them"},
        {{"--blokc=3"}, "error: unknown option '--blokc'; did you mean '--block'?"},
        {{"--col"}, "error: option '--col' is ambiguous: --color, --column"},
        {{"--all=true", "--column=false", "-b", "2"}, "1 2=2 end"},
        {{"--all=false"}, "end"},
        {{"--all=true", "x"}, "1 word:x"},
        {{"--all=False"}, "error: option '--all' takes no argument; leave out what follows '='"},
        {{"--all=3"}, "error: option '--all' takes no argument; leave out what follows '='"},
        {{"-b"}, "error: option '-b' needs an argument: -b SIZE"},
        {{"-ab"}, "1 error: option '-b' needs an argument: -b SIZE"},
        {{"--bl"}, "error: option '--block' needs an argument: --block SIZE"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        parse_generic(cases[i].words, &text);
        cr_expect_str_eq(text.data, cases[i].expected);
    }
}

Test(options, words_and_options_in_any_order) {
    static const struct {
        const char *words[MAX_WORDS];
        const char *expected;
    } cases[] = {
        {{"x", "-a", "y", "-b3"}, "x 1 y 2=3 end"},
        {{"x"}, "x end"},
        {{"x", "--", "-a", "y"}, "x -a y end"},
        {{"--", "x", "--", "-a"}, "x -- -a end"},
        {{"-b", "--", "x", "-a"}, "2=-- x 1 end"},
        {{"x", "--nope"}, "x error: unknown option '--nope'; 'mayfly --help' lists them"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        takes_words = true;
        parse_generic(cases[i].words, &text);
        cr_expect_str_eq(text.data, cases[i].expected);
    }
}

/* --- what was probably meant -------------------------------------------------- */

static const char *candidate(const void *list, size_t i) {
    return ((const char *const *)list)[i];
}

Test(options, nearest) {
    static const char *const names[] = {"doctor", "version", "help", "rm", NULL};
    static const struct {
        const char *word, *near;
    } cases[] = {
        {"docter", "doctor"},
        {"dcotor", "doctor"},
        {"octor", "doctor"},
        {"doctors", "doctor"},
        {"dcoter", "doctor"},
        {"hepl", "help"},
        {"helo", "help"},
        {"verson", "version"},
        {"doc", NULL},
        {"dcetra", NULL},
        {"", NULL},
        {"r", NULL},
        {"xy", NULL},
        {"hxxp", NULL},
        {"a-word-that-is-far-too-long-to-be-a-slip-of-the-hand", NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const char *near = options_nearest(cases[i].word, candidate, names);

        if (cases[i].near)
            cr_expect(near && str_eq(near, cases[i].near), "%s: %s", cases[i].word, near);
        else
            cr_expect_null(near, "%s: %s", cases[i].word, near);
    }
}

/* --- the table of the one-liner ----------------------------------------------- */

Test(options, table_is_sound) {
    struct option_spec table[OPTIONS_MAX];
    size_t n_specs = run_options_specs(table);

    for (size_t i = 0; i < n_specs; i++) {
        const struct option_spec *a = &table[i];

        cr_expect(a->name && a->group, "%zu", i);
        /* Another name of an option has no words of its own. */
        cr_expect(!a->help || (*a->help && a->help[strlen(a->help) - 1] != '.'), "%s", a->name);
        for (size_t j = 0; j < i; j++) {
            const struct option_spec *b = &table[j];

            cr_expect_str_neq(a->name, b->name);
            cr_expect_neq(a->id, b->id, "%s and %s", a->name, b->name);
            cr_expect(!a->letter || a->letter != b->letter, "%s and %s", a->name, b->name);
        }
    }
}

/* --- the one-liner ------------------------------------------------------------ */

static int parse_run(struct run_options *run, const char *const *words, struct err *err) {
    char *argv[MAX_WORDS + 2] = {(char *)"mayfly"};

    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = (char *)words[i];
    return run_options_parse(run, count(argv), argv, NULL, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define _cleanup_run_options_ _cleanup_(run_options_done)

Test(run_options, actions_keep_their_order) {
    static const char *const expected[] = {"/tmp", "pwd", "ls -la", "out:/x", "in", "true"};
    static const enum action_kind kinds[] = {ACTION_WORKDIR,  ACTION_SHELL,  ACTION_EXEC,
                                             ACTION_DOWNLOAD, ACTION_UPLOAD, ACTION_SHELL};
    _cleanup_run_options_ struct run_options run;
    struct err err = {0};

    cr_assert_eq(parse_run(&run,
                           WORDS("-W", "/tmp", "-Spwd", "-X", "ls", "-la", ";", "--download=out:/x",
                                 "-i", "img", "-U", "in", "--shellcmd", "true"),
                           &err),
                 0, "%s", err.message);
    cr_expect_str_eq(run.plan.image, "img");
    cr_assert_eq(run.plan.n_actions, 6);
    for (size_t i = 0; i < 6; i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        action_format(&run.plan.actions[i], &text);
        cr_expect_str_eq(text.data, expected[i]);
        cr_expect_eq(run.plan.actions[i].kind, kinds[i]);
    }
}

Test(run_options, exec_takes_options_up_to_its_end) {
    _cleanup_run_options_ struct run_options run;
    struct err err = {0};

    cr_assert_eq(parse_run(&run,
                           WORDS("-qX", "prog", "-i", "--", "-X", "a;", ";", "-i", "img", "-X",
                                 "last", "-S", "x"),
                           &err),
                 0, "%s", err.message);
    cr_assert_eq(run.plan.n_actions, 2);
    cr_expect_eq(run.verbosity, VERBOSITY_QUIET);
    cr_assert_eq(run.plan.actions[0].argv.n, 5);
    cr_expect_str_eq(run.plan.actions[0].argv.items[1], "-i");
    cr_expect_str_eq(run.plan.actions[0].argv.items[4], "a;");
    cr_expect_str_eq(run.plan.image, "img");
    cr_assert_eq(run.plan.actions[1].argv.n, 3, "the last one ends with the command line");
    cr_expect_str_eq(run.plan.actions[1].argv.items[2], "x");
}

Test(run_options, every_option) {
    _cleanup_run_options_ struct run_options run;
    struct err err = {0};

    cr_assert_eq(parse_run(&run,
                           WORDS("-i", "img", "-v/a:/b:ro", "--tmpfs=/t:1m", "-eA=1", "-uapp",
                                 "-nhost", "--hostname=h", "--name=n", "--read-only",
                                 "--timeout=10m", "--step-timeout=90s", "--on-failure=shell",
                                 "--json=f", "--debug", "--color=never"),
                           &err),
                 0, "%s", err.message);
    cr_expect_str_eq(run.plan.volumes[0].target, "/b");
    cr_expect_str_eq(run.plan.tmpfs[0].target, "/t");
    cr_expect_str_eq(run.plan.env.items[0], "A=1");
    cr_expect_str_eq(run.plan.user, "app");
    cr_expect_eq(run.plan.net, NET_HOST);
    cr_expect_str_eq(run.plan.hostname, "h");
    cr_expect_str_eq(run.plan.name, "n");
    cr_expect(run.plan.read_only);
    cr_expect_eq(run.plan.timeout_nsec, 600 * NSEC_PER_SEC);
    cr_expect_eq(run.plan.step_timeout_nsec, 90 * NSEC_PER_SEC);
    cr_expect(run.plan.on_failure_shell);
    cr_expect_str_eq(run.json, "f");
    cr_expect_eq(run.verbosity, VERBOSITY_DEBUG);
    cr_expect_eq(run.color, COLOR_NEVER);
}

Test(run_options, help_and_version_need_nothing_else) {
    static const struct {
        const char *words[4];
        int result;
    } cases[] = {
        {{"-h"}, RUN_OPTIONS_HELP},
        {{"--help", "--zebra"}, RUN_OPTIONS_HELP},
        {{"-S", "x", "-h"}, RUN_OPTIONS_HELP},
        {{"--version"}, RUN_OPTIONS_VERSION},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_run_options_ struct run_options run;
        struct err err = {0};

        cr_expect_eq(parse_run(&run, cases[i].words, &err), cases[i].result);
    }
}

Test(run_options, several_images) {
    const char *words[] = {"-i", "a:{1,2}", "-j",           "auto",      "-S", "x",
                           "-i", "b",       "--keep-going", "--junit=f", NULL};
    _cleanup_(run_options_done) struct run_options run;
    struct err err;

    cr_assert_eq(parse_run(&run, words, &err), 0, "%s", err.message);
    cr_expect_eq(run.images.n, 3);
    cr_expect_str_eq(run.images.items[0], "a:1");
    cr_expect_str_eq(run.images.items[1], "a:2");
    cr_expect_str_eq(run.images.items[2], "b");
    cr_expect_str_eq(run.plan.image, "a:1");
    cr_expect_eq(run.jobs, 0);
    cr_expect(run.keep_going);
    cr_expect_str_eq(run.junit, "f");
    cr_expect_eq(run.plan.n_actions, 1);
}

Test(run_options, mistakes_name_the_thing_and_the_mend) {
    static const struct {
        const char *words[6];
        const char *in_message;
    } cases[] = {
        {{"-S", "pwd"}, "-i IMAGE"},
        {{"-i", "a", "-j", "x"}, "-j 'x' is not a number"},
        {{"-i", "a", "-j", "1025"}, "-j '1025' is not a number"},
        {{"-i", "a{1..1001}"}, "-i 'a{1..1001}': the lists in braces"},
        {{"-i", "a", "--output", "x"}, "--output 'x' is not one of live, block, prefix"},
        {{"-i", "{a,b}", "-j2", "--output", "live"}, "--output live shows one image at a time"},
        {{"-i", "a", "--junit", "-"}, "--junit -: standard output"},
        {{"-i", "a", "pwd"}, "'pwd' is no option; a command is given as -S 'pwd'"},
        {{"-i", "a", "-X", ";"}, "-X: no program"},
        {{"-i", "a", "-W", ""}, "-W: the directory's name is empty"},
        {{"-i", "a", "-v", "x"}, "-v 'x' is not SRC:DST"},
        {{"-i", "a", "-v/x:/y", "--tmpfs=/y"}, "'/y' is already the target"},
        {{"-i", "a", "--tmpfs=x"}, "--tmpfs 'x': the container path 'x' has to begin with '/'"},
        {{"-i", "a", "-e", "=x"}, "-e '=x'"},
        {{"-i", "a", "-n", "f/st"}, "--net: unknown network mode 'f/st'"},
        {{"-i", "a", "--timeout=x"}, "--timeout 'x' is not a length of time"},
        {{"-i", "a", "--step-timeout", ""}, "--step-timeout '' is not a length of time"},
        {{"-i", "a", "--timeout=0"}, "--timeout 0"},
        {{"-i", "a", "--on-failure=bash"}, "--on-failure 'bash'"},
        {{"-i", "a", "--json=-"}, "--json -: standard output"},
        {{"-i", "a", "--json="}, "--json: the file's name is empty"},
        {{"-i", "a", "--color=blue"}, "--color 'blue'"},
        {{"-i", "a", "--name=a/b"}, "--name 'a/b'"},
        {{"-i", ""}, "-i IMAGE"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_run_options_ struct run_options run;
        struct err err = {0};

        cr_expect_eq(parse_run(&run, cases[i].words, &err), -EINVAL, "%s", cases[i].in_message);
        cr_expect(strstr(err.message, cases[i].in_message), "%s", err.message);
    }
}

Test(run_options, default_net) {
    char *argv[] = {(char *)"mayfly", (char *)"-i", (char *)"a", NULL};
    char *with_net[] = {(char *)"mayfly", (char *)"-i", (char *)"a", (char *)"-nnone", NULL};
    _cleanup_run_options_ struct run_options host, none, empty, bad;
    struct err err = {0};

    cr_assert_eq(run_options_parse(&host, 3, argv, "host", &err), 0);
    cr_expect_eq(host.plan.net, NET_HOST);
    cr_assert_eq(run_options_parse(&none, 4, with_net, "host", &err), 0);
    cr_expect_eq(none.plan.net, NET_NONE);
    cr_assert_eq(run_options_parse(&empty, 3, argv, "", &err), 0);
    cr_expect_eq(empty.plan.net, NET_BRIDGE);
    cr_assert_eq(run_options_parse(&bad, 3, argv, "bridge:", &err), -EINVAL);
    cr_expect(str_after(err.message, "MAYFLY_NET: "), "%s", err.message);
}
