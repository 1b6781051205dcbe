/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has said: kept in records, read as lines, also while it is written. */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/live/container_log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/test_container_log.XXXXXX";
static struct log_writer writer;
static struct log_reader reader;
static int dir_fd;

static void set_up(void) {
    cr_assert(mkdtemp(path));
    dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(log_writer_open(&writer, dir_fd, 4096, NULL) == 0);
    cr_assert(log_reader_open(&reader, dir_fd, NULL) == 0);
}

static void tear_down(void) {
    log_writer_close(&writer);
    log_reader_close(&reader);
    unlinkat(dir_fd, "log", 0);
    unlinkat(dir_fd, "log.1", 0);
    rmdir(path);
}

static void out(const char *text) {
    log_writer_put(&writer, LOG_STREAM_OUT, text, strlen(text));
}

static off_t size_of(const char *name) {
    struct stat st;

    return fstatat(dir_fd, name, &st, 0) == 0 ? st.st_size : -1;
}

/* The next piece is this one of standard output: "^" before what begins a line, "$" after an end.
 */
static void expect(const char *expected) {
    struct log_piece piece;
    char text[64];

    cr_assert_eq(log_reader_next(&reader, &piece), 1, "nothing instead of %s", expected);
    snprintf(text, sizeof text, "%s%.*s%s", piece.is_start ? "^" : "", (int)piece.size, piece.data,
             piece.is_end ? "$" : "");
    cr_assert_str_eq(text, expected);
}

static void expect_no_more(void) {
    struct log_piece piece;

    cr_assert_eq(log_reader_next(&reader, &piece), 0);
}

Test(container_log, lines_come_in_the_pieces_in_which_they_came, .init = set_up,
     .fini = tear_down) {
    expect_no_more();
    out("one\ntw");
    expect("^one$");
    expect("^tw");
    expect_no_more();
    /* A line of another stream does not end this one's. */
    log_writer_put(&writer, LOG_STREAM_ERR, "aside\n", 6);
    out("o\n\nlast");
    expect("^aside$");
    expect("o$");
    expect("^$");
    expect("^last");
    expect_no_more();
    log_writer_put(&writer, LOG_STREAM_OUT, "", 0);
    expect_no_more();
}

Test(container_log, streams_and_moments_are_kept, .init = set_up, .fini = tear_down) {
    uint64_t before = clock_realtime();
    struct log_piece piece;

    log_writer_put(&writer, LOG_STREAM_ERR, "\0\xff\r\n", 4);
    cr_assert_eq(log_reader_next(&reader, &piece), 1);
    cr_assert_eq(piece.stream, LOG_STREAM_ERR);
    cr_assert(piece.nsec >= before && piece.nsec <= clock_realtime());
    cr_assert(piece.size == 3 && memcmp(piece.data, "\0\xff\r", 3) == 0 && piece.is_end);
}

Test(container_log, one_older_file_is_kept, .init = set_up, .fini = tear_down) {
    static char much[3000];

    memset(much, 'x', sizeof much);
    out("first\n");
    expect("^first$");
    log_writer_put(&writer, LOG_STREAM_OUT, much, sizeof much);
    /* Does not fit any more: the file that is read has another name from now on. */
    log_writer_put(&writer, LOG_STREAM_OUT, much, sizeof much);
    cr_assert(size_of("log.1") > 3000 && size_of("log") > 3000);
    out("\nlater\n");
    for (int i = 0; i < 2; i++) {
        struct log_piece piece;

        cr_assert_eq(log_reader_next(&reader, &piece), 1);
        cr_assert_eq(piece.size, sizeof much);
        cr_assert_eq(piece.is_start, i == 0);
    }
    expect("$");
    expect("^later$");
    expect_no_more();
    /* Who comes later begins with the older one. */
    log_reader_close(&reader);
    cr_assert(log_reader_open(&reader, dir_fd, NULL) == 0);
    expect("^first$");
}

Test(container_log, a_file_that_was_cut_is_left_alone, .init = set_up, .fini = tear_down) {
    out("whole\n");
    out("cut off\n");
    log_writer_close(&writer);
    cr_assert(ftruncate(openat(dir_fd, "log", O_RDWR), size_of("log") - 3) == 0);
    cr_assert(log_writer_open(&writer, dir_fd, 4096, NULL) == 0);
    out("later\n");
    expect("^whole$");
    expect("^later$");
    expect_no_more();
    /* A whole one is gone on with. */
    log_writer_close(&writer);
    cr_assert(log_writer_open(&writer, dir_fd, 4096, NULL) == 0);
    out("on\n");
    expect("^on$");
    cr_assert(size_of("log.1") > 0);
    log_reader_close(&reader);
    cr_assert(log_reader_open(&reader, dir_fd, NULL) == 0);
    expect("^whole$");
    expect("^later$");
    expect("^on$");
}

Test(container_log, what_is_no_log_is_empty, .init = set_up, .fini = tear_down) {
    int fd = openat(dir_fd, "log", O_WRONLY);

    cr_assert_eq(write(fd, "no record, whatever else it may be", 34), 34);
    expect_no_more();
    close(fd);
    /* Nor does a link lead anywhere. */
    unlinkat(dir_fd, "log", 0);
    cr_assert(symlinkat("/etc/passwd", dir_fd, "log") == 0);
    log_writer_close(&writer);
    cr_assert_eq(log_writer_open(&writer, dir_fd, 4096, NULL), -ELOOP);
}

Test(container_log, what_cannot_be_written_is_told, .init = set_up, .fini = tear_down) {
    int whole = writer.fd;
    struct log_piece piece;

    writer.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    out("lost\n");
    out("lost too\n");
    close(writer.fd);
    writer.fd = whole;
    out("kept\n");
    cr_assert_eq(log_reader_next(&reader, &piece), 1);
    cr_assert_eq(piece.stream, LOG_STREAM_ENGINE);
    cr_assert(strstr(piece.data, "mayfly: 14 bytes of output are missing here: No space left"));
    expect("^kept$");
    expect_no_more();
}
