/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service in a container, reached through a port of the host's: publish IMAGE PORT
 */
#include <arpa/inet.h>
#include <mayfly.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the service says to a line, or NULL while it is not there yet. */
static const char *ask(uint16_t port, const char *line) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    static char answer[100];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = -1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, line, strlen(line), MSG_NOSIGNAL) > 0)
        n = recv(fd, answer, sizeof answer - 1, 0);
    if (fd >= 0)
        close(fd);
    answer[n > 0 ? n : 0] = '\0';
    return n > 0 ? answer : NULL;
}

static int list(struct mayfly_container *container, struct mayfly_error *error) {
    struct mayfly_port *ports = NULL;
    size_t n = 0;
    int r = mayfly_ports(container, &ports, &n, error);

    for (size_t i = 0; r == 0 && i < n; i++)
        printf("%u/%s -> %s:%u\n", ports[i].container_port, ports[i].is_udp ? "udp" : "tcp",
               ports[i].address, ports[i].host_port);
    free(ports);
    return r;
}

int main(int argc, char **argv) {
    const struct mayfly_command service = {.shell = "nc -ll -p 80 -e tr a-z A-Z"};
    struct mayfly_error error = {.code = 0, .message = "the service has ended"};
    struct mayfly_container *container = NULL;
    struct mayfly_process *process = NULL;
    struct mayfly_plan *plan = NULL;
    char publish[32];
    const char *answer = NULL;
    int r;

    if (argc != 3)
        return 2;
    snprintf(publish, sizeof publish, "127.0.0.1:%s:80", argv[2]);
    r = mayfly_plan_new(argv[1], &plan, &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "net", "nat", &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "publish", publish, &error);
    if (r == 0)
        r = mayfly_start(plan, &container, &error);
    if (r == 0)
        r = list(container, &error);
    if (r == 0)
        r = mayfly_spawn(container, &service, &process, &error);
    while (r == 0 && !answer) {
        struct mayfly_result result = {.output = NULL};

        answer = ask((uint16_t)atoi(argv[2]), "hello\n");
        if (mayfly_process_wait(process, 0, &result, &error) == 0)
            r = -1;
        mayfly_result_done(&result);
    }
    if (r == 0)
        printf("it says: %s", answer);
    else
        fprintf(stderr, "%s\n", error.message);
    mayfly_process_free(process);
    mayfly_destroy(container);
    mayfly_plan_free(plan);
    return r != 0;
}
