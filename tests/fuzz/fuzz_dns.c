/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container can ask its name server: anything.  Whatever is taken for a
 * question is answered in every way there is, and each answer has to be one
 * that belongs to it.  By TCP it can ask in pieces of any size.
 */
#include "net/dns_frame.h"
#include "net/dns_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const uint8_t *data, size_t size) {
    const struct dns_record addresses[] = {{.address = {10, 64, 0, 2}, .size = 4},
                                           {.address = {10, 64, 0, 3}, .size = 4}};
    const struct dns_record name = {.name = "web"};
    struct dns_question question;
    uint8_t reply[512];
    uint32_t address;

    if (dns_question_decode(data, size, &question) < 0)
        return;
    if (strlen(question.name) >= DNS_MAX_NAME || question.end > size)
        abort();
    (void)dns_reverse_address(question.name, &address);
    for (size_t max = 0; max <= sizeof reply; max += 64)
        for (int i = 0; i < 3; i++) {
            ssize_t n = dns_reply_encode(data, &question, i == 2 ? DNS_REFUSED : DNS_NO_ERROR,
                                         i == 1 ? &name : addresses,
                                         i == 2   ? 0
                                         : i == 1 ? 1
                                                  : 2,
                                         reply, max);

            if (n >= 0 && ((size_t)n > max ||
                           !dns_is_answer(reply, (size_t)n, question.id, data, question.end)))
                abort();
        }
}

/** ask_by_tcp() - the same bytes as a connection, which come in pieces of at most @piece. */
static void ask_by_tcp(const uint8_t *data, size_t size, size_t piece) {
    uint8_t message[DNS_FRAME_HEADER + DNS_MAX_BYTES];
    size_t used = 0;

    while (size > 0) {
        ssize_t wants = dns_frame_wants(message, used, DNS_MAX_BYTES);
        size_t n = (size_t)wants < size ? (size_t)wants : size;

        if (wants < 0)
            return;
        if (wants == 0) {
            ask(message + DNS_FRAME_HEADER, used - DNS_FRAME_HEADER);
            used = 0;
            continue;
        }
        n = n < piece ? n : piece;
        if (n > sizeof message - used)
            abort();
        memcpy(message + used, data, n);
        used += n;
        data += n;
        size -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ask(data, size);
    ask_by_tcp(data, size, SIZE_MAX);
    if (size > 0)
        ask_by_tcp(data + 1, size - 1, 1 + data[0] % 16);
    return 0;
}
