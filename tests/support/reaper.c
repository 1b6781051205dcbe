/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a test and tells what it left running.
 *
 *   reaper SECONDS FILE COMMAND [ARG]...
 *
 * This process is the subreaper of all that the command starts: whatever
 * loses its parent becomes a child of this one, however often it forked and
 * whichever session it moved to.  When the command has ended, each child that
 * still lives two seconds later is named in FILE and killed.  After SECONDS, which only a test
 * that hangs can reach, the command is killed too and FILE says so.
 * Exits with the command's status, 128+N for a signal.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_SECONDS 2

static time_t now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static size_t read_proc(pid_t pid, const char *name, char *text, size_t size) {
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, size - 1);
        close(fd);
    }
    n = n < 0 ? 0 : n;
    text[n] = '\0';
    return (size_t)n;
}

/* Whether @pid is a child of this process that has not ended. */
static int is_living_child(pid_t pid) {
    char text[512];
    const char *p;
    char state;
    int parent;

    read_proc(pid, "stat", text, sizeof text);
    /* The name in parentheses may hold anything; what follows the last one is fixed. */
    p = strrchr(text, ')');
    return p && sscanf(p + 1, " %c %d", &state, &parent) == 2 && parent == getpid() &&
           state != 'Z' && state != 'X';
}

static void report(FILE *file, pid_t pid) {
    char text[512];
    size_t n = read_proc(pid, "cmdline", text, sizeof text);

    for (size_t i = 0; i < n; i++)
        if (!isprint((unsigned char)text[i]))
            text[i] = ' ';
    fprintf(file, "process %d: %s\n", (int)pid, text);
}

/* Names and kills the living children, without a @file counts them.  Return: how many there were.
 */
static int kill_children(FILE *file) {
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while (dir && (entry = readdir(dir))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid <= 0 || !is_living_child(pid))
            continue;
        if (file) {
            report(file, pid);
            kill(pid, SIGKILL);
        }
        n++;
    }
    if (dir)
        closedir(dir);
    return n;
}

/*
 * Waits until the command has ended, and reaps whatever else ends before.
 * Return: 0 when time ran out.
 */
static int wait_for(pid_t command, int seconds, int *ret_status) {
    time_t deadline = now() + seconds;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        struct timespec left = {.tv_sec = deadline - now()};
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == command) {
                *ret_status = status;
                return 1;
            }
        if (left.tv_sec <= 0)
            return 0;
        sigtimedwait(&child, NULL, &left);
    }
}

/*
 * A supervisor of a container is no child of whoever it answers, and may need a moment more to end:
 * what ends by itself is not left.
 */
static void let_end(void) {
    time_t deadline = now() + GRACE_SECONDS;
    struct timespec left = {.tv_sec = GRACE_SECONDS};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (left.tv_sec > 0 && kill_children(NULL) > 0) {
        sigtimedwait(&child, NULL, &left);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        left.tv_sec = deadline - now();
    }
}

static pid_t start(char **argv) {
    pid_t pid = fork();

    if (pid == 0) {
        /* Ignored under nohup(1), and in what a script has put into the background. */
        signal(SIGHUP, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        execvp(*argv, argv);
        perror(*argv);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv) {
    int status = 0, in_time;
    sigset_t child;
    pid_t command;
    FILE *file;

    if (argc < 4 || !(file = fopen(argv[2], "we"))) {
        fprintf(stderr, "usage: reaper SECONDS FILE COMMAND [ARG]...\n");
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    command = start(argv + 3);
    sigprocmask(SIG_BLOCK, &child, NULL);
    in_time = command > 0 && wait_for(command, (int)strtol(argv[1], NULL, 10), &status);
    if (!in_time)
        fprintf(file, "the test did not end within %s seconds; it left:\n", argv[1]);
    let_end();
    /* What is killed may hand its own children on. */
    while (kill_children(file) > 0)
        waitpid(-1, NULL, 0);
    fclose(file);
    if (!in_time)
        return 124;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
