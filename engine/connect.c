/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container and its network.
 *
 *   host's side                        container's side
 *   -----------                        ----------------
 *   without privileges: bridge, guards
 *   clone
 *   MESSAGE_BUILD ------------------>  mounts
 *   bridge
 *   <------------------- MESSAGE_READY with privileges: its network namespace is there
 *   veth pair                          mounts, files for names
 *   MESSAGE_NETWORK ---------------->  link, loopback
 *   guards                             DHCP, with the host's side as its server
 *   <------------------- MESSAGE_LEASE (on a bridge with a server of its own)
 *   without privileges: pasta(1), if wanted
 *   renewals, answers                  PID 1 at work
 */
#include "connect.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sys.h"
#include "build.h"
#include "message.h"
#include "net/network.h"
#include "spawn.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#define ADDRESS_NSEC (10 * NSEC_PER_SEC)

static bool has_privileges(const struct container *c) {
    return idmap_is_roots(&c->map);
}

static int make_namespace(void *context, int *ret_ns_fd, struct err *err) {
    const struct container *c = context;

    return userns_make(&c->map, ret_ns_fd, err);
}

int connect_open_state(const struct store *store, bool make, struct err *err) {
    int fd = openat(store->fd, "net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && !make)
        return -ENOENT;
    if (fd < 0 && errno == ENOENT) {
        if (sys_mkdirat(store->fd, "net", 0700) < 0 && errno != EEXIST)
            return err_errno(err, "cannot make %s/net", store->path);
        fd = openat(store->fd, "net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return fd < 0 ? err_errno(err, "cannot open %s/net", store->path) : fd;
}

void connect_clean(const struct store *store, const struct idmap *map) {
    _cleanup_close_ int state = -1;

    if (!idmap_is_roots(map))
        return;
    state = connect_open_state(store, false, NULL);
    if (state >= 0)
        network_clean(state);
}

static int open_network(struct container *c, struct err *err) {
    const struct plan *plan = c->plan;
    _cleanup_close_ int state = -1;
    struct network_request request;

    connect_clean(&c->store, &c->map);
    state = connect_open_state(&c->store, true, err);
    request = (struct network_request){
        .network = plan->network          ? plan->network
                   : plan->net == NET_NAT ? NETWORK_NAT
                                          : NETWORK_DEFAULT,
        .must_exist = plan->network != NULL,
        .way = plan->net == NET_NAT ? NETWORK_OUT : NETWORK_CLOSED,
        .ports = plan->ports,
        .n_ports = plan->n_ports,
        .bridge = plan->bridge,
        .state_fd = state,
        .name = plan->name,
        .container = c->state.name,
        .hostname = plan->hostname,
        .isolate = plan->isolate,
        .make_namespace = has_privileges(c) ? NULL : make_namespace,
        .context = c,
        .log = c->log,
    };

    return state < 0 ? state : network_open(&request, &c->network, err);
}

int connect_prepare(struct container *c, struct err *err) {
    int r;

    if (!plan_has_bridge(c->plan) || has_privileges(c))
        return 0;
    r = open_network(c, err);
    if (r != 0)
        return r == USERNS_UNMAPPABLE ? CONNECT_UNMAPPABLE : r;
    r = network_guard(c->network, err);
    if (r < 0)
        return r;
    c->owner_fd = network_owner(c->network, err);
    return c->owner_fd < 0 ? c->owner_fd : 0;
}

int connect_begin(struct container *c, pid_t pid, struct err *err) {
    if (!c->network || !network_needs_outside(c->network))
        return 0;
    return outside_begin(pid, &c->outside, err);
}

bool connect_is_childs(const struct container *c) {
    return plan_has_bridge(c->plan) && has_privileges(c);
}

int connect_open(struct container *c, struct err *err) {
    return c->network ? 0 : open_network(c, err);
}

bool connect_is_late(const struct container *c) {
    return c->outside.net_fd >= 0;
}

int connect_finish(struct container *c, struct err *err) {
    return outside_open(&c->outside, c->plan->ports, c->plan->n_ports, c->state.fd, err);
}

void connect_destroy(struct container *c) {
    outside_close(&c->outside);
    network_destroy(c->network);
    c->network = NULL;
    if (c->owner_fd >= 0)
        close(take_fd(c->owner_fd));
}

int connect_adopt(struct container *c, const int fds[2], struct err *err) {
    struct network_lease lease;

    if (fd_receive(c->socket_fd, &lease, sizeof lease, NULL, 0, NULL, 0) != sizeof lease) {
        close(fds[0]);
        close(fds[1]);
        return err_set(err, -EPROTO, "the container's lease did not come");
    }
    lease.socket_fd = fds[0];
    lease.route_fd = fds[1];
    network_adopt(c->network, &lease);
    return 0;
}

/* Tells the container's side that its link is there. */
static int announce(const struct container *c) {
    struct message message = {.kind = MESSAGE_NETWORK};
    struct network_ipv6 ipv6;
    int r;

    message.index = network_get_ipv6(c->network, &ipv6);
    r = message_send(c->socket_fd, &message, NULL, 0);
    return r == 0 && message.index ? fd_send(c->socket_fd, &ipv6, sizeof ipv6, NULL, 0) : r;
}

int connect_attach(struct container *c, pid_t pid, struct err *err) {
    int r = network_attach(c->network, pid, err);

    if (r == 0 && announce(c) < 0)
        r = -ESRCH;
    return r == 0 ? network_guard(c->network, err) : r;
}

int connect_separate(const struct container *c, struct err *err) {
    const struct message message = {.kind = MESSAGE_READY};

    if (!connect_is_childs(c))
        return 0;
    if (unshare(CLONE_NEWNET) < 0)
        return spawn_explain(-1, err);
    return message_send(c->socket_fd, &message, NULL, 0) < 0 ? -EPIPE : 0;
}

/* Waits for MESSAGE_NETWORK.  Return: 1 with @ret_ipv6, 0 without, or -errno with a text. */
static int await_network(const struct container *c, struct network_ipv6 *ret_ipv6,
                         struct err *err) {
    struct message message;
    int r = message_receive(c->socket_fd, &message, NULL, 0, NULL);

    if (r == 0 && message.kind != MESSAGE_NETWORK)
        r = -EPROTO;
    if (r == 0 && message.index &&
        fd_receive(c->socket_fd, ret_ipv6, sizeof *ret_ipv6, NULL, 0, NULL, 0) != sizeof *ret_ipv6)
        r = -EPROTO;
    if (r == 0)
        return message.index > 0;
    return r < 0 ? err_set(err, r, "the host's side is gone") : 0;
}

static int hand_over(const struct container *c, struct network_lease *lease, struct err *err) {
    const struct message message = {.kind = MESSAGE_LEASE};
    const int fds[2] = {lease->socket_fd, lease->route_fd};
    int r = 0;

    if (lease->socket_fd >= 0) {
        r = message_send(c->socket_fd, &message, fds, 2);
        if (r == 0)
            r = fd_send(c->socket_fd, lease, sizeof *lease, NULL, 0);
    }
    network_lease_close(lease);
    return r < 0 ? err_set(err, r, "cannot hand the lease over") : 0;
}

/* An address, and the names that come with it. */
static int set_up(const struct container *c, struct network_setup *setup,
                  struct connect_names *names, struct err *err) {
    struct network_ipv6 ipv6;
    struct network_setup_request request = {
        .hostname = container_hostname(c),
        .renew = c->plan->bridge != NULL,
        .timeout_nsec = ADDRESS_NSEC,
    };
    struct network_lease lease;
    int r = await_network(c, &ipv6, err);

    request.ipv6 = r > 0 ? &ipv6 : NULL;
    if (r >= 0)
        r = network_setup(setup, &request, &lease, err);
    if (r < 0)
        return r;
    r = connect_names_write(c, names, &lease, request.ipv6, err);
    if (r < 0) {
        network_lease_close(&lease);
        return r;
    }
    return hand_over(c, &lease, err);
}

int connect_setup(const struct container *c, int run_fd, int root_fd, struct err *err) {
    bool has_bridge = plan_has_bridge(c->plan);
    struct network_setup setup;
    struct connect_names names;
    int r;

    /* Files of the host's have a label that no container may read. */
    if (!has_bridge && !plan_has_names(c->plan) && !(c->plan->net == NET_HOST && build_label(c)))
        return 0;
    /* All that can be done while the host's side is still making the link. */
    r = connect_names_show(c, run_fd, root_fd, &names, err);
    if (r == 0 && has_bridge)
        r = network_setup_begin(&setup, err);
    if (r < 0)
        return r;
    return has_bridge ? set_up(c, &setup, &names, err)
                      : connect_names_write(c, &names, NULL, NULL, err);
}
