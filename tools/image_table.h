/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_TABLE_H
#define MAYFLY_IMAGE_TABLE_H

#include "engine/base/buf.h"
#include "engine/manage/images.h"

#include <stdbool.h>
#include <stdint.h>

/** image_table_name() - the name as people write it: without docker.io/ and library/; borrowed. */
const char *image_table_name(const char *name);

/**
 * image_table_tag() - where the tag of a name in full begins
 *
 * Return: its colon, or NULL when it has none, as with a digest.
 */
const char *image_table_tag(const char *name);

/**
 * image_table_matches() - whether an image's name is meant
 * @pattern: NAME or NAME:TAG, in which *, ? and [...] stand for parts without a slash
 *
 * Without a tag it means all of them.  Names in full and as people write them both match.
 */
bool image_table_matches(const char *name, const char *pattern);

/** image_table_id() - append an id: 12 characters, or with @full all, "sha256:" before it if it is
 * one. */
void image_table_id(struct buf *buf, const char *id, bool full);

/** image_table_size() - append a number of bytes in three digits: "999B", "4.26MB", "1.2GB". */
void image_table_size(struct buf *buf, uint64_t bytes);

/**
 * image_table_parse_time() - seconds since the epoch
 * Spec: RFC 3339, section 5.6; fractions are cut off.
 * Return: 0 or -EINVAL.
 */
int image_table_parse_time(const char *text, int64_t *ret_seconds);

/** image_table_age() - append a length of time: "About a minute", "3 hours", "2 weeks". */
void image_table_age(struct buf *buf, int64_t seconds);

/**
 * struct image_table_look - how a list is to look
 * @now: seconds since the epoch
 * @full: ids in full
 * @only_ids: ids alone, each once
 * @digests: with what the names led to in their registries
 * @no_heading: without titles
 */
struct image_table_look {
    int64_t now;
    bool full;
    bool only_ids;
    bool digests;
    bool no_heading;
};

/** image_table_format() - append the list as people read it. */
void image_table_format(struct buf *buf, const struct image_entries *entries,
                        const struct image_table_look *look);

/**
 * image_table_template() - append a line for each, as a template has it (rows_format())
 *
 * Fields: ID, Repository, Tag, Digest, CreatedSince, CreatedAt, Size; Names, Created, Labels.
 * Return: 0 or -EINVAL with a text.
 */
int image_table_template(struct buf *buf, const struct image_entries *entries,
                         const struct image_table_look *look, const char *format, struct err *err);

/** image_table_json() - append the list as an array with an object for each image. */
void image_table_json(struct buf *buf, const struct image_entries *entries);

#endif
