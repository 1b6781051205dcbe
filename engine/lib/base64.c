/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t size, struct buf *buf) {
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                        (n > 2 ? (uint32_t)p[i + 2] : 0);
        const char four[4] = {
            alphabet[bits >> 18],
            alphabet[bits >> 12 & 63],
            n > 1 ? alphabet[bits >> 6 & 63] : '=',
            n > 2 ? alphabet[bits & 63] : '=',
        };

        buf_append(buf, four, sizeof four);
    }
}

int base64_decode(const char *text, struct buf *buf) {
    size_t size = strlen(text), n_padding = 0;

    if (size % 4 != 0)
        return -EINVAL;
    while (n_padding < 2 && n_padding < size && text[size - 1 - n_padding] == '=')
        n_padding++;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t bits = 0;
        size_t n = i + 4 == size ? 3 - n_padding : 3;

        for (size_t j = 0; j < 4; j++) {
            const char *at = i + j < size - n_padding ? strchr(alphabet, text[i + j]) : alphabet;

            if (!at || (i + j < size - n_padding && !text[i + j]))
                return -EINVAL;
            bits = bits << 6 | (uint32_t)(at - alphabet);
        }
        buf_append(
            buf, (const uint8_t[]){(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits}, n);
    }
    return 0;
}
