/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/step_record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void fill_in(struct step_record *record) {
    *record = STEP_RECORD_INIT;
    snprintf(record->id, sizeof record->id, "0123456789abcdef0123456789abcdef");
    snprintf(record->boot, sizeof record->boot, "boot");
    snprintf(record->output_hex, sizeof record->output_hex, "aa");
    record->title = strdup("echo a\nb\tc");
    record->image = strdup("debian:12");
    record->reason = strdup("new");
    record->number = 3;
    record->created_nsec = UINT64_MAX;
    record->size_bytes = 4096;
    cr_assert_eq(strv_push(&record->facts, "command\tmake\nall"), 0);
    cr_assert_eq(strv_push(&record->facts, "volume /v\tro 12"), 0);
    cr_assert_eq(strv_push(&record->volumes, "0"), 0);
}

Test(step_record, comes_back_as_it_was) {
    struct step_record record, back = STEP_RECORD_INIT;
    _cleanup_buf_ struct buf buf = BUF_INIT;

    fill_in(&record);
    step_record_encode(&record, &buf);
    cr_assert_eq(step_record_decode(buf.data, buf.size, &back), 0);
    cr_assert_str_eq(back.id, record.id);
    cr_assert_str_eq(back.boot, "boot");
    cr_assert_str_eq(back.tree_hex, "");
    cr_assert_str_eq(back.title, record.title);
    cr_assert_eq(back.number, 3);
    cr_assert_eq(back.created_nsec, UINT64_MAX);
    cr_assert_eq(back.facts.n, 2);
    cr_assert_str_eq(step_record_fact(&back, "volume /v"), "ro 12");
    cr_assert_str_eq(step_record_fact(&back, "command"), "make\nall");
    cr_assert_null(step_record_fact(&back, "vol"));
    cr_assert_eq(back.volumes.n, 1);
    step_record_done(&record);
    step_record_done(&back);
}

/* Cut short anywhere, or with any byte changed, it is none. */
Test(step_record, nothing_half_written_is_taken) {
    struct step_record record, back = STEP_RECORD_INIT;
    _cleanup_buf_ struct buf buf = BUF_INIT;

    fill_in(&record);
    step_record_encode(&record, &buf);
    for (size_t i = 0; i < buf.size; i++) {
        cr_assert_eq(step_record_decode(buf.data, i, &back), -EBADMSG, "cut at %zu", i);
        buf.data[i] ^= 1;
        cr_assert_eq(step_record_decode(buf.data, buf.size, &back), -EBADMSG, "changed at %zu", i);
        buf.data[i] ^= 1;
    }
    cr_assert_eq(step_record_decode(buf.data, buf.size, &back), 0);
    step_record_done(&record);
    step_record_done(&back);
}
