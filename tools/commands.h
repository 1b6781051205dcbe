/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COMMANDS_H
#define MAYFLY_COMMANDS_H

#include <stddef.h>

/**
 * struct command - what a first word that is no option calls
 * @run: @argv[0] is the command's name; returns the process's exit status
 */
struct command {
    const char *name;
    int (*run)(int argc, char **argv);
};

/** run_command() - the one-liner; @argv[0] is the program. */
int run_command(int argc, char **argv);

/** doctor_command() - "mayfly doctor". */
int doctor_command(int argc, char **argv);

/** version_command() - "mayfly version". */
int version_command(int argc, char **argv);

/** help_command() - "mayfly help". */
int help_command(int argc, char **argv);

#endif
