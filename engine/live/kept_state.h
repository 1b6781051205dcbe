/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_STATE_H
#define MAYFLY_KEPT_STATE_H

#include "containers.h"
#include "engine/base/buf.h"

/** kept_state_format() - append a state as lines of a key and a value. */
void kept_state_format(const struct kept_state *state, struct buf *buf);

/** kept_state_parse() - read such lines; keys that are not known are passed over.  Pure. */
void kept_state_parse(const char *text, struct kept_state *ret_state);

#endif
