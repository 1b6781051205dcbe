/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which network a bridge gets.  The first choice lies where few others look:
 * Docker begins at 172.17, Podman at 10.88, libvirt at 192.168.122, and home
 * routers live at the ends of 192.168 and 10.  What the host can already reach
 * by any route but the default one is not taken, so that no container hides a
 * machine that the person at the host could talk to before.
 */
#include "subnet.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHOSEN_PREFIX 20

static const struct subnet ranges[] = {
    {0x0a400000, 11}, /* 10.64.0.0 */
    {0xac100000, 12}, /* 172.16.0.0 */
    {0xc0a80000, 16}, /* 192.168.0.0 */
};

static const struct subnet loopback = {0x7f000000, 8};

bool subnet_overlaps(const struct subnet *a, const struct subnet *b) {
    uint32_t mask = subnet_mask(a) & subnet_mask(b);

    return (a->address & mask) == (b->address & mask);
}

int subnet_parse(const char *text, struct subnet *ret_subnet, struct err *err) {
    const char *slash = strchr(text, '/');
    char address_text[INET_ADDRSTRLEN];
    struct in_addr address;
    struct subnet subnet;
    uint64_t prefix;

    if (!slash || (size_t)(slash - text) >= sizeof address_text ||
        str_to_u64(slash + 1, 32, &prefix) < 0)
        return err_set(err, -EINVAL, "subnet %s: not of the form 10.1.2.0/24", text);
    memcpy(address_text, text, (size_t)(slash - text));
    address_text[slash - text] = '\0';
    if (inet_pton(AF_INET, address_text, &address) != 1)
        return err_set(err, -EINVAL, "subnet %s: not of the form 10.1.2.0/24", text);
    subnet = (struct subnet){ntohl(address.s_addr), (uint8_t)prefix};
    if (prefix < 8 || prefix > 29)
        return err_set(err, -EINVAL, "subnet %s: the prefix has to be from 8 to 29", text);
    if (subnet.address & ~subnet_mask(&subnet))
        return err_set(err, -EINVAL, "subnet %s: has bits set beyond its prefix", text);
    if (subnet_overlaps(&subnet, &loopback) || subnet.address >> 28 >= 0xe ||
        subnet.address >> 24 == 0)
        return err_set(err, -EINVAL, "subnet %s: not for hosts", text);
    *ret_subnet = subnet;
    return 0;
}

void subnet_format(const struct subnet *subnet, char ret[SUBNET_TEXT_BYTES]) {
    struct in_addr address = {htonl(subnet->address)};
    char text[INET_ADDRSTRLEN];

    snprintf(ret, SUBNET_TEXT_BYTES, "%s/%u", inet_ntop(AF_INET, &address, text, sizeof text),
             subnet->prefix);
}

static bool is_free(const struct subnet *subnet, const struct subnet *taken, size_t n_taken) {
    for (size_t i = 0; i < n_taken; i++)
        if (taken[i].prefix > 0 && subnet_overlaps(subnet, &taken[i]))
            return false;
    return true;
}

int subnet_choose(const struct subnet *taken, size_t n_taken, struct subnet *ret_subnet,
                  struct err *err) {
    for (size_t i = 0; i < N_ELEMENTS(ranges); i++) {
        uint32_t n = UINT32_C(1) << (CHOSEN_PREFIX - ranges[i].prefix);

        for (uint32_t k = 0; k < n; k++) {
            struct subnet subnet = {ranges[i].address + (k << (32 - CHOSEN_PREFIX)), CHOSEN_PREFIX};

            if (is_free(&subnet, taken, n_taken)) {
                *ret_subnet = subnet;
                return 0;
            }
        }
    }
    return err_set(err, -EADDRNOTAVAIL,
                   "no subnet is free: the host's routes cover all private ranges; name one with "
                   "network create --subnet");
}
