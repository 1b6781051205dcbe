/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of a lease, in both directions.  A client gets them from a server
 * that it has no reason to trust: they end up as addresses, routes and the
 * text of /etc/resolv.conf, so names are held to the characters of host names
 * and numbers to what the kernel takes.  A malformed optional value is left
 * out rather than refused, since a client without a search list is better off
 * than one without an address.
 */
#include "dhcp_parameters.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define MIN_MTU 68

uint32_t dhcp_mask_of_prefix(unsigned prefix) {
    return prefix == 0 ? 0 : htonl(UINT32_MAX << (32 - prefix));
}

int dhcp_prefix_of_mask(uint32_t mask_be) {
    for (unsigned prefix = 0; prefix <= 32; prefix++)
        if (dhcp_mask_of_prefix(prefix) == mask_be)
            return (int)prefix;
    return -EINVAL;
}

static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool dhcp_name_is_valid(const char *name) {
    size_t label = 0;
    size_t i;

    for (i = 0; name[i]; i++) {
        if (name[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_name_character(name[i]) || ++label > 63 || (label == 1 && name[i] == '-')) {
            return false;
        }
    }
    return i > 0 && i < 254 && label > 0;
}

/** search_name() - one name from *@position on; its text, NUL-terminated, at @ret. */
static int search_name(const uint8_t *data, size_t size, size_t *position, char *ret, size_t max) {
    size_t at = *position;
    size_t used = 0;
    bool jumped = false;

    for (;;) {
        uint8_t length;

        if (at >= size)
            return -EBADMSG;
        length = data[at++];
        if (length >= 0xc0) {
            size_t target;

            /* A pointer goes backwards only, so that no chain of them has a loop. */
            if (at >= size)
                return -EBADMSG;
            target = (size_t)(length & 0x3f) << 8 | data[at++];
            if (!jumped)
                *position = at;
            jumped = true;
            if (target >= at - 2)
                return -EBADMSG;
            size = at - 2;
            at = target;
            continue;
        }
        if (length > 63 || length > size - at)
            return -EBADMSG;
        if (length == 0)
            break;
        if (used + length + 2 > max)
            return -EBADMSG;
        if (used > 0)
            ret[used++] = '.';
        memcpy(ret + used, data + at, length);
        used += length;
        at += length;
    }
    ret[used] = '\0';
    if (!jumped)
        *position = at;
    return memchr(ret, '\0', used) == NULL && dhcp_name_is_valid(ret) ? 0 : -EBADMSG;
}

int dhcp_search_decode(const uint8_t *data, size_t size, char *ret, size_t max) {
    size_t position = 0;
    size_t used = 0;

    *ret = '\0';
    while (position < size) {
        char name[DHCP_MAX_NAME];
        size_t length;

        if (search_name(data, size, &position, name, sizeof name) < 0)
            return -EBADMSG;
        length = strlen(name);
        if (used + length + 2 > max)
            return -EBADMSG;
        if (used > 0)
            ret[used++] = ' ';
        memcpy(ret + used, name, length + 1);
        used += length;
    }
    return 0;
}

ssize_t dhcp_search_encode(const char *names, uint8_t *ret, size_t max) {
    size_t used = 0;

    while (*names) {
        size_t length = strcspn(names, " ");
        char name[DHCP_MAX_NAME];

        if (length >= sizeof name || used + length + 2 > max)
            return length >= sizeof name ? -EINVAL : -EMSGSIZE;
        memcpy(name, names, length);
        name[length] = '\0';
        if (!dhcp_name_is_valid(name))
            return -EINVAL;
        for (char *label = name; label;) {
            char *dot = strchr(label, '.');
            size_t n = dot ? (size_t)(dot - label) : strlen(label);

            ret[used++] = (uint8_t)n;
            memcpy(ret + used, label, n);
            used += n;
            label = dot ? dot + 1 : NULL;
        }
        ret[used++] = 0;
        names += length;
        names += strspn(names, " ");
    }
    return (ssize_t)used;
}

int dhcp_routes_decode(const uint8_t *data, size_t size, struct dhcp_route *ret, size_t max,
                       size_t *ret_n) {
    size_t n = 0;

    *ret_n = 0;
    for (size_t at = 0; at < size;) {
        struct dhcp_route route = {.prefix = data[at]};
        size_t significant = (data[at] + 7u) / 8;

        if (route.prefix > 32 || size - at < 1 + significant + 4)
            return -EBADMSG;
        memcpy(&route.network_be, data + at + 1, significant);
        route.network_be &= dhcp_mask_of_prefix(route.prefix);
        memcpy(&route.gateway_be, data + at + 1 + significant, 4);
        at += 1 + significant + 4;
        if (n < max)
            ret[n++] = route;
    }
    *ret_n = n;
    return 0;
}

ssize_t dhcp_routes_encode(const struct dhcp_route *routes, size_t n, uint8_t *ret, size_t max) {
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        size_t significant = (routes[i].prefix + 7u) / 8;

        if (max - used < 1 + significant + 4)
            return -EMSGSIZE;
        ret[used++] = routes[i].prefix;
        memcpy(ret + used, &routes[i].network_be, significant);
        used += significant;
        memcpy(ret + used, &routes[i].gateway_be, 4);
        used += 4;
    }
    return (ssize_t)used;
}

