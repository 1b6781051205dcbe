/* SPDX-License-Identifier: Apache-2.0 */
/* How a run went, and the same as JSON. */
#include "engine/base/cleanup.h"
#include "engine/plan/plan.h"
#include "engine/result.h"

#include <criterion/criterion.h>
#include <string.h>

/* --- the list of actions ------------------------------------------------------ */

Test(result, add) {
    _cleanup_(result_done) struct result result;

    result_init(&result);
    cr_expect_eq(result.outcome, OUTCOME_OK);
    for (size_t i = 0; i < 100; i++)
        cr_assert_eq(result_add(&result, &(struct action_result){.index = i, .status = 3}), 0);
    cr_expect_eq(result.n_actions, 100);
    cr_expect_eq(result.actions[99].index, 99);
    cr_expect_eq(result.actions[99].status, 3);
}

Test(result, outcome_names) {
    cr_expect_str_eq(outcome_name(OUTCOME_OK), "ok");
    cr_expect_str_eq(outcome_name(OUTCOME_FAILED), "failed");
    cr_expect_str_eq(outcome_name(OUTCOME_TIMEOUT), "timeout");
    cr_expect_str_eq(outcome_name(OUTCOME_INTERRUPTED), "interrupted");
    cr_expect_str_eq(outcome_name(OUTCOME_ERROR), "error");
}

/* --- JSON --------------------------------------------------------------------- */

static void make_plan(struct plan *plan) {
    const char *command[] = {"make \"check\"\n", NULL}, *exec[] = {"ls", "a b", NULL};

    plan_init(plan);
    str_set(&plan->image, "busybox.tar", NULL);
    cr_assert_eq(plan_add_action(plan, ACTION_WORKDIR, NULL, "/src", NULL), 0);
    cr_assert_eq(plan_add_action(plan, ACTION_SHELL, command, NULL, NULL), 0);
    cr_assert_eq(plan_add_action(plan, ACTION_EXEC, exec, NULL, NULL), 0);
    cr_assert_eq(plan_add_action(plan, ACTION_DOWNLOAD, NULL, "a\\:b:c", NULL), 0);
    cr_assert_eq(plan_add_action(plan, ACTION_UPLOAD, NULL, "x", NULL), 0);
}

static void expect_json(const struct result *result, const struct plan *plan, const char *text) {
    _cleanup_(json_writer_done) struct json_writer json = JSON_WRITER_INIT;

    result_to_json(result, plan, &json);
    cr_assert_not(buf_failed(&json.buf));
    cr_expect_str_eq(json.buf.data, text);
}

Test(result, json_of_a_failed_run) {
    _cleanup_(result_done) struct result result;
    _cleanup_(plan_done) struct plan plan;

    make_plan(&plan);
    str_set(&plan.name, "web", NULL);
    result_init(&result);
    result.outcome = OUTCOME_FAILED;
    result.exit_status = 37;
    result.started_nsec = UINT64_C(951782400123456789); /* a leap day */
    result.setup_nsec = UINT64_C(2500000);
    result.elapsed_nsec = UINT64_C(61000001000);
    for (size_t i = 0; i < plan.n_actions; i++)
        result_add(&result, &(struct action_result){
                                .index = i,
                                .outcome = i == 4 ? OUTCOME_FAILED : OUTCOME_OK,
                                .status = i == 4 ? 37 : 0,
                                .started_nsec = UINT64_C(951782400000000000) + i * NSEC_PER_SEC,
                                .elapsed_nsec = i * NSEC_PER_MSEC,
                            });
    expect_json(&result, &plan,
                "{\"version\":1,\"image\":\"busybox.tar\",\"name\":\"web\",\"outcome\":\"failed\","
                "\"exit_status\":37,\"started\":\"2000-02-29T00:00:00.123456Z\","
                "\"setup_seconds\":0.002500,\"elapsed_seconds\":61.000001,\"error\":null,"
                "\"actions\":["
                "{\"index\":1,\"kind\":\"workdir\",\"command\":\"/src\",\"outcome\":\"ok\","
                "\"status\":0,\"remembered\":false,\"out_of_memory\":false,\"started\":\"2000-02-"
                "29T00:00:00.000000Z\","
                "\"elapsed_seconds\":0.000000},"
                "{\"index\":2,\"kind\":\"shell\",\"command\":\"make \\\"check\\\"\\n\","
                "\"outcome\":\"ok\",\"status\":0,\"remembered\":false,\"out_of_memory\":false,"
                "\"started\":\"2000-02-29T00:"
                "00:01.000000Z\","
                "\"elapsed_seconds\":0.001000},"
                "{\"index\":3,\"kind\":\"exec\",\"command\":\"ls 'a b'\",\"outcome\":\"ok\","
                "\"status\":0,\"remembered\":false,\"out_of_memory\":false,\"started\":\"2000-02-"
                "29T00:00:02.000000Z\","
                "\"elapsed_seconds\":0.002000},"
                "{\"index\":4,\"kind\":\"download\",\"command\":\"a\\\\:b:c\",\"outcome\":\"ok\","
                "\"status\":0,\"remembered\":false,\"out_of_memory\":false,\"started\":\"2000-02-"
                "29T00:00:03.000000Z\","
                "\"elapsed_seconds\":0.003000},"
                "{\"index\":5,\"kind\":\"upload\",\"command\":\"x\",\"outcome\":\"failed\","
                "\"status\":37,\"remembered\":false,\"out_of_memory\":false,\"started\":\"2000-02-"
                "29T00:00:04.000000Z\","
                "\"elapsed_seconds\":0.004000}]}");
}

Test(result, json_of_a_run_that_did_not_begin) {
    _cleanup_(result_done) struct result result;
    _cleanup_(plan_done) struct plan plan;

    make_plan(&plan);
    result_init(&result);
    result.outcome = OUTCOME_ERROR;
    result.exit_status = EXIT_ENGINE;
    err_set(&result.error, -1, "image \"x\": no such file");
    expect_json(&result, &plan,
                "{\"version\":1,\"image\":\"busybox.tar\",\"name\":null,\"outcome\":\"error\","
                "\"exit_status\":125,\"started\":null,\"setup_seconds\":0.000000,"
                "\"elapsed_seconds\":0.000000,\"error\":\"image \\\"x\\\": no such file\","
                "\"actions\":[]}");
}
