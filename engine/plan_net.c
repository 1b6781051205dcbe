/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's network and published ports, as people write them. */
#include "plan.h"

#include "base/cleanup.h"
#include "plan_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>

int plan_set_net(struct plan *plan, const char *text, struct err *err) {
    const char *bridge = str_after(text, "bridge:");

    if (str_eq(text, "none"))
        plan->net = NET_NONE;
    else if (str_eq(text, "host"))
        plan->net = NET_HOST;
    else if (str_eq(text, "nat"))
        plan->net = NET_NAT;
    else if (str_eq(text, "bridge") || (bridge && *bridge))
        plan->net = NET_BRIDGE;
    else
        return err_set(err, -EINVAL,
                       "unknown network mode '%s'; use none, host, bridge, bridge:NAME or nat",
                       text);
    if (bridge && strlen(bridge) >= IF_NAMESIZE)
        return err_set(err, -EINVAL, "'%s' is too long for the name of a bridge", bridge);
    free(plan->bridge);
    plan->bridge = bridge ? strdup(bridge) : NULL;
    return bridge && !plan->bridge ? err_nomem(err) : 0;
}

static int parse_port(const char *text, uint16_t *ret_port) {
    uint64_t value;

    if (str_to_u64(text, UINT16_MAX, &value) < 0 || value == 0)
        return -EINVAL;
    *ret_port = (uint16_t)value;
    return 0;
}

/* Cuts "/tcp" or "/udp" off the end of @text. */
static int take_protocol(char *text, uint8_t *ret_protocol) {
    char *slash = strchr(text, '/');

    *ret_protocol = IPPROTO_TCP;
    if (!slash)
        return 0;
    *slash = '\0';
    if (str_eq(slash + 1, "udp"))
        *ret_protocol = IPPROTO_UDP;
    return str_eq(slash + 1, "udp") || str_eq(slash + 1, "tcp") ? 0 : -EINVAL;
}

int plan_add_port(struct plan *plan, const char *spec, struct err *err) {
    _cleanup_strv_ struct strv fields = {0};
    struct nat_port port = {0}, *ports;
    struct in_addr address;
    size_t n;
    int r;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    n = fields.n;
    r = n == 2 || n == 3 ? take_protocol(fields.items[n - 1], &port.protocol) : -EINVAL;
    if (r == 0)
        r = parse_port(fields.items[n - 1], &port.container_port);
    if (r == 0)
        r = parse_port(fields.items[n - 2], &port.host_port);
    if (r == 0 && n == 3 && inet_pton(AF_INET, fields.items[0], &address) == 1)
        port.address_be = address.s_addr;
    else if (n == 3)
        r = -EINVAL;
    if (r < 0)
        return err_set(
            err, -EINVAL,
            "--publish '%s' is not [ADDRESS:]HOST:CONTAINER[/udp]: ports are 1 to 65535, "
            "an address is IPv4",
            spec);
    ports = reallocarray(plan->ports, plan->n_ports + 1, sizeof *ports);
    if (!ports)
        return err_nomem(err);
    plan->ports = ports;
    ports[plan->n_ports++] = port;
    return 0;
}
