/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that name resolution reads: /etc/resolv.conf, hosts and hostname, of
 * what the network says and the plan adds.  They lie in the run's directory.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "build.h"
#include "connect.h"
#include "net/network.h"
#include "net/resolv.h"
#include "rootfs/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#define MAX_FILE_BYTES (1u << 20)

static int explain(int r, const char *name, struct err *err) {
    errno = -r;
    return err_errno(err, "cannot make the container's /etc/%s", name);
}

/* Somebody's own file is there instead. */
static bool is_volume(const struct plan *plan, const char *path) {
    for (size_t i = 0; i < plan->n_volumes; i++)
        if (str_eq(plan->volumes[i].target, path))
            return true;
    return false;
}

/* Shows an empty file as /etc/@name; @ret_fd is -1 where the plan has a volume in its place. */
static int show_file(const struct container *c, int run_fd, int root_fd, const char *name,
                     int *ret_fd, struct err *err) {
    _cleanup_close_ int file = -1, tree = -1, target = -1;
    const char *label = build_label(c);
    char path[64];
    int r;

    snprintf(path, sizeof path, "/etc/%s", name);
    if (is_volume(c->plan, path))
        return 0;
    file = openat(run_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    r = file < 0 ? -errno : 0;
    if (r == 0 && label && fsetxattr(file, "security.selinux", label, strlen(label) + 1, 0) < 0)
        r = -errno;
    if (r == 0)
        r = tree = bind_clone(run_fd, name, false, 0, -1);
    if (r >= 0) {
        target = bind_target(root_fd, path, false, err);
        if (target < 0)
            return target;
        r = bind_attach(tree, target);
    }
    if (r < 0)
        return explain(r, name, err);
    *ret_fd = take_fd(file);
    return 0;
}

static int fill_file(int fd, const char *name, const struct buf *text, struct err *err) {
    int r;

    if (fd < 0)
        return 0;
    if (buf_failed(text))
        return err_nomem(err);
    r = fd_write_all(fd, text->data, text->size);
    return r < 0 ? explain(r, name, err) : 0;
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

static void put_hosts(const struct container *c, const struct dhcp_parameters *lease,
                      const struct network_ipv6 *ipv6, struct buf *ret_text) {
    _cleanup_free_ char *own = NULL;

    /* With the host's network come the host's names. */
    if (c->plan->net == NET_HOST &&
        fd_read_file(AT_FDCWD, "/etc/hosts", MAX_FILE_BYTES, &own, NULL) == 0)
        buf_printf(ret_text, "%s\n", own);
    else
        resolv_hosts_format(lease ? lease->address_be : 0, ipv6 ? &ipv6->address : NULL,
                            container_hostname(c), ret_text);
    for (size_t i = 0; i < c->plan->hosts.n; i++)
        buf_printf(ret_text, "%s\n", c->plan->hosts.items[i]);
}

int connect_names_show(const struct container *c, int run_fd, int root_fd,
                       struct connect_names *ret_names, struct err *err) {
    _cleanup_buf_ struct buf name = BUF_INIT;
    _cleanup_close_ int resolv_fd = -1, hosts_fd = -1, name_fd = -1;
    int r = show_file(c, run_fd, root_fd, "resolv.conf", &resolv_fd, err);

    *ret_names = (struct connect_names){-1, -1};
    if (r == 0)
        r = show_file(c, run_fd, root_fd, "hosts", &hosts_fd, err);
    if (r == 0)
        r = show_file(c, run_fd, root_fd, "hostname", &name_fd, err);
    buf_printf(&name, "%s\n", container_hostname(c));
    if (r == 0)
        r = fill_file(name_fd, "hostname", &name, err);
    if (r == 0)
        *ret_names = (struct connect_names){take_fd(resolv_fd), take_fd(hosts_fd)};
    return r;
}

void connect_names_format(const struct container *c, const struct dhcp_parameters *lease,
                          const struct network_ipv6 *ipv6, struct buf *ret_resolv,
                          struct buf *ret_hosts) {
    struct resolv resolv = {0};

    if (lease)
        resolv_from_lease(&resolv, lease);
    else if (c->plan->net == NET_HOST)
        resolv_of_host(&resolv, true);
    choose_servers(c->plan, &resolv, ret_resolv);
    put_hosts(c, lease, ipv6, ret_hosts);
}

int connect_names_write(const struct container *c, struct connect_names *names,
                        const struct network_lease *lease, const struct network_ipv6 *ipv6,
                        struct err *err) {
    _cleanup_buf_ struct buf resolv_text = BUF_INIT, hosts = BUF_INIT;
    _cleanup_close_ int resolv_fd = take_fd(names->resolv_fd), hosts_fd = take_fd(names->hosts_fd);
    int r;

    connect_names_format(c, lease ? &lease->client.lease : NULL, ipv6, &resolv_text, &hosts);
    r = fill_file(resolv_fd, "resolv.conf", &resolv_text, err);
    return r == 0 ? fill_file(hosts_fd, "hosts", &hosts, err) : r;
}
