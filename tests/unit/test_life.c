/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a container that lives longer: taken in words, kept, and read again. */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/live/life.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct word {
    const char *name;
    const char *value;
};

static void take(struct life *life, const struct word *words, size_t n) {
    struct err err = {0};

    life_init(life);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(life_set(life, words[i].name, words[i].value, &err), 0, "--%s: %s",
                     words[i].name, err.message);
}

#define TAKE(life, ...)                                                                            \
    take(life, (const struct word[]){__VA_ARGS__},                                                 \
         sizeof((const struct word[]){__VA_ARGS__}) / sizeof(struct word))

/* What is read from what was written. */
static void again(const struct life *life, struct life *ret_again) {
    _cleanup_buf_ struct buf bytes = BUF_INIT;
    struct err err = {0};

    life_write(life, &bytes);
    life_init(ret_again);
    cr_assert_eq(life_read(ret_again, bytes.data, bytes.size, &err), 0, "%s", err.message);
}

Test(life, all_of_it_is_read_again) {
    _cleanup_life_ struct life life, other;

    TAKE(&life, {"image", "debian:12"}, {"argument", "sh"}, {"argument", ""}, {"argument", "-c"},
         {"entrypoint", "/init"}, {"workdir", "/srv"}, {"tty", NULL}, {"interactive", NULL},
         {"rm", NULL}, {"lifetime", "owner"}, {"restart", "on-failure:3"}, {"stop-signal", "INT"},
         {"stop-timeout", "2.5s"}, {"health-cmd", "true"}, {"health-interval", "1m"},
         {"health-timeout", "2s"}, {"health-start-period", "1h"}, {"health-retries", "5"},
         {"label", "a=b"}, {"label", "c"}, {"label", "a=d"}, {"annotation", "x=y=z"},
         {"log-driver", "none"}, {"log-opt", "max-size=1m"}, {"pidfile", "/run/pid"},
         {"env", "A=b"}, {"volume", "/a:/b:ro"}, {"memory", "64m"}, {"hostname", "host"});
    again(&life, &other);
    cr_assert_str_eq(other.plan.image, "debian:12");
    cr_assert_eq(other.command.n, 3);
    cr_assert_str_eq(other.command.items[1], "");
    cr_assert(other.has_entrypoint && other.entrypoint.n == 1);
    cr_assert_str_eq(other.plan.workdir, "/srv");
    cr_assert(other.terminal && other.keep_stdin && other.remove && other.dies_with_owner);
    cr_assert(other.restart == RESTART_ON_FAILURE && other.restart_max == 3);
    cr_assert(other.stop_signal == SIGINT && other.stop_timeout_nsec == 2500 * NSEC_PER_MSEC);
    cr_assert_str_eq(other.health.command, "true");
    cr_assert(other.health.interval_nsec == 60 * NSEC_PER_SEC && other.health.retries == 5);
    cr_assert(other.health.timeout_nsec == 2 * NSEC_PER_SEC);
    cr_assert(other.health.start_period_nsec == 3600 * NSEC_PER_SEC);
    /* A later label of a name takes the earlier one's place. */
    cr_assert(other.labels.n == 2 && life_has_label(&other, "a=d"));
    cr_assert(life_has_label(&other, "a") && life_has_label(&other, "c"));
    cr_assert(!life_has_label(&other, "a=b") && !life_has_label(&other, "b"));
    cr_assert_str_eq(other.annotations.items[0], "x=y=z");
    cr_assert(other.log_off && other.log_max_bytes == 1 << 20);
    cr_assert_str_eq(other.pid_file, "/run/pid");
    cr_assert_str_eq(other.plan.env.items[0], "A=b");
    cr_assert(other.plan.n_volumes == 1 && other.plan.volumes[0].mode == VOLUME_RO);
    cr_assert_eq(other.plan.limits.memory_bytes, 64 << 20);
    cr_assert_str_eq(other.plan.hostname, "host");
}

Test(life, what_depends_on_a_place_is_kept_as_it_was) {
    _cleanup_free_ char *here = getcwd(NULL, 0), *image = str_printf("%s/./dir", here);
    _cleanup_life_ struct life life, other;

    setenv("GIVEN", "then", 1);
    unsetenv("NOT_GIVEN");
    TAKE(&life, {"image", "./dir"}, {"volume", ".:/src"}, {"volume", "./a\\:b:/x:cow"},
         {"env", "GIVEN"}, {"env", "NOT_GIVEN"});
    setenv("GIVEN", "later", 1);
    cr_assert_eq(chdir("/"), 0);
    again(&life, &other);
    cr_assert_str_eq(other.plan.image, image);
    cr_assert_eq(other.plan.n_volumes, 2);
    cr_assert_eq(strncmp(other.plan.volumes[0].source, here, strlen(here)), 0);
    cr_assert(strstr(other.plan.volumes[1].source, "/a:b"));
    cr_assert_eq(other.plan.volumes[1].mode, VOLUME_COW);
    cr_assert(other.plan.env.n == 1 && strcmp(other.plan.env.items[0], "GIVEN=then") == 0);
}

