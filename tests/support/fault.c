/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults by order, for a build with MAYFLY_FAULT.  Each wrapper in
 * engine/base/sys.h passes through fault_point(); the variable MAYFLY_FAULT
 * says what is to happen at the Nth of those calls:
 *
 *   fail:ERRNO:N   the call fails with that number
 *   kill:N         the process that makes it dies by SIGKILL, there and then
 *   count:FILE     nothing; FILE gets a line with the name of each call
 *
 * The calls are counted over the process and all that it forks, in memory
 * that they share, so that each N from 1 to the number of lines that "count"
 * wrote meets one call of the run.  FILE is mapped, not written to: it takes
 * no descriptor, which close_range(2) would end.
 */
#include "engine/base/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_BYTES 32
#define MAX_LINES 4096

static enum { FAULT_NONE, FAULT_FAIL, FAULT_KILL, FAULT_COUNT } mode;
static int fail_errno;
static unsigned long at;
static atomic_ulong *calls;
static char *lines;

static void *map_shared(int fd, size_t size) {
    void *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

static char *map_lines(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    void *p = NULL;

    if (fd < 0)
        return NULL;
    if (ftruncate(fd, LINE_BYTES * MAX_LINES) == 0)
        p = map_shared(fd, LINE_BYTES * MAX_LINES);
    close(fd);
    return p;
}

__attribute__((constructor)) static void fault_init(void) {
    const char *order = getenv("MAYFLY_FAULT");

    if (!order)
        return;
    calls = map_shared(-1, sizeof *calls);
    if (strncmp(order, "count:", 6) == 0 && (lines = map_lines(order + 6)))
        mode = FAULT_COUNT;
    else if (sscanf(order, "fail:%d:%lu", &fail_errno, &at) == 2)
        mode = FAULT_FAIL;
    else if (sscanf(order, "kill:%lu", &at) == 1)
        mode = FAULT_KILL;
    /* An order that cannot be carried out must not look like a test that passed. */
    if (!calls || mode == FAULT_NONE)
        abort();
}

int fault_point(const char *name) {
    unsigned long n;

    if (mode == FAULT_NONE)
        return 0;
    n = atomic_fetch_add(calls, 1) + 1;
    if (mode == FAULT_COUNT && n <= MAX_LINES) {
        char line[LINE_BYTES + 1];

        snprintf(line, sizeof line, "%-31.31s\n", name);
        memcpy(lines + (n - 1) * LINE_BYTES, line, LINE_BYTES);
    }
    if (mode == FAULT_KILL && n == at)
        kill(getpid(), SIGKILL);
    if (mode == FAULT_FAIL && n == at) {
        errno = fail_errno;
        return -1;
    }
    return 0;
}
