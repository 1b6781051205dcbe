/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container can ask its name server: anything.  Whatever is taken for a
 * question is answered in every way there is, and each answer has to be one
 * that belongs to it.
 */
#include "net/dns_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct dns_record addresses[] = {{.address = {10, 64, 0, 2}, .size = 4},
                                           {.address = {10, 64, 0, 3}, .size = 4}};
    const struct dns_record name = {.name = "web"};
    struct dns_question question;
    uint8_t reply[512];
    uint32_t address;

    if (dns_question_decode(data, size, &question) < 0)
        return 0;
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
    return 0;
}
