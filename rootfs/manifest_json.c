/* SPDX-License-Identifier: Apache-2.0 */
/* jansson behind the few questions that manifests are asked. */
#include "manifest_json.h"

#include <errno.h>

int json_parse(const char *text, size_t size, json_type type, json_t **ret_root, struct err *err) {
    const struct lazy_jansson *ja = lazy_jansson(err);
    json_error_t error;
    json_t *root;

    if (!ja)
        return -ENOENT;
    root = ja->json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return err_set(err, -EBADMSG, "not valid JSON: %s (line %d)", error.text, error.line);
    if (json_typeof(root) != type) {
        json_document_free(&root);
        return err_set(err, -EBADMSG, "the JSON is no %s", type == JSON_ARRAY ? "array" : "object");
    }
    *ret_root = root;
    return 0;
}

void json_document_free(json_t **root) {
    /* One reference is all that there is. */
    if (*root)
        lazy_jansson(NULL)->json_delete(*root);
    *root = NULL;
}

const json_t *json_any_member(const json_t *object, const char *name) {
    if (!object || json_typeof(object) != JSON_OBJECT)
        return NULL;
    return lazy_jansson(NULL)->json_object_get(object, name);
}

const json_t *json_member(const json_t *object, const char *name, json_type type) {
    const json_t *value = json_any_member(object, name);

    return value && json_typeof(value) == type ? value : NULL;
}

const char *json_text(const json_t *object, const char *name) {
    const json_t *value = json_member(object, name, JSON_STRING);

    return value ? lazy_jansson(NULL)->json_string_value(value) : NULL;
}

int json_number(const json_t *object, const char *name, int64_t *ret_value) {
    const json_t *value = json_member(object, name, JSON_INTEGER);

    if (!value)
        return -ENOENT;
    *ret_value = lazy_jansson(NULL)->json_integer_value(value);
    return 0;
}

size_t json_length(const json_t *array) {
    return array ? lazy_jansson(NULL)->json_array_size(array) : 0;
}

const json_t *json_item(const json_t *array, size_t i) {
    return lazy_jansson(NULL)->json_array_get(array, i);
}

int json_texts(const json_t *array, struct strv *strv, struct err *err) {
    for (size_t i = 0; i < json_length(array); i++) {
        const json_t *item = json_item(array, i);

        if (!item || json_typeof(item) != JSON_STRING)
            return err_set(err, -EBADMSG, "a list holds something that is no text");
        if (strv_push(strv, lazy_jansson(NULL)->json_string_value(item)) < 0)
            return err_nomem(err);
    }
    return 0;
}

static int each_member(const json_t *object, struct strv *strv, int with_values, struct err *err) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    void *iter = object ? ja->json_object_iter((json_t *)object) : NULL;

    for (; iter; iter = ja->json_object_iter_next((json_t *)object, iter)) {
        const char *key = ja->json_object_iter_key(iter);
        const json_t *value = ja->json_object_iter_value(iter);
        int r;

        if (!with_values)
            r = strv_push(strv, key);
        else if (json_typeof(value) != JSON_STRING)
            return err_set(err, -EBADMSG, "'%.100s' is no text", key);
        else
            r = strv_push_take(strv, str_printf("%s=%s", key, ja->json_string_value(value)));
        if (r < 0)
            return err_nomem(err);
    }
    return 0;
}

int json_keys(const json_t *object, struct strv *strv, struct err *err) {
    return each_member(object, strv, 0, err);
}

int json_pairs(const json_t *object, struct strv *strv, struct err *err) {
    return each_member(object, strv, 1, err);
}