static bool is_host_address(uint32_t address_be) {
    uint32_t address = ntohl(address_be);

    return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 0xe;
}

static void read_mask(struct dhcp_parameters *ret, const struct dhcp_message *message) {
    uint32_t first = ntohl(ret->address_be) >> 24;
    uint32_t mask;
    int prefix;

    /* Without a mask the address's class decides (RFC 2132 knows no other default). */
    ret->prefix = first < 128 ? 8 : first < 192 ? 16 : 24;
    if (dhcp_message_get_u32(message, DHCP_OPT_SUBNET_MASK, &mask)) {
        prefix = dhcp_prefix_of_mask(htonl(mask));
        if (prefix > 0)
            ret->prefix = (uint8_t)prefix;
    }
}

static void read_times(struct dhcp_parameters *ret, const struct dhcp_message *message) {
    bool has_t1 = dhcp_message_get_u32(message, DHCP_OPT_T1, &ret->t1_sec);
    bool has_t2 = dhcp_message_get_u32(message, DHCP_OPT_T2, &ret->t2_sec);

    if (ret->lease_sec == DHCP_FOREVER) {
        ret->t1_sec = ret->t2_sec = DHCP_FOREVER;
        return;
    }
    if (!has_t2 || ret->t2_sec >= ret->lease_sec)
        ret->t2_sec = (uint32_t)((uint64_t)ret->lease_sec * 7 / 8);
    if (!has_t1 || ret->t1_sec >= ret->t2_sec)
        ret->t1_sec = ret->lease_sec / 2 < ret->t2_sec ? ret->lease_sec / 2 : ret->t2_sec;
}

int dhcp_parameters_read(struct dhcp_parameters *ret, const struct dhcp_message *message) {
    const uint8_t *value;
    size_t size;

    memset(ret, 0, sizeof *ret);
    ret->address_be = message->yiaddr_be;
    if (!is_host_address(ret->address_be) ||
        dhcp_message_get_addresses(message, DHCP_OPT_SERVER_ID, &ret->server_be, 1) != 1 ||
        !is_host_address(ret->server_be) ||
        !dhcp_message_get_u32(message, DHCP_OPT_LEASE_TIME, &ret->lease_sec) || ret->lease_sec == 0)
        return -EBADMSG;
    read_mask(ret, message);
    read_times(ret, message);
    ret->n_routers = dhcp_message_get_addresses(message, DHCP_OPT_ROUTER, ret->routers_be,
                                                N_ELEMENTS(ret->routers_be));
    ret->n_dns =
        dhcp_message_get_addresses(message, DHCP_OPT_DNS, ret->dns_be, N_ELEMENTS(ret->dns_be));
    ret->n_ntp =
        dhcp_message_get_addresses(message, DHCP_OPT_NTP, ret->ntp_be, N_ELEMENTS(ret->ntp_be));
    if (dhcp_message_get_u16(message, DHCP_OPT_MTU, &ret->mtu) && ret->mtu < MIN_MTU)
        ret->mtu = 0;
    if (!dhcp_message_get_text(message, DHCP_OPT_HOSTNAME, ret->hostname, sizeof ret->hostname) ||
        !dhcp_name_is_valid(ret->hostname))
        ret->hostname[0] = '\0';
    if (!dhcp_message_get_text(message, DHCP_OPT_DOMAIN, ret->domain, sizeof ret->domain) ||
        !dhcp_name_is_valid(ret->domain))
        ret->domain[0] = '\0';
    value = dhcp_message_get(message, DHCP_OPT_SEARCH, &size);
    if (value && dhcp_search_decode(value, size, ret->search, sizeof ret->search) < 0)
        ret->search[0] = '\0';
    value = dhcp_message_get(message, DHCP_OPT_ROUTES, &size);
    if (value && size > 0 &&
        dhcp_routes_decode(value, size, ret->routes, N_ELEMENTS(ret->routes), &ret->n_routes) == 0)
        ret->n_routers = 0;
    return 0;
}

