/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_NAME_H
#define MAYFLY_KEPT_NAME_H

/** KEPT_NAME_BYTES - room for a name that is made up. */
#define KEPT_NAME_BYTES 32

/**
 * kept_name_make() - make up a name that people can say
 * @id: hexadecimal digits, at least 8, which choose it
 * @attempt: 0, then up, as long as the name is taken; later ones get a number
 */
void kept_name_make(const char *id, unsigned attempt, char ret_name[KEPT_NAME_BYTES]);

#endif
