/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONNECT_H
#define MAYFLY_CONNECT_H

#include "base/err.h"
#include "container.h"

#include <stdbool.h>
#include <sys/types.h>

struct buf;
struct dhcp_parameters;
struct network_lease;
struct network_ipv6;

/**
 * connect_open_state() - the directory of a store that says who is on which network
 * @make: whether to make it
 *
 * Return: a descriptor, -ENOENT without a text when it is not there, or -errno with a text.
 */
int connect_open_state(const struct store *store, bool make, struct err *err);

/** connect_clean() - finish what killed runs have left of their networks at the host. */
void connect_clean(const struct store *store, const struct idmap *map);

/** CONNECT_UNMAPPABLE - connect_prepare(): a lesser way of mapping ids may work. */
#define CONNECT_UNMAPPABLE 1

/**
 * connect_prepare() - what has to be there of a container's network before the container
 *
 * Nothing for root.  For others the bridge, since their containers have to be made inside of the
 * user namespace that owns it: sets container->owner_fd.
 * Context: host.
 * Return: 0, CONNECT_UNMAPPABLE with a text, or -errno with a text.
 */
int connect_prepare(struct container *container, struct err *err);

/**
 * connect_begin() - while the container waits for MESSAGE_BUILD, what can only be begun then
 * @pid: PID 1, its ids mapped
 *
 * Return: 0 or -errno with a text.
 */
int connect_begin(struct container *container, pid_t pid, struct err *err);

/**
 * connect_is_childs() - whether the container's side makes its network namespace itself
 *
 * Where the host's side can do without it at first: it makes the bridge's at the same time.
 */
bool connect_is_childs(const struct container *container);

/**
 * connect_open() - the network of a container with a bridge, unless connect_prepare() opened it
 *
 * Sets container->network, which connect_destroy() releases.
 * Context: host.
 * Return: 0 or -errno with a text.
 */
int connect_open(struct container *container, struct err *err);

/**
 * connect_attach() - give a container with a bridge its link, and tell its side (MESSAGE_NETWORK)
 * @pid: PID 1, in its network namespace
 *
 * What its port may send is settled while the container's side sets its link up.
 * Context: host.
 * Return: 0, -ESRCH when PID 1 has ended, or another -errno with a text.
 */
int connect_attach(struct container *container, pid_t pid, struct err *err);

/** connect_is_late() - whether connect_finish() is due once the container is ready. */
bool connect_is_late(const struct container *container);

/** connect_finish() - open a user's container's way out.  Return: 0 or -errno with a text. */
int connect_finish(struct container *container, struct err *err);

/** connect_destroy() - let go of the network; the container's processes have ended. */
void connect_destroy(struct container *container);

/**
 * connect_separate() - the container's side: its network namespace, if connect_is_childs()
 *
 * Says so (MESSAGE_READY): the host's side can make the link.
 * Context: child, before anything of its network namespace is used.
 * Return: 0 or -errno with a text.
 */
int connect_separate(const struct container *container, struct err *err);

/**
 * connect_setup() - the container's side: addresses, and the files that name resolution reads
 * @run_fd: the run's directory, where the files lie
 * @root_fd: the container's root
 *
 * With a bridge, waits for MESSAGE_NETWORK.  A lease that has to be renewed goes to the host's side
 * (MESSAGE_LEASE).
 * Context: child before pivot.
 * Return: 0 or -errno with a text.
 */
int connect_setup(const struct container *container, int run_fd, int root_fd, struct err *err);

/** struct connect_names - the files of connect_names_show(), open for writing; or -1 */
struct connect_names {
    int resolv_fd;
    int hosts_fd;
};

/**
 * connect_names_show() - show the files that name resolution reads, those without addresses empty
 * @ret_names: closed by connect_names_write()
 *
 * Context: child before pivot.
 * Return: 0 or -errno with a text.
 */
int connect_names_show(const struct container *container, int run_fd, int root_fd,
                       struct connect_names *ret_names, struct err *err);

/**
 * connect_names_format() - append what they say
 * @lease, @ipv6: NULL: there is none
 */
void connect_names_format(const struct container *container, const struct dhcp_parameters *lease,
                          const struct network_ipv6 *ipv6, struct buf *ret_resolv,
                          struct buf *ret_hosts);

/**
 * connect_names_write() - fill them
 * @names: closed, also on failure
 * @lease, @ipv6: of network_setup(); NULL: there is none
 *
 * Return: 0 or -errno with a text.
 */
int connect_names_write(const struct container *container, struct connect_names *names,
                        const struct network_lease *lease, const struct network_ipv6 *ipv6,
                        struct err *err);

/**
 * connect_adopt() - the host's side of MESSAGE_LEASE: keep the lease from now on
 * @fds: the two descriptors that came along, taken over
 *
 * Return: 0 or -errno with a text.
 */
int connect_adopt(struct container *container, const int fds[2], struct err *err);

/**
 * connect_renew() - when a renewed lease says something else, say it in the container's files too
 * @pidfd: of PID 1
 *
 * What is mounted over them there, or has been changed by the container, stays.  What goes wrong is
 * logged.
 * Context: host, single-threaded.
 */
void connect_renew(struct container *container, int pidfd);

#endif