static bool is_wanted(const struct dhcp_message *request, uint8_t code) {
    size_t size;
    const uint8_t *list = dhcp_message_get(request, DHCP_OPT_PARAMETERS, &size);

    return !list || memchr(list, code, size) != NULL;
}

static int write_addresses(struct dhcp_message *reply, const struct dhcp_message *request,
                           uint8_t code, const uint32_t *addresses_be, size_t n) {
    if (n == 0 || !is_wanted(request, code))
        return 0;
    return dhcp_message_put(reply, code, addresses_be, n * 4);
}

static int write_text(struct dhcp_message *reply, const struct dhcp_message *request, uint8_t code,
                      const char *text) {
    if (!*text || !is_wanted(request, code))
        return 0;
    return dhcp_message_put_text(reply, code, text);
}

static int write_names(const struct dhcp_parameters *parameters, const struct dhcp_message *request,
                       struct dhcp_message *reply) {
    uint8_t search[DHCP_MAX_SEARCH + 2];
    ssize_t size;
    int r;

    r = write_text(reply, request, DHCP_OPT_HOSTNAME, parameters->hostname);
    if (r == 0)
        r = write_text(reply, request, DHCP_OPT_DOMAIN, parameters->domain);
    if (r < 0 || !parameters->search[0] || !is_wanted(request, DHCP_OPT_SEARCH))
        return r;
    size = dhcp_search_encode(parameters->search, search, sizeof search);
    return size < 0 ? (int)size : dhcp_message_put(reply, DHCP_OPT_SEARCH, search, (size_t)size);
}

static int write_routes(const struct dhcp_parameters *parameters,
                        const struct dhcp_message *request, struct dhcp_message *reply) {
    uint8_t routes[DHCP_MAX_ROUTES * 9];
    ssize_t size;
    int r;

    r = write_addresses(reply, request, DHCP_OPT_ROUTER, parameters->routers_be,
                        parameters->n_routers);
    if (r < 0 || parameters->n_routes == 0 || !is_wanted(request, DHCP_OPT_ROUTES))
        return r;
    size = dhcp_routes_encode(parameters->routes, parameters->n_routes, routes, sizeof routes);
    return size < 0 ? (int)size : dhcp_message_put(reply, DHCP_OPT_ROUTES, routes, (size_t)size);
}

static int write_lease(const struct dhcp_parameters *parameters, struct dhcp_message *reply) {
    int r = dhcp_message_put_u32(reply, DHCP_OPT_LEASE_TIME, parameters->lease_sec);

    if (r < 0 || parameters->lease_sec == DHCP_FOREVER)
        return r;
    r = dhcp_message_put_u32(reply, DHCP_OPT_T1, parameters->t1_sec);
    return r < 0 ? r : dhcp_message_put_u32(reply, DHCP_OPT_T2, parameters->t2_sec);
}

int dhcp_parameters_write(const struct dhcp_parameters *parameters,
                          const struct dhcp_message *request, bool with_lease,
                          struct dhcp_message *reply) {
    uint32_t mask_be = dhcp_mask_of_prefix(parameters->prefix);
    uint32_t broadcast_be = parameters->address_be | ~mask_be;
    int r;

    r = dhcp_message_put(reply, DHCP_OPT_SERVER_ID, &parameters->server_be, 4);
    if (r == 0 && with_lease)
        r = write_lease(parameters, reply);
    if (r == 0)
        r = dhcp_message_put(reply, DHCP_OPT_SUBNET_MASK, &mask_be, 4);
    if (r == 0)
        r = write_addresses(reply, request, DHCP_OPT_BROADCAST, &broadcast_be, 1);
    if (r == 0)
        r = write_addresses(reply, request, DHCP_OPT_DNS, parameters->dns_be, parameters->n_dns);
    if (r == 0)
        r = write_addresses(reply, request, DHCP_OPT_NTP, parameters->ntp_be, parameters->n_ntp);
    if (r == 0 && parameters->mtu > 0 && is_wanted(request, DHCP_OPT_MTU))
        r = dhcp_message_put_u16(reply, DHCP_OPT_MTU, parameters->mtu);
    if (r == 0)
        r = write_routes(parameters, request, reply);
    return r < 0 ? r : write_names(parameters, request, reply);
}
