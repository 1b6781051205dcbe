/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_SCOPE_H
#define MAYFLY_CGROUP_SCOPE_H

#include "engine/base/err.h"

/**
 * cgroup_scope_enter() - have systemd move this process into a scope of its own, delegated to it
 *
 * The system's manager is asked for root, the user's for others.  The scope goes when the last
 * process in it has ended.
 * Context: host.  Opens libsystemd.so.0.
 * Spec: systemd's CGROUP_DELEGATION; org.freedesktop.systemd1(5), StartTransientUnit.
 * Return: 0, -ENOENT without systemd, its bus or the library, or -errno; with a text.
 */
int cgroup_scope_enter(struct err *err);

#endif
