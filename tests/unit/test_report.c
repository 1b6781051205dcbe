/* SPDX-License-Identifier: Apache-2.0 */
/* The file of --json. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "tools/report.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A directory of the test's own, which is the current one from then on. */
static void enter_directory(char *ret_path, size_t size) {
    const char *base = getenv("TMPDIR");

    snprintf(ret_path, size, "%s/mayfly-report-XXXXXX", base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(ret_path));
    cr_assert_eq(chdir(ret_path), 0);
}

static void leave_directory(const char *path) {
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(fd_remove_tree(AT_FDCWD, path), 0);
}

static int write_report(const char *path, struct err *err) {
    _cleanup_(json_writer_done) struct json_writer json = JSON_WRITER_INIT;
    _cleanup_(plan_done) struct plan plan;
    struct result result;

    plan_init(&plan);
    result_init(&result);
    str_set(&plan.image, "img", NULL);
    result_to_json(&result, &plan, &json);
    buf_puts(&json.buf, "\n");
    return report_write("--json", path, &json.buf, err);
}

static void expect_report(const char *path) {
    _cleanup_free_ char *text = NULL;

    cr_assert_eq(fd_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
    cr_expect(str_after(text, "{\"version\":1,\"image\":\"img\""), "%s", text);
    cr_expect_str_eq(text + strlen(text) - 2, "}\n");
}

static size_t count_entries(void) {
    _cleanup_closedir_ DIR *dir = opendir(".");
    struct dirent *entry;
    size_t n = 0;

    while ((entry = readdir(dir)))
        n += !str_is_dots(entry->d_name);
    return n;
}

/* --- report ------------------------------------------------------------------- */

Test(report, replaces_a_file_as_a_whole) {
    char path[256];
    struct err err = {0};
    struct stat old, new;

    enter_directory(path, sizeof path);
    umask(027);
    cr_assert_eq(report_check("--json", "r.json", &err), 0, "%s", err.message);
    cr_expect_eq(count_entries(), 0, "the check makes nothing");
    cr_assert_eq(write_report("r.json", &err), 0, "%s", err.message);
    expect_report("r.json");
    cr_assert_eq(stat("r.json", &old), 0);
    cr_expect_eq(old.st_mode & 07777, 0640);
    cr_assert_eq(link("r.json", "kept"), 0);
    cr_assert_eq(write_report("./r.json", &err), 0, "%s", err.message);
    cr_assert_eq(stat("r.json", &new), 0);
    cr_expect_neq(old.st_ino, new.st_ino);
    cr_expect_eq(count_entries(), 2, "no temporary file is left");
    leave_directory(path);
}

Test(report, writes_into_what_is_no_regular_file) {
    char path[256], text[512] = "";
    struct err err = {0};
    struct stat st;
    int fd;

    enter_directory(path, sizeof path);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    fd = open("fifo", O_RDWR | O_CLOEXEC);
    cr_assert_eq(write_report("fifo", &err), 0, "%s", err.message);
    cr_expect_gt(read(fd, text, sizeof text - 1), 0);
    cr_expect(str_after(text, "{\"version\":1,"));
    close(fd);
    cr_assert_eq(symlink("target", "link"), 0);
    fd = open("target", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset(text, 'x', sizeof text);
    cr_assert_eq(fd_write_all(fd, text, sizeof text), 0);
    close(fd);
    cr_assert_eq(write_report("link", &err), 0, "%s", err.message);
    cr_assert_eq(lstat("link", &st), 0);
    cr_expect(S_ISLNK(st.st_mode), "the link is still one");
    expect_report("target");
    leave_directory(path);
}

Test(report, appends_to_a_stream_under_another_name) {
    _cleanup_free_ char *text = NULL;
    struct err err = {0};
    char path[256];
    int saved, fd, r;

    enter_directory(path, sizeof path);
    fd = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    dprintf(STDERR_FILENO, "said before\n");
    r = write_report("/dev/fd/2", &err);
    dprintf(STDERR_FILENO, "said after\n");
    dup2(saved, STDERR_FILENO);
    cr_assert_eq(r, 0, "%s", err.message);
    cr_assert_eq(fd_read_file(AT_FDCWD, "log", 4096, &text, NULL), 0);
    cr_expect(str_after(text, "said before\n{\"version\":1,"), "%s", text);
    cr_expect(strstr(text, "}\nsaid after\n"), "%s", text);
    leave_directory(path);
}

Test(report, names_what_cannot_be_written) {
    struct err err = {0};
    char path[256];

    enter_directory(path, sizeof path);
    cr_expect_eq(report_check("--json", "missing/r.json", &err), -ENOENT);
    cr_expect(strstr(err.message, "--json missing/r.json"), "%s", err.message);
    cr_expect_eq(report_check("--json", ".", &err), -EISDIR);
    cr_expect_eq(write_report("missing/r.json", &err), -ENOENT);
    leave_directory(path);
}
