/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as it is filled in, and what plan_check() finds wrong with it. */
#include "engine/base/cleanup.h"
#include "engine/plan/plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define _cleanup_plan_ _cleanup_(plan_done)

/* --- defaults ---------------------------------------------------------------- */

Test(plan, defaults) {
    _cleanup_plan_ struct plan plan;

    plan_init(&plan);
    cr_expect_null(plan.image);
    cr_expect_null(plan.user);
    cr_expect_eq(plan.net, NET_BRIDGE);
    cr_expect_eq(plan.timeout_nsec, CLOCK_NEVER);
    cr_expect_eq(plan.step_timeout_nsec, CLOCK_NEVER);
    cr_expect_not(plan.read_only);
    cr_expect_not(plan.on_failure_shell);
    cr_expect_eq(plan.n_actions + plan.n_volumes + plan.n_tmpfs + plan.env.n, 0);
}

/* --- actions ----------------------------------------------------------------- */

Test(plan, steps) {
    _cleanup_plan_ struct plan plan;
    const char *shell[] = {"echo 'a b'", NULL}, *exec[] = {"prog", "a b", "it's", "", NULL};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct err err = {0};

    plan_init(&plan);
    cr_assert_eq(plan_add_action(&plan, ACTION_SHELL, shell, NULL, &err), 0);
    cr_assert_eq(plan_add_action(&plan, ACTION_EXEC, exec, NULL, &err), 0);
    cr_assert_eq(plan_add_action(&plan, ACTION_WORKDIR, NULL, "/a:b", &err), 0);
    cr_assert_eq(plan.n_actions, 3);
    cr_expect_eq(plan.actions[0].argv.n, 3);
    cr_expect_str_eq(plan.actions[0].argv.items[0], "/bin/sh");
    cr_expect_str_eq(plan.actions[0].argv.items[1], "-c");
    cr_expect_str_eq(plan.actions[0].argv.items[2], "echo 'a b'");
    cr_expect_null(plan.actions[0].argv.items[3]);
    cr_expect_eq(plan.actions[1].argv.n, 4);
    cr_expect_str_eq(plan.actions[2].target, "/a:b", "no escapes in a directory's name");
    cr_expect(action_is_step(&plan.actions[0]) && action_is_step(&plan.actions[1]));
    cr_expect_not(action_is_step(&plan.actions[2]));
    for (size_t i = 0; i < plan.n_actions; i++) {
        action_format(&plan.actions[i], &text);
        buf_puts(&text, "\n");
    }
    cr_expect_str_eq(text.data, "echo 'a b'\nprog 'a b' 'it'\\''s' ''\n/a:b\n");
}

