/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container whose root is the owner of this program's file could write to it
 * through /proc/self/exe (CVE-2019-5736).  A program that runs from a sealed
 * memfd has no file that anybody could change.
 */
#include "protect.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MAX_ARGUMENTS_BYTES (8u << 20)

/* Return: a descriptor or -1. */
static int make_sealed_copy(void) {
    _cleanup_close_ int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
    struct stat st;

    if (program < 0 || fstat(program, &st) < 0)
        return -1;
    copy = memfd_create("mayfly", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    /* Before Linux 6.3 every memfd could be executed, and the flag was unknown. */
    if (copy < 0 && errno == EINVAL)
        copy = memfd_create("mayfly", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0)
        return -1;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(copy, program, NULL, (size_t)left);

        if (n <= 0)
            return -1;
        left -= n;
    }
    return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -1 : take_fd(copy);
}

void protect_program(void) {
    _cleanup_close_ int copy = make_sealed_copy();
    _cleanup_free_ char *text = NULL;
    _cleanup_strv_ struct strv argv = {0};
    size_t size = 0;
    sigset_t none;

    /* As the kernel has them: parsing has moved our own argv about. */
    if (copy < 0 ||
        fd_read_file(AT_FDCWD, "/proc/self/cmdline", MAX_ARGUMENTS_BYTES, &text, &size) < 0)
        return;
    for (const char *p = text; p < text + size; p += strlen(p) + 1)
        if (strv_push(&argv, p) < 0)
            return;
    if (argv.n == 0)
        return;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_execveat, copy, "", argv.items, environ, AT_EMPTY_PATH);
}
