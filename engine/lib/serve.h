/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SERVE_H
#define MAYFLY_SERVE_H

#include "engine/base/err.h"

/** SERVE_MESSAGE_BYTES - a longer message is refused, and ends the conversation. */
#define SERVE_MESSAGE_BYTES (64U << 20)

/**
 * serve() - be at another program's service
 * @in_fd: its requests; their end means that it is gone
 * @out_fd: our answers
 *
 * Each message is JSON-RPC 2.0 behind its length, four bytes, the most significant first (Erlang's
 * {packet, 4}).  Requests are worked on at the same time, and answered as they end.
 *
 *   version  {}                                       -> {"version"}
 *   start    {"image", "options": {NAME: VALUE}}      -> {"container"}
 *   exec     {"container", "argv" or "shell", "input", "env": [], "workdir", "user",
 *             "timeout_ms", "stream"}                 -> {"end", "status", "signal", "output",
 *                                                         "errors"}
 *   call     {"image", "options", and as exec}        -> as exec, in a container of its own
 *   copy_in, copy_out  {"container", "source", "target"} -> true
 *   commit   {"container", "name"}                    -> {"id"}, of the image
 *   signal   {"container", "signal"}                  -> true
 *   freeze, thaw  {"container"}                      -> true
 *   ports    {"container"}                            -> [{"address", "host_port",
 *                                                         "container_port", "protocol"}]
 *   wait     {"container"}                            -> {"reason"}, when it has ended by itself
 *   list     {}                                       -> [NAME]
 *   destroy  {"container"}                            -> true
 *   pull     {"image"}                                -> {"id"}
 *   networks {}                                       -> [{"name", "subnet", "gateway",
 *                                                         "leads_out", "host_access", "built_in",
 *                                                         "members": [{"container", "address",
 *                                                         "mac"}]}]
 *   network_create  {"name", "subnet", "gateway", "leads_out", "host_access"} -> true
 *   network_remove  {"name"}                          -> true
 *
 * Options are those of the command line: true for one without a value, a list for several.  Bytes
 * that are no text have "_base64" behind their name: "input_base64", "output_base64".  With
 * "stream": true, output comes as notifications "output" {"id", "stream", "data"} while it is
 * written.  At the end everything that was started is ended and unwound.
 *
 * Spec: https://www.jsonrpc.org/specification
 * Context: host; starts threads.
 * Return: 0 at the end of the requests, or -errno with a text.
 */
int serve(int in_fd, int out_fd, struct err *err);

#endif
