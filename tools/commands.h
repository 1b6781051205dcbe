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

/** pull_command(), load_command(), import_command() - commands that bring images. */
int pull_command(int argc, char **argv);
int load_command(int argc, char **argv);
int import_command(int argc, char **argv);

/** save_command(), push_command() - commands that send images elsewhere. */
int save_command(int argc, char **argv);
int push_command(int argc, char **argv);

/** images_command() - "mayfly images". */
int images_command(int argc, char **argv);

/** image_exists_command() - "mayfly image exists". */
int image_exists_command(int argc, char **argv);

/** tag_command(), rmi_command(), prune_command() - commands that change what is there. */
int tag_command(int argc, char **argv);
int rmi_command(int argc, char **argv);
int prune_command(int argc, char **argv);
int image_prune_command(int argc, char **argv);
int steps_command(int argc, char **argv);

/** network_command() - "mayfly network"; port_command() - "mayfly port". */
int network_command(int argc, char **argv);
int port_command(int argc, char **argv);
/** life_command() - "mayfly run"; create_command(), start_command(): containers that live longer.
 */
int life_command(int argc, char **argv);
int create_command(int argc, char **argv);
int start_command(int argc, char **argv);

/** exec_command(), attach_command() - programs in containers that run. */
int exec_command(int argc, char **argv);
int attach_command(int argc, char **argv);

/** ps_command(), inspect_command(), logs_command() - containers, looked at. */
int ps_command(int argc, char **argv);
int inspect_command(int argc, char **argv);
int logs_command(int argc, char **argv);

/** container_inspect_command(), image_inspect_command() - the same of one kind alone. */
int container_inspect_command(int argc, char **argv);
int image_inspect_command(int argc, char **argv);

/** stats_command() - "mayfly stats"; info_command() - "mayfly info". */
int stats_command(int argc, char **argv);
int info_command(int argc, char **argv);

/** history_command() - "mayfly history"; restart_command() - "mayfly restart". */
int history_command(int argc, char **argv);
int restart_command(int argc, char **argv);

/** container_prune_command() - "mayfly container prune". */
int container_prune_command(int argc, char **argv);

/** stop_command() and its kin - how a container is, changed. */
int stop_command(int argc, char **argv);
int kill_command(int argc, char **argv);
int wait_command(int argc, char **argv);
int rm_command(int argc, char **argv);
int rename_command(int argc, char **argv);
int pause_command(int argc, char **argv);
int unpause_command(int argc, char **argv);

/** commit_command() - "mayfly commit"; top_command() - "mayfly top"; cp_command() - "mayfly cp". */
int commit_command(int argc, char **argv);
int top_command(int argc, char **argv);
int cp_command(int argc, char **argv);

/** serve_command() - "mayfly serve". */
int serve_command(int argc, char **argv);

/** version_command() - "mayfly version". */
int version_command(int argc, char **argv);

/** help_command() - "mayfly help". */
int help_command(int argc, char **argv);

#endif