Test(plan, copies) {
    static const struct {
        const char *spec, *source, *target; /* source NULL: refused */
    } cases[] = {
        {"hello", "hello", NULL},
        {"/a/b/", "/a/b/", NULL},
        {"a:b", "a", "b"},
        {"a\\:b", "a:b", NULL},
        {"a\\:b:c\\:d", "a:b", "c:d"},
        {".:out", ".", "out"},
        {"/:out", "/", "out"},
        {"a\nb:c d", "a\nb", "c d"},
        {"", NULL, NULL},
        {":", NULL, NULL},
        {"a:", NULL, NULL},
        {":b", NULL, NULL},
        {"a:b:c", NULL, NULL},
        {"/", NULL, NULL},
        {".", NULL, NULL},
        {"a/..", NULL, NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_plan_ struct plan plan;
        _cleanup_buf_ struct buf text = BUF_INIT;
        struct err err = {0};
        int r;

        plan_init(&plan);
        r = plan_add_action(&plan, ACTION_DOWNLOAD, NULL, cases[i].spec, &err);
        cr_assert_eq(r, cases[i].source ? 0 : -EINVAL, "%s", cases[i].spec);
        if (!cases[i].source) {
            cr_expect(str_after(err.message, "-D "), "%s", err.message);
            cr_expect_eq(plan.n_actions, 0);
            continue;
        }
        cr_expect_str_eq(plan.actions[0].source, cases[i].source);
        if (cases[i].target)
            cr_expect_str_eq(plan.actions[0].target, cases[i].target);
        else
            cr_expect_null(plan.actions[0].target);
        action_format(&plan.actions[0], &text);
        cr_expect_str_eq(text.data, cases[i].spec);
    }
}

Test(plan, actions_that_are_none) {
    _cleanup_plan_ struct plan plan;
    const char *nothing[] = {NULL}, *empty[] = {"", NULL}, *two[] = {"a", "b", NULL};
    struct err err = {0};

    plan_init(&plan);
    cr_expect_eq(plan_add_action(&plan, ACTION_EXEC, nothing, NULL, &err), -EINVAL);
    cr_expect_eq(plan_add_action(&plan, ACTION_EXEC, NULL, NULL, &err), -EINVAL);
    cr_expect_eq(plan_add_action(&plan, ACTION_EXEC, empty, NULL, &err), -EINVAL);
    cr_expect_eq(plan_add_action(&plan, ACTION_SHELL, two, NULL, &err), -EINVAL);
    cr_expect_eq(plan_add_action(&plan, ACTION_WORKDIR, NULL, "", &err), -EINVAL);
    cr_expect_eq(plan_add_action(&plan, ACTION_UPLOAD, NULL, NULL, &err), -EINVAL);
    cr_expect_eq(plan.n_actions, 0);
    cr_expect_eq(plan_add_action(&plan, ACTION_SHELL, empty, NULL, &err), 0,
                 "an empty command is one for a shell");
}

/* --- mounts ------------------------------------------------------------------ */

Test(plan, volumes) {
    static const struct {
        const char *spec, *source, *target; /* source: relative to the current directory */
        enum volume_mode mode;
    } cases[] = {
        {"/a:/b", "/a", "/b", VOLUME_RW},           {"/a:/b:rw", "/a", "/b", VOLUME_RW},
        {"/a:/b/:ro", "/a", "/b", VOLUME_RO},       {"/a:/b:cow", "/a", "/b", VOLUME_COW},
        {"/a:/b:ro,Z", "/a", "/b", VOLUME_RO},      {"/a:/b:z", "/a", "/b", VOLUME_RW},
        {"/a:/b:O", "/a", "/b", VOLUME_COW},        {"a:/b", "a", "/b", VOLUME_RW},
        {"./a:/b", "a", "/b", VOLUME_RW},           {".:/b", "", "/b", VOLUME_RW},
        {".//./a/:/b", "a/", "/b", VOLUME_RW},      {"../a:/b", "../a", "/b", VOLUME_RW},
        {".hidden:/b", ".hidden", "/b", VOLUME_RW}, {"/a\\:b:/c\\:d", "/a:b", "/c:d", VOLUME_RW},
    };
    _cleanup_free_ char *cwd = getcwd(NULL, 0);

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const char *source = cases[i].source;
        _cleanup_free_ char *absolute = NULL;
        _cleanup_plan_ struct plan plan;
        struct err err = {0};

        plan_init(&plan);
        absolute = source[0] == '/' ? strdup(source)
                   : source[0]      ? str_printf("%s/%s", cwd, source)
                                    : strdup(cwd);
        cr_assert_eq(plan_add_volume(&plan, cases[i].spec, &err), 0, "%s", err.message);
        cr_expect_str_eq(plan.volumes[0].source, absolute);
        cr_expect_str_eq(plan.volumes[0].target, cases[i].target);
        cr_expect_eq(plan.volumes[0].mode, cases[i].mode);
    }
}

Test(plan, volumes_from_the_root_directory) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(plan_add_volume(&plan, "a:/b", &err), 0);
    cr_assert_eq(plan_add_volume(&plan, ".:/c", &err), 0);
    cr_expect_str_eq(plan.volumes[0].source, "/a");
    cr_expect_str_eq(plan.volumes[1].source, "/");
}

