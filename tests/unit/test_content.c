/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/remember/content.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

struct tree {
    struct scratch scratch;
    char path[300];
};

static void tree_init(struct tree *tree) {
    scratch_init(&tree->scratch);
    snprintf(tree->path, sizeof tree->path, "%s/tree", tree->scratch.path);
    cr_assert_eq(mkdir(tree->path, 0755), 0);
    cr_assert_eq(mkdirat(tree->scratch.fd, "tree/src", 0755), 0);
    scratch_write(&tree->scratch, "tree/src/main.c", "int main;", 9);
    scratch_write(&tree->scratch, "tree/src-notes", "x", 1);
    scratch_write(&tree->scratch, "tree/Makefile", "all:", 4);
    cr_assert_eq(symlinkat("main.c", tree->scratch.fd, "tree/src/link"), 0);
}

static void scan(const struct tree *tree, struct content *content) {
    struct err err = {0};

    content_done(content);
    cr_assert_eq(content_scan(&tree->scratch.store, tree->path, content, &err), 0, "%s",
                 err.message);
}

/* Past the racy moment after the last change. */
static void settle(void) {
    nanosleep(&(struct timespec){.tv_nsec = 80 * 1000 * 1000}, NULL);
}

static const char *difference(const struct tree *tree, const char *hex,
                              const struct content *content) {
    static char text[512];
    _cleanup_buf_ struct buf buf = BUF_INIT;

    content_difference(&tree->scratch.store, hex, content, &buf);
    snprintf(text, sizeof text, "%s", buf.data ? buf.data : "");
    return text;
}

Test(content, an_unchanged_tree_is_not_read_again) {
    _cleanup_content_ struct content first = CONTENT_INIT, again = CONTENT_INIT;
    struct tree tree;

    tree_init(&tree);
    settle();
    scan(&tree, &first);
    cr_assert_eq(first.n_entries, 6);
    cr_assert_eq(first.n_read, 3);
    scan(&tree, &again);
    cr_assert_eq(again.n_read, 0);
    cr_assert_str_eq(again.hex, first.hex);
    /* Touched: looked at again, and the same. */
    cr_assert_eq(utimensat(tree.scratch.fd, "tree/src/main.c", NULL, 0), 0);
    scan(&tree, &again);
    cr_assert_eq(again.n_read, 1);
    cr_assert_str_eq(again.hex, first.hex);
    scratch_done(&tree.scratch);
}

Test(content, what_has_just_changed_is_read_again) {
    _cleanup_content_ struct content first = CONTENT_INIT, again = CONTENT_INIT;
    struct tree tree;

    /* Within one tick of the clock, with the same size: the stat data may well be the same. */
    tree_init(&tree);
    scratch_write(&tree.scratch, "tree/Makefile", "one:", 4);
    scan(&tree, &first);
    scratch_write(&tree.scratch, "tree/Makefile", "two:", 4);
    scan(&tree, &again);
    cr_assert_str_neq(again.hex, first.hex);
    scratch_done(&tree.scratch);
}

Test(content, every_kind_of_change_shows) {
    _cleanup_content_ struct content before = CONTENT_INIT, after = CONTENT_INIT;
    struct tree tree;

    tree_init(&tree);
    settle();
    scan(&tree, &before);
    cr_assert_eq(content_keep(&tree.scratch.store, &before, NULL), 0);
    cr_assert_str_eq(difference(&tree, before.hex, &before), "");

    scratch_write(&tree.scratch, "tree/src/main.c", "int Main;", 9);
    scan(&tree, &after);
    cr_assert_str_eq(difference(&tree, before.hex, &after), "src/main.c changed");
    scratch_write(&tree.scratch, "tree/src/main.c", "int main;", 9);
    scan(&tree, &after);
    cr_assert_str_eq(after.hex, before.hex);

    cr_assert_eq(fchmodat(tree.scratch.fd, "tree/Makefile", 0755, 0), 0);
    scan(&tree, &after);
    cr_assert_str_eq(difference(&tree, before.hex, &after), "Makefile changed");
    cr_assert_eq(fchmodat(tree.scratch.fd, "tree/Makefile", 0600, 0), 0);
    scan(&tree, &before);
    cr_assert_eq(content_keep(&tree.scratch.store, &before, NULL), 0);

    scratch_write(&tree.scratch, "tree/src/new.h", "", 0);
    scan(&tree, &after);
    cr_assert_str_eq(difference(&tree, before.hex, &after), "src/new.h is new");
    cr_assert_eq(unlinkat(tree.scratch.fd, "tree/src/new.h", 0), 0);
    cr_assert_eq(unlinkat(tree.scratch.fd, "tree/src/link", 0), 0);
    scan(&tree, &after);
    cr_assert_str_eq(difference(&tree, before.hex, &after), "src/link is gone");
    cr_assert_eq(symlinkat("main.h", tree.scratch.fd, "tree/src/link"), 0);
    scratch_write(&tree.scratch, "tree/src-notes", "y", 1);
    scan(&tree, &after);
    cr_assert_str_eq(difference(&tree, before.hex, &after), "2 files changed, among them src/link");
    scratch_done(&tree.scratch);
}

Test(content, a_list_cut_short_is_none) {
    _cleanup_content_ struct content first = CONTENT_INIT, again = CONTENT_INIT;
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    struct tree tree;
    int n = 0;

    tree_init(&tree);
    settle();
    scan(&tree, &first);
    dir = fdopendir(openat(tree.scratch.store.fd, "inputs", O_RDONLY | O_DIRECTORY));
    cr_assert(dir);
    while ((entry = readdir(dir)))
        if (!str_is_dots(entry->d_name)) {
            int fd = openat(dirfd(dir), entry->d_name, O_WRONLY);

            cr_assert_eq(ftruncate(fd, 200), 0);
            close(fd);
            n++;
        }
    cr_assert_eq(n, 1);
    scan(&tree, &again);
    cr_assert_eq(again.n_read, 3);
    cr_assert_str_eq(again.hex, first.hex);
    scratch_done(&tree.scratch);
}

Test(content, what_cannot_be_known) {
    _cleanup_content_ struct content content = CONTENT_INIT;
    char path[400];
    struct tree tree;
    struct err err = {0};

    tree_init(&tree);
    snprintf(path, sizeof path, "%s/fifo", tree.path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(content_scan(&tree.scratch.store, path, &content, &err), -EINVAL);
    cr_assert(strstr(err.message, "fifo"));
    /* In a tree it is one entry of it. */
    scan(&tree, &content);
    cr_assert_eq(content.n_entries, 7);
    cr_assert_eq(content_scan(&tree.scratch.store, "/nonexistent", &content, &err), -ENOENT);
    scratch_done(&tree.scratch);
}
