/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_HTTP_BLOB_H
#define MAYFLY_HTTP_BLOB_H

#include "blob.h"
#include "engine/base/err.h"
#include "http.h"

/**
 * http_blob_open() - a blob that is downloaded while it is read
 * @request: copied; its @offset and @if_range are not used
 *
 * Return: 0 or -errno with a text; -ENOENT for the status 404, -EACCES for 401 and 403.
 */
int http_blob_open(struct blob *ret_blob, const struct http_request *request, struct err *err);

/** http_check_status() - 0 for a status of 200 or 206, else -errno with a text, as above. */
int http_check_status(int status, struct err *err);

#endif
