/* SPDX-License-Identifier: Apache-2.0 */
/* The list of images: names, patterns, figures, the table and the JSON. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "tools/image_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define ID "02975c8efd8b716f8b26a8249048836c41b0d570e0efc2098a8f11dd79f93905"

/* --- names -------------------------------------------------------------------- */

Test(image_table, names_as_people_write_them) {
    static const char *const cases[][2] = {
        {"docker.io/library/debian:12", "debian:12"},
        {"docker.io/team/tool:1", "team/tool:1"},
        {"docker.io/library/a/b:1", "library/a/b:1"},
        {"host:5000/library/debian:12", "host:5000/library/debian:12"},
        {"docker.io.example/library/x:1", "docker.io.example/library/x:1"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++)
        cr_expect_str_eq(image_table_name(cases[i][0]), cases[i][1]);
}

Test(image_table, where_the_tag_begins) {
    cr_expect_str_eq(image_table_tag("host:5000/a/b:tag"), ":tag");
    cr_expect_null(image_table_tag("host:5000/a/b"));
    cr_expect_str_eq(image_table_tag("debian:12"), ":12");
    cr_expect_null(image_table_tag("debian@sha256:" ID));
}

Test(image_table, patterns) {
    static const struct {
        const char *name, *pattern;
        bool matches;
    } cases[] = {
        {"docker.io/library/debian:12", "debian", true},
        {"docker.io/library/debian:12", "debian:12", true},
        {"docker.io/library/debian:12", "debian:1?", true},
        {"docker.io/library/debian:12", "debian:11", false},
        {"docker.io/library/debian:12", "docker.io/library/debian", true},
        {"docker.io/library/debian:12", "docker.io/*/debian:*", true},
        {"docker.io/library/debian:12", "deb", false},
        {"docker.io/library/debian:12", "deb*", true},
        {"docker.io/library/debian:12", "*", true},
        {"docker.io/team/tool:1", "*", false},
        {"docker.io/team/tool:1", "*/*", true},
        {"docker.io/team/tool:1", "tool", false},
        {"host:5000/tool:1", "host:5000/tool", true},
        {"host:5000/tool:1", "host", false},
        {"docker.io/library/a@sha256:" ID, "a@sha256:" ID, true},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++)
        cr_expect_eq(image_table_matches(cases[i].name, cases[i].pattern), cases[i].matches,
                     "%s, %s", cases[i].name, cases[i].pattern);
}

/* --- figures ------------------------------------------------------------------ */

Test(image_table, sizes) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0B"},         {999, "999B"},          {1000, "1kB"},        {4261000, "4.26MB"},
        {999499, "999kB"}, {999500, "1MB"},        {116900000, "117MB"}, {1234567890, "1.23GB"},
        {999999, "1MB"},   {UINT64_MAX, "18.4EB"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        image_table_size(&text, cases[i].bytes);
        cr_expect_str_eq(text.data, cases[i].text);
    }
}

Test(image_table, times) {
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14T22:13:20.123456789Z", 1700000000},
        {"2023-11-15T00:13:20+02:00", 1700000000},
        {"2023-11-14T16:43:20.5-05:30", 1700000000},
        {"0001-01-01T00:00:00Z", -62135596800},
        {"2024-02-29t12:00:00z", 1709208000},
    };
    static const char *const wrong[] = {
        "",
        "yesterday",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-13-14T22:13:20Z",
        "2023-11-00T22:13:20Z",
        "2023-11-14T22:13:20Zulu",
        "2023-11-14T22:13:20 02:00",
        "2023-11-14x22:13:20Z",
    };
    int64_t seconds;

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        cr_expect_eq(image_table_parse_time(cases[i].text, &seconds), 0, "%s", cases[i].text);
        cr_expect_eq(seconds, cases[i].seconds, "%s", cases[i].text);
    }
    for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
        cr_expect_eq(image_table_parse_time(wrong[i], &seconds), -EINVAL, "%s", wrong[i]);
}

Test(image_table, ages) {
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {-5, "Less than a second"},
        {0, "Less than a second"},
        {1, "1 second"},
        {59, "59 seconds"},
        {60, "About a minute"},
        {119, "About a minute"},
        {120, "2 minutes"},
        {3599, "59 minutes"},
        {3600, "About an hour"},
        {7200, "2 hours"},
        {2 * 86400 - 1, "47 hours"},
        {2 * 86400, "2 days"},
        {14 * 86400, "2 weeks"},
        {60 * 86400, "2 months"},
        {729 * 86400, "24 months"},
        {730 * 86400, "2 years"},
        {INT64_C(40000) * 86400, "109 years"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        image_table_age(&text, cases[i].seconds);
        cr_expect_str_eq(text.data, cases[i].text);
    }
}

/* --- the list ----------------------------------------------------------------- */

static struct image_entry entries[] = {
    {.name = (char *)"docker.io/library/debian:12",
     .id = (char *)ID,
     .created = (char *)"2023-11-14T22:13:20Z",
     .architecture = (char *)"amd64",
     .n_layers = 1,
     .size_bytes = 116900000},
    {.name = (char *)"host:5000/team/tool:latest", .id = (char *)ID, .size_bytes = 116900000},
    {.id = (char *)"tar-0123456789abcdef", .size_bytes = 12},
};

static const struct image_entries list = {.items = entries, .n = N_ELEMENTS(entries)};

Test(image_table, the_table) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    image_table_format(&text, &list, &(struct image_table_look){.now = 1700000000 + 7200});
    cr_expect_str_eq(text.data,
                     "REPOSITORY            TAG      IMAGE ID       CREATED       SIZE\n"
                     "debian                12       02975c8efd8b   2 hours ago   117MB\n"
                     "host:5000/team/tool   latest   02975c8efd8b   N/A           117MB\n"
                     "<none>                <none>   tar-01234567   N/A           12B\n");
}

Test(image_table, an_empty_table) {
    const struct image_entries none = {0};
    _cleanup_buf_ struct buf text = BUF_INIT, ids = BUF_INIT, json = BUF_INIT;

    image_table_format(&text, &none, &(struct image_table_look){0});
    cr_expect_str_eq(text.data, "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n");
    image_table_format(&ids, &none, &(struct image_table_look){.only_ids = true});
    cr_expect_eq(ids.size, 0);
    image_table_json(&json, &none);
    cr_expect_str_eq(json.data, "[]\n");
}

Test(image_table, ids_alone) {
    _cleanup_buf_ struct buf text = BUF_INIT, full = BUF_INIT;

    image_table_format(&text, &list, &(struct image_table_look){.only_ids = true});
    cr_expect_str_eq(text.data, "02975c8efd8b\ntar-01234567\n");
    image_table_format(&full, &list, &(struct image_table_look){.only_ids = true, .full = true});
    cr_expect_str_eq(full.data, "sha256:" ID "\ntar-0123456789abcdef\n");
}

Test(image_table, json) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    image_table_json(&text, &list);
    cr_expect_str_eq(
        text.data,
        "[{\"Id\":\"" ID "\",\"Names\":[\"docker.io/library/debian:12\","
        "\"host:5000/team/tool:latest\"],\"Size\":116900000,\"Created\":1700000000,"
        "\"CreatedAt\":\"2023-11-14T22:13:20Z\",\"Architecture\":\"amd64\",\"Digest\":null},"
        "{\"Id\":\"tar-0123456789abcdef\",\"Names\":[],\"Size\":12,\"Created\":null,"
        "\"CreatedAt\":null,\"Architecture\":null,\"Digest\":null}]\n");
}
