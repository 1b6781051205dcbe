/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/idmap.h"

#include <criterion/criterion.h>
#include <unistd.h>

struct sub_case {
    const char *text;
    const char *name;
    uint32_t start, count; /* 0: no range */
};

Test(idmap, subordinate_ids) {
    static const struct sub_case cases[] = {
        {"", "ann", 0, 0},
        {"ann:100000:65536\n", "ann", 100000, 65536},
        {"ann:100000:65536", "ann", 100000, 65536},
        {"anna:100000:65536\nann:200000:65536\n", "ann", 200000, 65536},
        {"an:100000:65536\n", "ann", 0, 0},
        {"joanna:1:2\nann:3:4\n", "ann", 3, 4},
        /* The first of several. */
        {"ann:100000:1000\nann:300000:65536\n", "ann", 100000, 1000},
        /* By number, with and without a name. */
        {"1234:100000:65536\n", "ann", 100000, 65536},
        {"1234:100000:65536\n", NULL, 100000, 65536},
        {"12345:100000:65536\n", NULL, 0, 0},
        {"123:100000:65536\n", NULL, 0, 0},
        /* Never the host's root, and no wrapping. */
        {"ann:0:65536\n", "ann", 0, 0},
        {"ann:0:65536\nann:5:6\n", "ann", 5, 6},
        {"ann:100000:0\n", "ann", 0, 0},
        {"ann:4294967295:1\n", "ann", 0, 0},
        {"ann:4294901760:65536\n", "ann", 0, 0},
        {"ann:4294901759:65536\n", "ann", 4294901759, 65536},
        {"ann:4294967296:65536\n", "ann", 0, 0},
        {"ann:4294967297:65536\n", "ann", 0, 0},
        {"ann:100000:4294967297\n", "ann", 0, 0},
        {"ann:18446744073709551617:5\n", "ann", 0, 0},
        {"ann:-100000:65536\n", "ann", 0, 0},
        {"ann:100000:-1\n", "ann", 0, 0},
        /* What is no line. */
        {"ann\n", "ann", 0, 0},
        {"ann:\n", "ann", 0, 0},
        {"ann:100000\n", "ann", 0, 0},
        {"ann:100000:\n65536:7:8\n", "ann", 0, 0},
        {"ann::100000:65536\n", "ann", 0, 0},
        {"ann: 100000:65536\n", "ann", 0, 0},
        {"ann:0x10:65536\n", "ann", 0, 0},
        {"ann:100000:65536:1\n", "ann", 0, 0},
        {"\n\n:\nann:3:4\n", "ann", 3, 4},
        {":3:4\n", "", 3, 4},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct sub_case *c = &cases[i];
        uint32_t start = 0, count = 0;

        cr_expect_eq(idmap_parse_sub(c->text, c->name, 1234, &start, &count), c->count > 0, "%s",
                     c->text);
        cr_expect_eq(start, c->start, "%s: %u", c->text, start);
        cr_expect_eq(count, c->count, "%s: %u", c->text, count);
    }
}

/* CVE-2021-43784: of more ranges than a map's file or a message takes, one is enough. */
Test(idmap, more_ranges_than_64_kib) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    uint32_t start = 0, count = 0;

    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&text, "somebody:%u:65536\n", 100000 + i);
    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&text, "ann:%u:65536\n", 300000 + i);
    cr_assert(!buf_failed(&text));
    cr_assert(text.size > (64 << 10) * 2);
    cr_assert(idmap_parse_sub(text.data, "ann", 1234, &start, &count));
    cr_expect_eq(start, 300000);
    cr_expect_eq(count, 65536);
}

Test(idmap, has) {
    const struct id_range ranges[] = {{0, 1000, 1}, {1, 100000, 65536}};

    cr_expect(idmap_has(ranges, 2, 0));
    cr_expect(idmap_has(ranges, 2, 1));
    cr_expect(idmap_has(ranges, 2, 65536));
    cr_expect_not(idmap_has(ranges, 2, 65537));
    cr_expect_not(idmap_has(ranges, 1, 1));
    cr_expect_not(idmap_has(ranges, 0, 0));
    cr_expect_not(idmap_has(ranges, 2, UINT32_MAX));
}

Test(idmap, falls_back_to_a_single_id_at_last) {
    struct idmap map = {.mode = IDMAP_SHIFTED};

    cr_assert(idmap_fall_back(&map));
    cr_expect_eq(map.mode, IDMAP_IDENTITY);
    cr_expect_eq(map.uids[0].outside, 0);
    cr_assert(idmap_fall_back(&map));
    cr_expect_eq(map.mode, IDMAP_SINGLE);
    cr_expect_eq(map.uids[0].outside, geteuid());
    cr_expect_eq(map.gids[0].outside, getegid());
    cr_expect_eq(map.uids[0].count, 1);
    cr_expect_not(idmap_fall_back(&map));
    map.mode = IDMAP_SUBUID;
    cr_assert(idmap_fall_back(&map));
    cr_expect_eq(map.mode, IDMAP_SINGLE);
}

Test(idmap, choice_fits_whoever_asks) {
    struct err err = {0};
    struct idmap map;

    cr_assert_eq(idmap_choose(&map, &err), 0, "%s", err.message);
    cr_expect_eq(map.n_uids, map.n_gids);
    cr_expect(idmap_has(map.uids, map.n_uids, 0));
    if (geteuid() != 0) {
        /* The container's root is the user: what it writes belongs to the user. */
        cr_expect(map.mode == IDMAP_SUBUID || map.mode == IDMAP_SINGLE);
        cr_expect_eq(map.uids[0].outside, geteuid());
        cr_expect_eq(map.uids[0].count, 1);
    } else if (map.mode == IDMAP_SHIFTED) {
        cr_expect_eq(map.uids[0].outside, IDMAP_ROOT_BASE);
    }
    cr_expect_not_null(idmap_name(map.mode));
}
