/* SPDX-License-Identifier: Apache-2.0 */
/* The closing table of a matrix, and JUnit's XML of the same. */
#include "engine/base/cleanup.h"
#include "tools/junit.h"
#include "tools/matrix_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct plan plan;
static struct matrix_run runs[3];
static struct matrix matrix;

static void add(size_t run, size_t index, enum outcome outcome, int status, uint64_t msec) {
    cr_assert_eq(result_add(&runs[run].result,
                            &(struct action_result){.index = index,
                                                    .outcome = outcome,
                                                    .status = status,
                                                    .elapsed_nsec = msec * NSEC_PER_MSEC}),
                 0);
    runs[run].result.outcome = outcome;
    runs[run].result.exit_status = status;
    runs[run].result.elapsed_nsec += msec * NSEC_PER_MSEC;
}

/* Three images: good; failed in the second of two steps; left out. */
static void setup(void) {
    static char *images[] = {"alpine:3.18", "alpine:3.19 <x>", "a:3"};

    plan_init(&plan);
    plan_add_action(&plan, ACTION_SHELL, (const char *[]){"make", NULL}, NULL, NULL);
    plan_add_action(&plan, ACTION_WORKDIR, NULL, "/x", NULL);
    plan_add_action(&plan, ACTION_SHELL, (const char *[]){"make check && true", NULL}, NULL, NULL);
    matrix = (struct matrix){.plan = &plan, .runs = runs, .n_runs = 3};
    for (size_t i = 0; i < 3; i++) {
        runs[i].plan = plan;
        runs[i].plan.image = images[i];
        runs[i].label = "label";
    }
    add(0, 0, OUTCOME_OK, 0, 1204);
    add(0, 1, OUTCOME_OK, 0, 0);
    add(0, 2, OUTCOME_OK, 0, 20);
    add(1, 0, OUTCOME_OK, 0, 61000);
    add(1, 1, OUTCOME_OK, 0, 0);
    add(1, 2, OUTCOME_FAILED, 37, 4);
    runs[2].result.outcome = OUTCOME_SKIPPED;
}

static void expect_table(struct step_line_style style, const char *expected) {
    _cleanup_buf_ struct buf table = BUF_INIT;

    matrix_table_format(&table, &matrix, &style);
    cr_expect_str_eq(table.data, expected);
}

/* --- table ---------------------------------------------------------------- */

Test(matrix_table, words, .init = setup) {
    expect_table((struct step_line_style){0},
                 "IMAGE            -S make          -S make check && true  RUN\n"
                 "alpine:3.18      ok 1.204 s       ok 0.020 s             ok 1.224 s\n"
                 "alpine:3.19 <x>  ok 1 min 01.0 s  exit 37 0.004 s        exit 37 1 min 01.0 s\n"
                 "a:3              -                -                      not run\n");
}

Test(matrix_table, as_wide_as_the_terminal, .init = setup) {
    expect_table((struct step_line_style){.columns = 76},
                 "IMAGE            [1]              [3]              RUN\n"
                 "alpine:3.18      ok 1.204 s       ok 0.020 s       ok 1.224 s\n"
                 "alpine:3.19 <x>  ok 1 min 01.0 s  exit 37 0.004 s  exit 37 1 min 01.0 s\n"
                 "a:3              -                -                not run\n");
    expect_table((struct step_line_style){.columns = 40},
                 "IMAGE            [1]  [3]      RUN\n"
                 "alpine:3.18      ok   ok       ok\n"
                 "alpine:3.19 <x>  ok   exit 37  exit 37\n"
                 "a:3              -    -        not run\n");
}

Test(matrix_table, colours_do_not_count, .init = setup) {
    _cleanup_buf_ struct buf table = BUF_INIT;

    matrix_table_format(&table, &matrix, &(struct step_line_style){.columns = 40, .color = true});
    cr_expect(strstr(table.data, "\033[32mok\033[0m   \033[31mexit 37\033[0m  \033[31mexit 37"));
}

Test(matrix_table, long_names_give_way_to_labels, .init = setup) {
    runs[2].plan.image = "registry.example.org:5000/a/name/that/is/long:1";
    cr_expect_str_eq(matrix_table_name(&matrix, 0), "label");
}

/* --- junit ---------------------------------------------------------------- */

Test(junit, whole, .init = setup) {
    char *tails[] = {NULL, "a\tb\n\001\033[1;31m\"red\"\033[0m<&>\xff\xf0\x9f\x98\x80\033", NULL};
    _cleanup_buf_ struct buf xml = BUF_INIT;

    runs[0].result.started_nsec = UINT64_C(1700000000) * NSEC_PER_SEC;
    junit_format(&xml, &matrix, tails);
    cr_expect_str_eq(
        xml.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"mayfly\" tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"2\" "
        "time=\"62.228\">\n"
        "  <testsuite name=\"alpine:3.18\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"0\" "
        "time=\"1.224\" timestamp=\"2023-11-14T22:13:20\">\n"
        "    <testcase name=\"[1/3] -S make\" classname=\"alpine:3.18\" time=\"1.204\"/>\n"
        "    <testcase name=\"[3/3] -S make check &amp;&amp; true\" classname=\"alpine:3.18\" "
        "time=\"0.020\"/>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"alpine:3.19 &lt;x&gt;\" tests=\"2\" failures=\"1\" errors=\"0\" "
        "skipped=\"0\" time=\"61.004\">\n"
        "    <testcase name=\"[1/3] -S make\" classname=\"alpine:3.19 &lt;x&gt;\" "
        "time=\"61.000\"/>\n"
        "    <testcase name=\"[3/3] -S make check &amp;&amp; true\" classname=\"alpine:3.19 "
        "&lt;x&gt;\" time=\"0.004\">\n"
        "      <failure type=\"failed\" message=\"exit "
        "37\">a&#9;b&#10;\xef\xbf\xbd&quot;red&quot;&lt;&amp;&gt;\xef\xbf\xbd\xf0\x9f\x98\x80"
        "\xef\xbf\xbd</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"a:3\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"2\" "
        "time=\"0.000\">\n"
        "    <testcase name=\"[1/3] -S make\" classname=\"a:3\" time=\"0.000\"><skipped/>"
        "</testcase>\n"
        "    <testcase name=\"[3/3] -S make check &amp;&amp; true\" classname=\"a:3\" "
        "time=\"0.000\"><skipped/></testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

Test(junit, error_without_an_action, .init = setup) {
    char *tails[] = {NULL, NULL, NULL};
    _cleanup_buf_ struct buf xml = BUF_INIT;

    runs[2].result.outcome = OUTCOME_ERROR;
    runs[2].result.exit_status = EXIT_ENGINE;
    err_set(&runs[2].result.error, -ENOENT, "image a:3: not \"there\"");
    junit_format(&xml, &matrix, tails);
    cr_expect(strstr(xml.data, "<testsuite name=\"a:3\" tests=\"3\" failures=\"0\" errors=\"1\" "
                               "skipped=\"2\""));
    cr_expect(strstr(xml.data, "<testcase name=\"container\" classname=\"a:3\" time=\"0.000\">\n"
                               "      <error type=\"error\" message=\"image a:3: not "
                               "&quot;there&quot;\"></error>"));
}
