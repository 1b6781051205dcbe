/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON that may be anything: each of these answers "not there" for a
 * value of another type and for no value at all, so that a reader goes down
 * into a document without a check at each step.
 */
#ifndef MAYFLY_MANIFEST_JSON_H
#define MAYFLY_MANIFEST_JSON_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "lazy_jansson.h"

#include <stddef.h>
#include <stdint.h>

/**
 * json_parse() - read a document
 * @type: what it has to be, JSON_OBJECT or JSON_ARRAY
 *
 * Return: 0, -EBADMSG with a text, or -ENOENT without jansson.
 */
int json_parse(const char *text, size_t size, json_type type, json_t **ret_root, struct err *err);

/** json_document_free() - for _cleanup_json_document_. */
void json_document_free(json_t **root);

#define _cleanup_json_document_ __attribute__((cleanup(json_document_free)))

/** json_member() - an object's value of that name and type, lent, or NULL; @object may be NULL. */
const json_t *json_member(const json_t *object, const char *name, json_type type);

/** json_any_member() - an object's value of that name, of any type, lent, or NULL. */
const json_t *json_any_member(const json_t *object, const char *name);

/** json_text() - an object's string of that name, lent, or NULL. */
const char *json_text(const json_t *object, const char *name);

/** json_number() - an object's whole number of that name.  Return: 0 or -ENOENT. */
int json_number(const json_t *object, const char *name, int64_t *ret_value);

/** json_length() - of an array; 0 for NULL. */
size_t json_length(const json_t *array);

/** json_item() - of an array, lent, or NULL. */
const json_t *json_item(const json_t *array, size_t i);

/** json_texts() - append an array's strings.  Return: 0, -EBADMSG for another type, -ENOMEM. */
int json_texts(const json_t *array, struct strv *strv, struct err *err);

/** json_keys() - append an object's keys. */
int json_keys(const json_t *object, struct strv *strv, struct err *err);

/** json_pairs() - append "KEY=VALUE" of an object's strings. */
int json_pairs(const json_t *object, struct strv *strv, struct err *err);

#endif
