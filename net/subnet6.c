/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network's IPv6 addresses.  They are made of 64 bits of the network's and
 * 64 of the container's hardware address, so that nobody has to keep them: who
 * knows the one knows the other, the container's own kernel as well as the
 * rules that hold a port to them.
 */
#include "subnet6.h"

#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

const struct in6_addr subnet6_link_local = {.s6_addr = {0xfe, 0x80}};

int subnet6_parse(const char *text, struct in6_addr *ret_prefix, struct err *err) {
    static const uint8_t nothing[8];
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    struct in6_addr prefix;

    if (!slash || (size_t)(slash - text) >= sizeof address)
        return err_set(err, -EINVAL, "subnet %s: not of the form fd12:3456:789a::/64", text);
    *(char *)mempcpy(address, text, (size_t)(slash - text)) = '\0';
    if (inet_pton(AF_INET6, address, &prefix) != 1)
        return err_set(err, -EINVAL, "subnet %s: not of the form fd12:3456:789a::/64", text);
    if (!str_eq(slash, "/64"))
        return err_set(err, -EINVAL, "subnet %s: the prefix has to be 64, for SLAAC", text);
    if (memcmp(prefix.s6_addr + 8, nothing, sizeof nothing) != 0)
        return err_set(err, -EINVAL, "subnet %s: has bits set beyond its prefix", text);
    if (IN6_IS_ADDR_MULTICAST(&prefix) || IN6_IS_ADDR_LINKLOCAL(&prefix) ||
        memcmp(prefix.s6_addr, nothing, sizeof nothing) == 0)
        return err_set(err, -EINVAL, "subnet %s: not for hosts", text);
    *ret_prefix = prefix;
    return 0;
}

void subnet6_format(const struct in6_addr *prefix, char ret[SUBNET6_TEXT_BYTES]) {
    char text[INET6_ADDRSTRLEN];

    snprintf(ret, SUBNET6_TEXT_BYTES, "%s/%d", inet_ntop(AF_INET6, prefix, text, sizeof text),
             SUBNET6_PREFIX);
}

int subnet6_choose(struct in6_addr *ret_prefix, struct err *err) {
    *ret_prefix = in6addr_any;
    ret_prefix->s6_addr[0] = 0xfd;
    if (getrandom(ret_prefix->s6_addr + 1, 5, 0) != 5)
        return err_errno(err, "random bytes");
    return 0;
}

struct in6_addr subnet6_router(const struct in6_addr *prefix) {
    struct in6_addr address = *prefix;

    address.s6_addr[15] = 1;
    return address;
}

struct in6_addr subnet6_address(const struct in6_addr *prefix, const uint8_t mac[6]) {
    struct in6_addr address = *prefix;

    memcpy(address.s6_addr + 8, mac, 3);
    address.s6_addr[8] ^= 0x02;
    address.s6_addr[11] = 0xff;
    address.s6_addr[12] = 0xfe;
    memcpy(address.s6_addr + 13, mac + 3, 3);
    return address;
}