Test(plan, volumes_that_are_none) {
    static const char *const specs[] = {
        "",           "/a",       ":/b",  "/a:",     "/a:b", "/a:/b:", "/a:/b:rw,ro",
        "/a:/b:ro:x", "/a:/../b", "/a:/", "/a:/b:RO"};

    for (size_t i = 0; i < N_ELEMENTS(specs); i++) {
        _cleanup_plan_ struct plan plan;
        struct err err = {0};

        plan_init(&plan);
        cr_expect_eq(plan_add_volume(&plan, specs[i], &err), -EINVAL, "%s", specs[i]);
        cr_expect(strstr(err.message, specs[i]) && str_after(err.message, "-v '"), "%s",
                  err.message);
        cr_expect_eq(plan.n_volumes, 0);
    }
}

Test(plan, tmpfs) {
    static const char *const bad[] = {
        "",        "a",         "/",        "/a:",    "/a:0",       "/a:x",
        "/a:1m:2", "/a:mode=8", "/a:mode=", "/a:1m,", "/a:noexec,x"};
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_assert_eq(plan_add_tmpfs(&plan, "/a/", &err), 0);
    cr_assert_eq(plan_add_tmpfs(&plan, "/b:64m", &err), 0);
    cr_assert_eq(plan_add_tmpfs(&plan, "/c:size=1k", &err), 0);
    cr_expect_str_eq(plan.tmpfs[0].target, "/a");
    cr_expect_eq(plan.tmpfs[0].size_bytes, 0);
    cr_expect_eq(plan.tmpfs[1].size_bytes, UINT64_C(64) << 20);
    cr_expect_eq(plan.tmpfs[2].size_bytes, 1024);
    cr_expect_eq(plan.tmpfs[2].mode, 01777);
    cr_expect_not(plan.tmpfs[2].no_exec);
    cr_assert_eq(plan_add_tmpfs(&plan, "/d:rw,noexec,nosuid,size=65536k,mode=755", &err), 0);
    cr_expect_eq(plan.tmpfs[3].size_bytes, UINT64_C(65536) << 10);
    cr_expect_eq(plan.tmpfs[3].mode, 0755);
    cr_expect(plan.tmpfs[3].no_exec);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        cr_expect_eq(plan_add_tmpfs(&plan, bad[i], &err), -EINVAL, "%s", bad[i]);
        cr_expect(str_after(err.message, "--tmpfs '"), "%s", err.message);
    }
    cr_expect_eq(plan.n_tmpfs, 4);
}

/* --- environment and strings ------------------------------------------------- */

Test(plan, env) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    setenv("MAYFLY_TEST_SET", "from outside", 1);
    unsetenv("MAYFLY_TEST_UNSET");
    cr_expect_eq(plan_add_env(&plan, "A=1", &err), 0);
    cr_expect_eq(plan_add_env(&plan, "A=2=3", &err), 0);
    cr_expect_eq(plan_add_env(&plan, "EMPTY=", &err), 0);
    cr_expect_eq(plan_add_env(&plan, "MAYFLY_TEST_SET", &err), 0);
    cr_expect_eq(plan_add_env(&plan, "MAYFLY_TEST_UNSET", &err), 0);
    cr_expect_eq(plan_add_env(&plan, "", &err), -EINVAL);
    cr_expect_eq(plan_add_env(&plan, "=x", &err), -EINVAL);
    cr_expect(str_after(err.message, "-e '=x'"));
    cr_assert_eq(plan.env.n, 3);
    cr_expect_str_eq(strv_get_env(&plan.env, "A"), "2=3");
    cr_expect_str_eq(strv_get_env(&plan.env, "EMPTY"), "");
    cr_expect_str_eq(strv_get_env(&plan.env, "MAYFLY_TEST_SET"), "from outside");
}

Test(plan, set_string) {
    _cleanup_plan_ struct plan plan;

    plan_init(&plan);
    cr_expect_eq(str_set(&plan.image, "one", NULL), 0);
    cr_expect_eq(str_set(&plan.image, "two", NULL), 0);
    cr_expect_str_eq(plan.image, "two");
}

/* --- plan_check -------------------------------------------------------------- */

/* Checks a plan with an image and one string or mount set; the message, or NULL when all is well.
 */
