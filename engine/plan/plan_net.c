/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's network, its names and published ports, as people write them. */
#include "plan.h"

#include "engine/base/cleanup.h"
#include "plan_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>

static int set_place(struct plan *plan, const char *bridge, const char *network, struct err *err) {
    char *new_bridge = bridge ? strdup(bridge) : NULL;
    char *new_network = network ? strdup(network) : NULL;

    free(plan->bridge);
    free(plan->network);
    plan->bridge = new_bridge;
    plan->network = new_network;
    return (bridge && !new_bridge) || (network && !new_network) ? err_nomem(err) : 0;
}

int plan_set_net(struct plan *plan, const char *text, struct err *err) {
    static const struct {
        const char *name;
        enum net_mode mode;
    } modes[] = {{"none", NET_NONE}, {"host", NET_HOST}, {"bridge", NET_BRIDGE}, {"nat", NET_NAT}};
    const char *bridge = str_after(text, "bridge:");

    for (size_t i = 0; i < N_ELEMENTS(modes); i++)
        if (str_eq(text, modes[i].name)) {
            plan->net = modes[i].mode;
            return set_place(plan, NULL, NULL, err);
        }
    if ((bridge && !*bridge) || (!bridge && !plan_spec_name_ok(text)))
        return err_set(
            err, -EINVAL,
            "unknown network mode '%s'; use none, host, bridge, bridge:NAME, nat, or the "
            "name of a network that was made with mayfly network create",
            text);
    if (bridge && strlen(bridge) >= IF_NAMESIZE)
        return err_set(err, -EINVAL, "'%s' is too long for the name of a bridge", bridge);
    plan->net = NET_BRIDGE;
    return set_place(plan, bridge, bridge ? NULL : text, err);
}

static bool is_address(const char *text) {
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

int plan_add_host(struct plan *plan, const char *text, struct err *err) {
    const char *colon = strchr(text, ':');
    _cleanup_free_ char *name = colon ? strndup(text, (size_t)(colon - text)) : NULL;
    _cleanup_free_ char *address = colon ? strdup(colon + 1) : NULL;
    _cleanup_free_ char *line = NULL;
    size_t n = address ? strlen(address) : 0;

    if (n > 1 && address[0] == '[' && address[n - 1] == ']') {
        memmove(address, address + 1, n - 2);
        address[n - 2] = '\0';
    }
    if (!name || !address || !plan_spec_hostname_ok(name) || !is_address(address))
        return err_set(err, -EINVAL,
                       "--add-host '%s' is not NAME:ADDRESS, such as db:10.0.0.5 or db:[fd00::5]",
                       text);
    line = str_printf("%s\t%s", address, name);
    return !line || strv_push(&plan->hosts, line) < 0 ? err_nomem(err) : 0;
}

int plan_add_dns(struct plan *plan, const char *text, struct err *err) {
    if (!is_address(text))
        return err_set(err, -EINVAL, "--dns '%s' is not the address of a name server", text);
    if (plan->dns.n == PLAN_MAX_DNS)
        return err_set(err, -EINVAL, "--dns '%s': more than %d name servers are never asked", text,
                       PLAN_MAX_DNS);
    return strv_push(&plan->dns, text) < 0 ? err_nomem(err) : 0;
}

int plan_add_dns_search(struct plan *plan, const char *text, struct err *err) {
    if (!str_eq(text, ".") && !plan_spec_hostname_ok(text))
        return err_set(err, -EINVAL, "--dns-search '%s' is not a domain's name; '.' is for none",
                       text);
    return strv_push(&plan->dns_search, text) < 0 ? err_nomem(err) : 0;
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

/*
 * Cuts an address in brackets off @text, "[::1]:80:80", since it has colons of its own.
 * Return: what follows its colon, @text itself when there is none, NULL when the bracket is not
 * closed.
 */
static const char *take_brackets(const char *text, char ret_host[INET6_ADDRSTRLEN]) {
    const char *end = strchr(text, ']');

    ret_host[0] = '\0';
    if (text[0] != '[')
        return text;
    if (!end || end[1] != ':' || end - text > INET6_ADDRSTRLEN)
        return NULL;
    *(char *)mempcpy(ret_host, text + 1, (size_t)(end - text - 1)) = '\0';
    return end + 2;
}

static int parse_publication(const char *spec, struct nat_port *port) {
    _cleanup_strv_ struct strv fields = {0};
    char host[INET6_ADDRSTRLEN];
    const char *rest = take_brackets(spec, host);
    int r = rest ? plan_spec_split(rest, &fields) : -EINVAL;
    size_t n = fields.n;

    if (r < 0)
        return r;
    if (n != 2 && (n != 3 || host[0]))
        return -EINVAL;
    r = nat_parse_host(n == 3 ? fields.items[0] : host[0] ? host : "*", port);
    if (r == 0)
        r = take_protocol(fields.items[n - 1], &port->protocol);
    if (r == 0)
        r = parse_port(fields.items[n - 1], &port->container_port);
    if (r == 0)
        r = parse_port(fields.items[n - 2], &port->host_port);
    return r;
}

int plan_add_port(struct plan *plan, const char *spec, struct err *err) {
    struct nat_port port = {0}, *ports;
    int r = parse_publication(spec, &port);

    if (r == -ENOMEM)
        return err_nomem(err);
    if (r < 0)
        return err_set(
            err, -EINVAL,
            "--publish '%s' is not [ADDRESS:]HOST:CONTAINER[/udp]: ports are 1 to 65535, "
            "an IPv6 address stands in brackets",
            spec);
    ports = reallocarray(plan->ports, plan->n_ports + 1, sizeof *ports);
    if (!ports)
        return err_nomem(err);
    plan->ports = ports;
    ports[plan->n_ports++] = port;
    return 0;
}
