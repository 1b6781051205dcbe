/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closure in a container: PID 1 is a copy of the program that has made the
 * container, so that a function of that program is there at the same address.
 * The child is made ready as a step is, by a fork since it goes on in this
 * memory; argument and answer lie in a file that both sides map.
 */
#include "closure.h"

#include "engine/base/sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A block with its parts fits into an address space many times over. */
#define PART_BYTES_MAX (UINT64_C(1) << 40)

size_t closure_bytes(uint64_t n_argument, uint64_t n_result) {
    if (n_argument > PART_BYTES_MAX || n_result > PART_BYTES_MAX)
        return 0;
    return sizeof(struct closure) + closure_result_offset(n_argument) + (size_t)n_result;
}

static struct closure *map(int fd) {
    struct closure *block;
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof *block)
        return NULL;
    block = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (block == MAP_FAILED)
        return NULL;
    if (closure_bytes(block->n_argument, block->n_result) == (size_t)st.st_size)
        return block;
    munmap(block, (size_t)st.st_size);
    return NULL;
}

static int call(struct closure *block) {
    size_t n_result = (size_t)block->n_result;
    size_t room = n_result;
    int status = block->function(block->data, (size_t)block->n_argument,
                                 block->data + closure_result_offset(block->n_argument), &n_result);

    /* An answer is as long as it is said to be, and no longer than its room. */
    block->n_result = n_result < room ? n_result : room;
    return status;
}

pid_t closure_spawn(const struct step *step, int block_fd, struct err *err) {
    struct closure *block = map(block_fd);
    sigset_t none;
    size_t size;
    pid_t pid;

    if (!block)
        return err_set(err, -EINVAL, "the function to be called was not understood");
    size = closure_bytes(block->n_argument, block->n_result);
    pid = fork();
    if (pid == 0) {
        if (step_enter(step) < 0)
            _exit(127);
        sys_close_range(3, ~0U);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        _exit(call(block));
    }
    munmap(block, size);
    return pid < 0 ? err_errno(err, "cannot make a process in the container") : pid;
}
