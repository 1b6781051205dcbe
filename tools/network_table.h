/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_TABLE_H
#define MAYFLY_NETWORK_TABLE_H

#include "engine/base/buf.h"
#include "engine/base/sha256.h"
#include "engine/manage/networks.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct network_row - a network as the lists show it
 * @driver: bridge, host or null
 * @entry: who is on it, and its addresses; NULL: it has none
 */
struct network_row {
    const char *name;
    const char *driver;
    const struct network_entry *entry;
};

/** struct network_rows - the networks, those of mayfly's own first; names and entries are borrowed
 */
struct network_rows {
    struct network_row *items;
    size_t n;
};

/** network_rows_make() - @entries: of networks_list().  Return: 0 or -ENOMEM; @ret to free(3). */
int network_rows_make(const struct network_entries *entries, struct network_rows *ret_rows);

/** network_rows_find() - by its name or the beginning of its id; NULL when there is none. */
const struct network_row *network_rows_find(const struct network_rows *rows, const char *word);

/** network_row_id() - the id: always the same for the same network. */
void network_row_id(const struct network_row *row, char ret_id[SHA256_HEX_BYTES]);

/**
 * network_table_format() - append the list as people read it
 * @full: ids in full
 * @only_ids: ids alone
 */
void network_table_format(struct buf *buf, const struct network_rows *rows, bool full,
                          bool only_ids);

/** network_table_json() - append the list as an array with an object for each network. */
void network_table_json(struct buf *buf, const struct network_rows *rows);

/** network_table_value() - all that is known of a network, in docker's form; NULL without memory.
 */
struct value *network_table_value(const struct network_row *row);

/**
 * network_table_ports() - append the published ports of a container
 * @container: its name
 * @wanted: "80" or "80/udp": this one alone, without the left column; NULL: all
 * @ret_is_known: whether there is a running container of that name
 *
 * Return: how many there are.
 */
size_t network_table_ports(struct buf *buf, const struct network_entries *entries,
                           const char *container, const char *wanted, bool *ret_is_known);

#endif