static const char *check(const char *field, const char *value) {
    static struct err err;
    _cleanup_plan_ struct plan plan;
    int r;

    err = (struct err){0};
    plan_init(&plan);
    str_set(&plan.image, "busybox.tar", NULL);
    if (str_eq(field, "image"))
        str_set(&plan.image, value, NULL);
    else if (str_eq(field, "name"))
        str_set(&plan.name, value, NULL);
    else if (str_eq(field, "hostname"))
        str_set(&plan.hostname, value, NULL);
    else if (str_eq(field, "user"))
        str_set(&plan.user, value, NULL);
    else if (str_eq(field, "env"))
        strv_push(&plan.env, value);
    r = plan_check(&plan, &err);
    cr_assert(r == 0 || (r == -EINVAL && err.message[0]));
    return r < 0 ? err.message : NULL;
}

Test(plan, check_strings) {
    static const struct {
        const char *field, *value, *option; /* NULL: fine */
    } cases[] = {
        {"image", "busybox.tar", NULL},
        {"image", "", "-i"},
        {"name", "web-1", NULL},
        {"name", "a/b", "--name"},
        {"name", "", "--name"},
        {"hostname", "a.b", NULL},
        {"hostname", "a_b", "--hostname"},
        {"user", "root", NULL},
        {"user", "1000:1000", NULL},
        {"user", "app:staff", NULL},
        {"user", "", "-u"},
        {"user", ":", "-u"},
        {"user", ":staff", "-u"},
        {"user", "app:", "-u"},
        {"user", "a:b:c", "-u"},
        {"env", "A=1", NULL},
        {"env", "A", "-e"},
        {"env", "=1", "-e"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const char *message = check(cases[i].field, cases[i].value);

        if (cases[i].option)
            cr_expect(message && strstr(message, cases[i].option), "%s '%s': %s", cases[i].field,
                      cases[i].value, message ? message : "accepted");
        else
            cr_expect_null(message, "%s '%s': %s", cases[i].field, cases[i].value, message);
    }
}

Test(plan, check_needs_an_image) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_expect_eq(plan_check(&plan, &err), -EINVAL);
    cr_expect(strstr(err.message, "-i IMAGE"));
}

Test(plan, check_mounts) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    str_set(&plan.image, "i", NULL);
    cr_assert_eq(plan_add_volume(&plan, "/x:/a", &err), 0);
    cr_assert_eq(plan_add_volume(&plan, "/x:/a/b", &err), 0);
    cr_assert_eq(plan_add_tmpfs(&plan, "/c", &err), 0);
    cr_expect_eq(plan_check(&plan, &err), 0, "%s", err.message);
    cr_assert_eq(plan_add_tmpfs(&plan, "//a/", &err), 0);
    cr_expect_eq(plan_check(&plan, &err), -EINVAL, "one target twice");
    cr_expect(strstr(err.message, "--tmpfs: '/a'") && strstr(err.message, "of -v"), "%s",
              err.message);
}

Test(plan, check_mounts_of_other_front_ends) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    str_set(&plan.image, "i", NULL);
    cr_assert_eq(plan_add_volume(&plan, "/x:/a", &err), 0);
    str_set(&plan.volumes[0].target, "/a/../b", NULL);
    cr_expect_eq(plan_check(&plan, &err), -EINVAL);
    str_set(&plan.volumes[0].target, "/a", NULL);
    str_set(&plan.volumes[0].source, "x", NULL);
    cr_expect_eq(plan_check(&plan, &err), -EINVAL);
}

Test(plan, check_timeouts) {
    _cleanup_plan_ struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    str_set(&plan.image, "i", NULL);
    plan.timeout_nsec = 1;
    plan.step_timeout_nsec = 1;
    cr_expect_eq(plan_check(&plan, &err), 0);
    plan.timeout_nsec = 0;
    cr_expect_eq(plan_check(&plan, &err), -EINVAL);
    cr_expect(str_after(err.message, "--timeout "));
    plan.timeout_nsec = CLOCK_NEVER;
    plan.step_timeout_nsec = 0;
    cr_expect_eq(plan_check(&plan, &err), -EINVAL);
    cr_expect(str_after(err.message, "--step-timeout "));
}
