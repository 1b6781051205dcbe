/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly top": the processes of a container, with the host's pids.  All of them
 * descend from its PID 1, to which the kernel gives those whose parents have
 * ended.
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "text.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES (1u << 20)

struct process {
    pid_t pid, parent;
    char state;
    uid_t uid;
    uint64_t ticks;
    bool is_inside;
};

struct processes {
    struct process *items;
    size_t n;
};

/* Spec: proc(5), /proc/[pid]/stat. */
static bool read_process(int proc_fd, const char *name, struct process *process) {
    _cleanup_free_ char *text = NULL;
    uint64_t user, kernel;
    char path[32];
    struct stat st;
    const char *p;

    snprintf(path, sizeof path, "%.16s/stat", name);
    if (fd_read_file(proc_fd, path, MAX_FILE_BYTES, &text, NULL) < 0 ||
        fstatat(proc_fd, name, &st, 0) < 0)
        return false;
    p = strrchr(text, ')');
    if (!p || sscanf(p + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                     &process->state, &process->parent, &user, &kernel) != 4)
        return false;
    process->pid = atoi(name);
    process->uid = st.st_uid;
    process->ticks = user + kernel;
    process->is_inside = false;
    return true;
}

static int read_all(struct processes *processes, DIR *proc) {
    struct dirent *entry;

    while ((entry = readdir(proc))) {
        struct process process, *more;

        if (atoi(entry->d_name) <= 0 || !read_process(dirfd(proc), entry->d_name, &process))
            continue;
        more = reallocarray(processes->items, processes->n + 1, sizeof *more);
        if (!more)
            return -ENOMEM;
        processes->items = more;
        more[processes->n++] = process;
    }
    return 0;
}

/* Marks all that descend from @root, however the list is ordered. */
static void mark(struct processes *processes, pid_t root) {
    bool has_changed = true;

    while (has_changed) {
        has_changed = false;
        for (size_t i = 0; i < processes->n; i++) {
            struct process *one = &processes->items[i];

            for (size_t j = 0; !one->is_inside && j < processes->n; j++)
                if (one->parent == root ||
                    (processes->items[j].is_inside && processes->items[j].pid == one->parent))
                    one->is_inside = has_changed = true;
        }
    }
}

static void put_command(struct buf *buf, int proc_fd, pid_t pid) {
    _cleanup_free_ char *text = NULL;
    char path[32];
    size_t size = 0;

    snprintf(path, sizeof path, "%d/cmdline", (int)pid);
    if (fd_read_file(proc_fd, path, MAX_FILE_BYTES, &text, &size) < 0)
        return;
    for (size_t i = 0; i + 1 < size; i++)
        if (!text[i])
            text[i] = ' ';
    text_append_line(buf, text, SIZE_MAX);
}

static int run(struct verb_job *job, struct err *err) {
    __attribute__((cleanup(cleanup_free_p))) struct process *items = NULL;
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    long ticks = sysconf(_SC_CLK_TCK);
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct processes processes = {0};
    int r = containers_find(&job->containers, job->words[0], &kept, err);

    if (r == 0 && (!kept_is_live(&kept) || kept.state.pid == 0))
        r = err_set(err, -ENOTCONN, "container %s is not running", kept.name);
    if (r == 0 && !proc)
        r = err_errno(err, "cannot read /proc");
    if (r == 0 && read_all(&processes, proc) < 0)
        r = err_nomem(err);
    items = processes.items;
    if (r < 0)
        return r;
    mark(&processes, kept.state.pid);
    buf_puts(&text, "UID         PID     PPID    STATE  TIME      COMMAND\n");
    for (size_t i = 0; i < processes.n; i++) {
        const struct process *one = &processes.items[i];
        uint64_t seconds = ticks > 0 ? one->ticks / (uint64_t)ticks : 0;

        if (!one->is_inside)
            continue;
        buf_printf(&text, "%-10u  %-6d  %-6d  %c      %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "  ",
                   one->uid, (int)one->pid, (int)one->parent, one->state, seconds / 3600,
                   seconds / 60 % 60, seconds % 60);
        put_command(&text, dirfd(proc), one->pid);
        buf_puts(&text, "\n");
    }
    job->status = console_print(&job->out, &text);
    return 0;
}

int top_command(int argc, char **argv) {
    static const struct verb verb = {
        .name = "top",
        .words = "CONTAINER",
        .about = "Lists the processes of a container that runs, with the host's ids.",
        .n_words_min = 1,
        .n_words_max = 1,
        .run = run,
    };

    return verb_run(&verb, NULL, argc, argv);
}
