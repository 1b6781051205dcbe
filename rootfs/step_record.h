/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STEP_RECORD_H
#define MAYFLY_STEP_RECORD_H

#include "engine/base/buf.h"
#include "engine/base/sha256.h"
#include "engine/base/str.h"

#include <stddef.h>
#include <stdint.h>

/** A record larger than this is none of ours. */
#define STEP_RECORD_BYTES_MAX (8u << 20)

/** Room for 128 random bits in hexadecimal digits, and for a boot's id, each with its NUL. */
#define STEP_ID_BYTES 33
#define STEP_BOOT_BYTES 40

/**
 * struct step_record - what is known of a remembered step
 * @id: of this result: a step that runs again gets another, and so do the keys of all after it
 * @boot: the kernel's boot id when the files were last known to be whole
 * @tree_hex: digest of the files, by which that is found out after a crash; "": it cannot be
 * @output_hex: digest of the file "output"; "": the step wrote nothing
 * @title: the step as the user wrote it
 * @image: the reference that the run named
 * @reason: why it ran
 * @facts: all that the key was made of, each LABEL TAB VALUE
 * @volumes: which volumes have a layer, numbers as texts
 * @number: its place among the run's actions, from 1
 * @created_nsec: since the epoch
 * @elapsed_nsec: how long it ran
 * @size_bytes: of its files on disk
 */
struct step_record {
    char id[STEP_ID_BYTES];
    char boot[STEP_BOOT_BYTES];
    char tree_hex[SHA256_HEX_BYTES];
    char output_hex[SHA256_HEX_BYTES];
    char *title;
    char *image;
    char *reason;
    struct strv facts;
    struct strv volumes;
    uint64_t number;
    uint64_t created_nsec;
    uint64_t elapsed_nsec;
    uint64_t size_bytes;
};

#define STEP_RECORD_INIT ((struct step_record){0})

void step_record_done(struct step_record *record);

#define _cleanup_step_record_ __attribute__((cleanup(step_record_done)))

/** step_record_encode() - write a record as the store keeps it. */
void step_record_encode(const struct step_record *record, struct buf *buf);

/**
 * step_record_decode() - read what step_record_encode() wrote
 *
 * Return: 0, -EBADMSG for anything else than a whole record, -ENOMEM.
 */
int step_record_decode(const char *data, size_t size, struct step_record *ret_record);

/** step_record_fact() - the value of a fact, borrowed; NULL when there is none of that label. */
const char *step_record_fact(const struct step_record *record, const char *label);

#endif
