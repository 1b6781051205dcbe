/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills a command with SIGKILL, the command alone, some time after its start.
 *
 *   killer MICROSECONDS COMMAND [ARG]...
 *
 * Exits 0 when the command was killed, 1 when it had ended before.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec timeout;
    struct pollfd pollfd = {.events = POLLIN};
    int status = 0;
    long usec;
    pid_t pid;

    if (argc < 3) {
        fprintf(stderr, "usage: killer MICROSECONDS COMMAND [ARG]...\n");
        return 2;
    }
    usec = strtol(argv[1], NULL, 10);
    timeout.tv_sec = usec / 1000000;
    timeout.tv_nsec = usec % 1000000 * 1000;
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    pollfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ppoll(&pollfd, 1, &timeout, NULL) == 0)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
}
