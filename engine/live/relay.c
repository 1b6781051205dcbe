/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between a container's main program and whoever looks on.  Nothing here
 * blocks: descriptors are pipes and a terminal of our own, and what cannot be
 * written yet waits in its chunk while its stream is not read.  The log never
 * makes anybody wait.
 */
#include "relay.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Sources and sink; then connection, input, output and error of each viewer. */
#define N_OWN 3
#define N_VIEWER 4

void relay_init(struct relay *relay, struct log_writer *log) {
    relay->log = log;
    relay->sources[0] = relay->sources[1] = relay->sink = -1;
    relay->is_terminal = false;
    relay->output[0].size = relay->output[1].size = 0;
    relay->input.size = relay->input.done = 0;
    relay->viewers = NULL;
    relay->n_viewers = 0;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(take_fd(*fd));
}

static void close_source(struct relay *relay, int s) {
    if (relay->sources[s] == relay->sink)
        relay->sink = -1;
    close_fd(&relay->sources[s]);
}

void relay_close_streams(struct relay *relay) {
    close_source(relay, 0);
    close_source(relay, 1);
    close_fd(&relay->sink);
    relay->input.size = relay->input.done = 0;
}

void relay_done(struct relay *relay) {
    relay_close_streams(relay);
    while (relay->n_viewers > 0)
        relay_detach(relay, relay->n_viewers - 1);
    free(relay->viewers);
    relay->viewers = NULL;
}