Test(life, images_by_paths_are_told_from_names) {
    static const struct word cases[] = {
        {"tar:x.tar", "tar:/x.tar"},
        {"oci:dir:tag", "oci:/dir:tag"},
        {"tar:/abs", "tar:/abs"},
        {"tar:-", "tar:-"},
        {"/abs", "/abs"},
        {"etc", "/etc"}, /* is there */
        {"debian", "debian"},
        {"host:", "host:"},
    };

    cr_assert_eq(chdir("/"), 0);
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_life_ struct life life;
        const char *found;

        TAKE(&life, {"image", cases[i].name});
        found = life.plan.image;
        /* The root's own path is a slash, and one follows it. */
        cr_assert_str_eq(strstr(found, "//") ? strstr(found, "//") + 1 : found,
                         strstr(found, "//") ? strchr(cases[i].value, '/') : cases[i].value, "%s",
                         found);
    }
}

Test(life, wrong_words_are_named) {
    static const struct word cases[] = {
        {"workdir", "srv"},
        {"lifetime", "long"},
        {"restart", "sometimes"},
        {"restart", "on-failure:0"},
        {"restart", "on-failure:"},
        {"stop-signal", "NOSUCH"},
        {"stop-timeout", "soon"},
        {"health-interval", "0s"},
        {"health-interval", "x"},
        {"health-timeout", "x"},
        {"health-retries", "0"},
        {"health-retries", "x"},
        {"health-start-period", ""},
        {"label", "=x"},
        {"label", ""},
        {"annotation", "=x"},
        {"log-driver", "journald"},
        {"log-opt", "max-size=1"},
        {"log-opt", "max-file=3"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_life_ struct life life;
        struct err err = {0};

        life_init(&life);
        cr_assert_eq(life_set(&life, cases[i].name, cases[i].value, &err), -EINVAL, "--%s %s",
                     cases[i].name, cases[i].value);
        cr_assert(*err.message);
        cr_assert_eq(life.words.n, 0, "--%s %s was kept", cases[i].name, cases[i].value);
    }
}

Test(life, damaged_descriptions_are_refused) {
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0}, {"image\0x", 7}, {"image\0", 6}, {"nothing\0x\0", 10}, {"rm\0\0tty\0", 8}};

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_life_ struct life life;
        struct err err = {0};

        life_init(&life);
        cr_assert_lt(life_read(&life, cases[i].bytes, cases[i].size, &err), 0, "case %zu", i);
        cr_assert(strstr(err.message, "description is damaged"));
    }
}

Test(life, what_excludes_each_other) {
    _cleanup_life_ struct life one, other, fine;

    TAKE(&one, {"image", "x"}, {"rm", NULL}, {"restart", "always"});
    cr_assert_eq(life_check(&one, NULL), -EINVAL);
    TAKE(&other, {"image", "x"}, {"init-system", NULL}, {"user", "1000"});
    cr_assert_eq(life_check(&other, NULL), -EINVAL);
    TAKE(&fine, {"image", "x"}, {"restart", "always"}, {"restart", "no"}, {"rm", NULL});
    cr_assert_eq(life_check(&fine, NULL), 0);
}

/* The words of the main program with an image's own in place of what is not given. */
static void expect_argv(const struct life *life, bool image_has_words, const char *expected) {
    _cleanup_strv_ struct strv argv = {0};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct image_config config = {0};
    int r;

    if (image_has_words) {
        strv_push(&config.entrypoint, "/entry");
        strv_push(&config.cmd, "cmd");
    }
    r = life_argv(life, &config, &argv, NULL);
    for (size_t i = 0; i < argv.n; i++)
        buf_printf(&text, "%s%s", i ? " " : "", argv.items[i]);
    if (expected)
        cr_assert_str_eq(text.data, expected);
    else
        cr_assert_eq(r, -EINVAL);
    strv_done(&config.entrypoint);
    strv_done(&config.cmd);
}

Test(life, words_of_the_main_program) {
    _cleanup_life_ struct life none, words, entry, both, no_entry, init, other_init;

    TAKE(&none, {"image", "x"});
    expect_argv(&none, true, "/entry cmd");
    expect_argv(&none, false, NULL);
    TAKE(&words, {"image", "x"}, {"argument", "a"}, {"argument", "b"});
    expect_argv(&words, true, "/entry a b");
    expect_argv(&words, false, "a b");
    /* Another entrypoint drops the image's command. */
    TAKE(&entry, {"image", "x"}, {"entrypoint", "/mine"});
    expect_argv(&entry, true, "/mine");
    TAKE(&both, {"image", "x"}, {"entrypoint", "/mine"}, {"argument", "a"});
    expect_argv(&both, true, "/mine a");
    TAKE(&no_entry, {"image", "x"}, {"entrypoint", ""}, {"argument", "a"});
    expect_argv(&no_entry, true, "a");
    TAKE(&init, {"image", "x"}, {"init-system", NULL});
    expect_argv(&init, true, "/sbin/init");
    TAKE(&other_init, {"image", "x"}, {"init-system", NULL}, {"argument", "/init"});
    expect_argv(&other_init, true, "/init");
}

Test(life, signals_that_ask_for_the_end) {
    struct image_config usual = {0}, own = {.stop_signal = (char *)"SIGQUIT"},
                        wrong = {.stop_signal = (char *)"NOSUCH"};
    _cleanup_life_ struct life none, given;

    TAKE(&none, {"image", "x"});
    TAKE(&given, {"image", "x"}, {"stop-signal", "USR1"});
    cr_assert_eq(life_stop_signal(&none, &usual), SIGTERM);
    cr_assert_eq(life_stop_signal(&none, &own), SIGQUIT);
    cr_assert_eq(life_stop_signal(&none, &wrong), SIGTERM);
    cr_assert_eq(life_stop_signal(&given, &own), SIGUSR1);
}
