/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that name resolution reads: /etc/resolv.conf, hosts and hostname, of
 * what the network says and the plan adds.  They lie in the run's directory.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "connect.h"
#include "net/network.h"
#include "net/resolv.h"
#include "rootfs/bind.h"

#include <errno.h>
#include <fcntl.h>

#define MAX_FILE_BYTES (1u << 20)

/* Shows @text as the file /etc/@name. */
static int show_file(int run_fd, int root_fd, const char *name, const struct buf *text,
                     struct err *err) {
    _cleanup_close_ int file = openat(run_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    _cleanup_close_ int tree = -1, target = -1;
    char path[64] = "/etc/";
    int r;

    if (buf_failed(text))
        return err_nomem(err);
    r = file < 0 ? -errno : fd_write_all(file, text->data, text->size);
    strncat(path, name, sizeof path - sizeof "/etc/");
    if (r == 0)
        r = tree = bind_clone(run_fd, name, false, 0, -1);
    if (r >= 0) {
        target = bind_target(root_fd, path, false, err);
        if (target < 0)
            return target;
        r = bind_attach(tree, target);
    }
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot make the container's %s", path);
    }
    return 0;
}

/* What the plan says takes the place of what the network says. */
static void choose_servers(const struct plan *plan, struct resolv *resolv, struct buf *ret_text) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct resolv wanted;

    for (size_t i = 0; i < plan->dns.n; i++)
        buf_printf(&text, "nameserver %s\n", plan->dns.items[i]);
    buf_puts(&text, "search");
    for (size_t i = 0; i < plan->dns_search.n; i++)
        buf_printf(&text, " %s", plan->dns_search.items[i]);
    buf_puts(&text, "\n");
    resolv_parse(&wanted, text.data ? text.data : "");
    if (plan->dns.n > 0) {
        memcpy(resolv->servers, wanted.servers, sizeof resolv->servers);
        resolv->n_servers = wanted.n_servers;
    }
    if (plan->dns_search.n > 0)
        memcpy(resolv->search, wanted.search, sizeof resolv->search);
    ret_text->failed |= text.failed;
    resolv_format(resolv, ret_text);
}

static void put_hosts(const struct container *c, const struct network_lease *lease,
                      const struct network_ipv6 *ipv6, struct buf *ret_text) {
    _cleanup_free_ char *own = NULL;

    /* With the host's network come the host's names. */
    if (c->plan->net == NET_HOST &&
        fd_read_file(AT_FDCWD, "/etc/hosts", MAX_FILE_BYTES, &own, NULL) == 0)
        buf_printf(ret_text, "%s\n", own);
    else
        resolv_hosts_format(lease ? lease->client.lease.address_be : 0,
                            ipv6 ? &ipv6->address : NULL, container_hostname(c), ret_text);
    for (size_t i = 0; i < c->plan->hosts.n; i++)
        buf_printf(ret_text, "%s\n", c->plan->hosts.items[i]);
}

int connect_names(const struct container *c, const struct network_lease *lease,
                  const struct network_ipv6 *ipv6, int run_fd, int root_fd, struct err *err) {
    _cleanup_buf_ struct buf resolv_text = BUF_INIT, hosts = BUF_INIT, name = BUF_INIT;
    struct resolv resolv = {0};
    int r;

    if (lease)
        resolv_from_lease(&resolv, &lease->client.lease);
    else if (c->plan->net == NET_HOST)
        resolv_of_host(&resolv, true);
    choose_servers(c->plan, &resolv, &resolv_text);
    put_hosts(c, lease, ipv6, &hosts);
    buf_printf(&name, "%s\n", container_hostname(c));
    r = show_file(run_fd, root_fd, "resolv.conf", &resolv_text, err);
    if (r == 0)
        r = show_file(run_fd, root_fd, "hosts", &hosts, err);
    if (r == 0)
        r = show_file(run_fd, root_fd, "hostname", &name, err);
    return r;
}