static void set_nonblocking(int fd) {
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void relay_streams(struct relay *relay, int in_fd, int out_fd, int err_fd) {
    relay_close_streams(relay);
    set_nonblocking(in_fd);
    set_nonblocking(out_fd);
    set_nonblocking(err_fd);
    relay->is_terminal = false;
    relay->sink = in_fd;
    relay->sources[0] = out_fd;
    relay->sources[1] = err_fd;
}

void relay_terminal(struct relay *relay, int master_fd) {
    relay_streams(relay, master_fd, master_fd, -1);
    relay->is_terminal = true;
}

int relay_attach(struct relay *relay, int socket_fd, const int fds[3], bool is_first) {
    struct viewer *viewers = reallocarray(relay->viewers, relay->n_viewers + 1, sizeof *viewers);
    struct viewer viewer = {
        .socket_fd = socket_fd,
        .in_fd = fds[0],
        .out_fds = {fds[1], fds[2]},
        /* What is on its way to others came before. */
        .done = {relay->output[0].size, relay->output[1].size},
        .is_first = is_first,
    };

    for (int i = 0; i < 3; i++)
        set_nonblocking(fds[i]);
    if (!viewers) {
        for (int i = 0; i < 3; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        close(socket_fd);
        return -ENOMEM;
    }
    relay->viewers = viewers;
    viewers[relay->n_viewers++] = viewer;
    return 0;
}

void relay_detach(struct relay *relay, size_t i) {
    struct viewer *viewer = &relay->viewers[i];

    close_fd(&viewer->socket_fd);
    close_fd(&viewer->in_fd);
    close_fd(&viewer->out_fds[0]);
    close_fd(&viewer->out_fds[1]);
    *viewer = relay->viewers[--relay->n_viewers];
}

static bool is_behind(const struct relay *relay, const struct viewer *viewer, int s) {
    return viewer->out_fds[s] >= 0 && viewer->done[s] < relay->output[s].size;
}

/* Whether the stream's last chunk is where it belongs. */
static bool is_delivered(const struct relay *relay, int s) {
    for (size_t i = 0; i < relay->n_viewers; i++)
        if (is_behind(relay, &relay->viewers[i], s))
            return false;
    return true;
}

size_t relay_n_poll(const struct relay *relay) {
    return N_OWN + N_VIEWER * relay->n_viewers;
}

size_t relay_viewer_poll(size_t i) {
    return N_OWN + N_VIEWER * i;
}

void relay_poll(const struct relay *relay, struct pollfd *fds) {
    bool has_input = relay->input.size > 0;

    for (int s = 0; s < 2; s++)
        fds[s] = (struct pollfd){.fd = is_delivered(relay, s) ? relay->sources[s] : -1,
                                 .events = POLLIN};
    fds[2] = (struct pollfd){.fd = has_input ? relay->sink : -1, .events = POLLOUT};
    for (size_t i = 0; i < relay->n_viewers; i++) {
        const struct viewer *viewer = &relay->viewers[i];
        struct pollfd *own = fds + N_OWN + N_VIEWER * i;

        own[0] = (struct pollfd){.fd = viewer->socket_fd, .events = POLLIN};
        /* Without a program to read it, or before it has begun, input waits. */
        own[1] = (struct pollfd){.fd = has_input || relay->sink < 0 ? -1 : viewer->in_fd,
                                 .events = POLLIN};
        for (int s = 0; s < 2; s++)
            own[2 + s] = (struct pollfd){
                .fd = is_behind(relay, viewer, s) ? viewer->out_fds[s] : -1, .events = POLLOUT};
    }
}

static void show(struct relay *relay, struct viewer *viewer, int s) {
    const struct chunk *chunk = &relay->output[s];
    ssize_t n;

    if (!is_behind(relay, viewer, s))
        return;
    n = write(viewer->out_fds[s], chunk->bytes + viewer->done[s], chunk->size - viewer->done[s]);
    if (n >= 0)
        viewer->done[s] += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        close_fd(&viewer->out_fds[s]);
}

static void take_output(struct relay *relay, int s) {
    struct chunk *chunk = &relay->output[s];
    ssize_t n = read(relay->sources[s], chunk->bytes, sizeof chunk->bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* A terminal that nobody has open any more reports an error. */
    if (n <= 0) {
        close_source(relay, s);
        return;
    }
    chunk->size = (size_t)n;
    log_writer_put(relay->log, s == 0 ? LOG_STREAM_OUT : LOG_STREAM_ERR, chunk->bytes, chunk->size);
    for (size_t i = 0; i < relay->n_viewers; i++) {
        relay->viewers[i].done[s] = 0;
        show(relay, &relay->viewers[i], s);
    }
}

static void give_input(struct relay *relay) {
    struct chunk *input = &relay->input;
    ssize_t n;

    if (relay->sink < 0 || input->size == 0)
        return;
    n = write(relay->sink, input->bytes + input->done, input->size - input->done);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 && !relay->is_terminal)
        close_fd(&relay->sink);
    input->done += n < 0 ? input->size : (size_t)n;
    if (input->done >= input->size)
        input->size = input->done = 0;
}

static void take_input(struct relay *relay, struct viewer *viewer) {
    ssize_t n = read(viewer->in_fd, relay->input.bytes, sizeof relay->input.bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&viewer->in_fd);
        if (viewer->is_first && !relay->is_terminal)
            close_fd(&relay->sink);
        return;
    }
    relay->input.size = (size_t)n;
    relay->input.done = 0;
    give_input(relay);
}

void relay_dispatch(struct relay *relay, const struct pollfd *fds) {
    for (size_t i = 0; i < relay->n_viewers; i++) {
        const struct pollfd *own = fds + N_OWN + N_VIEWER * i;
        struct viewer *viewer = &relay->viewers[i];

        for (int s = 0; s < 2; s++)
            if (own[2 + s].fd >= 0 && own[2 + s].revents)
                show(relay, viewer, s);
        if (own[1].fd >= 0 && own[1].revents && relay->input.size == 0)
            take_input(relay, viewer);
    }
    if (fds[2].fd >= 0 && fds[2].revents)
        give_input(relay);
    for (int s = 0; s < 2; s++)
        if (fds[s].fd >= 0 && fds[s].revents && relay->sources[s] >= 0)
            take_output(relay, s);
}

bool relay_is_over(const struct relay *relay) {
    return relay->sources[0] < 0 && relay->sources[1] < 0 && is_delivered(relay, 0) &&
           is_delivered(relay, 1);
}

void relay_resize(const struct relay *relay, const struct winsize *window) {
    if (relay->is_terminal && relay->sources[0] >= 0)
        ioctl(relay->sources[0], TIOCSWINSZ, window);
}
