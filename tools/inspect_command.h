/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_INSPECT_COMMAND_H
#define MAYFLY_INSPECT_COMMAND_H

/**
 * inspect_type_command() - "mayfly inspect" under another name
 * @name: as its help calls it: "network inspect"
 * @type: "container", "image" or "network"; NULL: whichever has the name
 *
 * Return: the exit status.
 */
int inspect_type_command(const char *name, const char *type, int argc, char **argv);

#endif
