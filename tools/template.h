/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEMPLATE_H
#define MAYFLY_TEMPLATE_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "value.h"

/**
 * template_format() - append a value as a template has it
 * @template: text with {{.Field}}, {{json .}}, {{range .List}}...{{end}}, {{range $k, $v := .Map}},
 *            {{if .Field}}...{{else}}...{{end}}, {{index .Map "key"}}, {{join .List ","}}, {{len}},
 *            {{upper}}, {{lower}}, {{println}}, pipes, quoted texts, {{- and -}}; "\t" and "\n"
 * stand for themselves outside of braces as docker has it
 *
 * What scripts use of Go's text/template; anything else is an error that names it.  Pure.
 * Return: 0 or -EINVAL with a text.
 */
int template_format(const char *template, const struct value *value, struct buf *buf,
                    struct err *err);

#endif
