/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CAPS_H
#define MAYFLY_CAPS_H

#include "base/err.h"

/**
 * caps_confine() - give up all capabilities but those of an ordinary container
 *
 * Afterwards neither this process nor any program it starts has, or can get, another than CHOWN,
 * DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID and
 * SYS_CHROOT, all of them over the container's user namespace alone.
 * Context: PID 1, after pivot.
 * Spec: capabilities(7).
 * Return: 0 or -errno with a text.
 */
int caps_confine(struct err *err);

#endif
