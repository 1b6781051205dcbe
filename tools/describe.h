/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DESCRIBE_H
#define MAYFLY_DESCRIBE_H

#include "engine/base/buf.h"
#include "engine/live/containers.h"
#include "engine/live/kept_address.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * describe_row() - a container as 'ps' shows it: ID, Names, Image, Command, CreatedAt, RunningFor,
 * Status, State, Ports, Labels, Pid, ExitCode, Health
 * @full: ids and commands in full
 * @now_nsec: since the epoch
 *
 * Return: an object, to value_free(); NULL without memory.
 */
struct value *describe_row(const struct kept *kept, const struct life *life, bool full,
                           uint64_t now_nsec);

/** describe_whole() - all that is known of a container, in docker's and podman's form. */
struct value *describe_whole(const struct kept *kept, const struct life *life,
                             const struct kept_address *address);

/** describe_labels() - add SELinux's labels; @run_fd: the directory of its run; negative: none. */
void describe_labels(struct value *whole, int run_fd);

/**
 * describe_confinement() - a part of it: capabilities, options and id maps
 * @config: where podman has most of it, HostConfig
 * @pid: of a process of the container, whose maps are looked at; 0: none
 */
void describe_confinement(struct value *whole, struct value *config, const struct plan *plan,
                          int64_t pid);

/** describe_length() - append a length of time in words: "3 seconds", "About a minute". */
void describe_length(struct buf *buf, uint64_t nsec);

#endif
