/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: standard streams that exist, and the word that says what to do.
 * A first word that is no option names a command; everything else is the
 * one-liner.
 */
#include "commands.h"
#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "help.h"
#include "options.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static const struct command commands[] = {
    {"run", life_command},        {"create", create_command},   {"start", start_command},
    {"exec", exec_command},       {"attach", attach_command},   {"stop", stop_command},
    {"kill", kill_command},       {"wait", wait_command},       {"rm", rm_command},
    {"ps", ps_command},           {"inspect", inspect_command}, {"logs", logs_command},
    {"cp", cp_command},           {"pause", pause_command},     {"unpause", unpause_command},
    {"commit", commit_command},   {"top", top_command},         {"rename", rename_command},
    {"pull", pull_command},       {"load", load_command},       {"import", import_command},
    {"save", save_command},       {"push", push_command},       {"images", images_command},
    {"tag", tag_command},         {"rmi", rmi_command},         {"prune", prune_command},
    {"doctor", doctor_command},   {"version", version_command}, {"help", help_command},
    {"network", network_command}, {"port", port_command},       {"serve", serve_command},
    {"steps", steps_command},     {"stats", stats_command},     {"info", info_command},
    {"history", history_command}, {"restart", restart_command},
};

/* As docker and podman have it: "container stop" is "stop". */
static const struct command container_commands[] = {
    {"ls", ps_command},
    {"list", ps_command},
    {"inspect", container_inspect_command},
    {"prune", container_prune_command},
};

/* As docker and podman have it: "image ls" is "images", "image pull" is "pull". */
static const struct command image_commands[] = {
    {"ls", images_command},
    {"list", images_command},
    {"rm", rmi_command},
    {"remove", rmi_command},
    {"prune", image_prune_command},
    {"pull", pull_command},
    {"push", push_command},
    {"load", load_command},
    {"save", save_command},
    {"import", import_command},
    {"tag", tag_command},
    {"history", history_command},
    {"exists", image_exists_command},
    {"inspect", image_inspect_command},
};

/* As docker and podman have it: "system info" is "info". */
static const struct command system_commands[] = {
    {"info", info_command},
    {"prune", prune_command},
};

/*
 * Whoever started us may have left out some of the descriptors 0 to 2.  The
 * next file opened would take their place and be written into as if it were
 * standard error, so they are filled first.  open(2) takes the lowest number
 * free, and the numbers below are taken when a number's turn comes.
 */
static int fill_standard_streams(void) {
    struct pollfd fds[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

    if (poll(fds, N_ELEMENTS(fds), 0) <= 0)
        return 0;
    for (size_t i = 0; i < N_ELEMENTS(fds); i++)
        if (fds[i].revents & POLLNVAL && open("/dev/null", O_RDWR | O_NOCTTY) != (int)i)
            return -1;
    return 0;
}

static const char *command_name(const void *list, size_t i) {
    (void)list;
    return i < N_ELEMENTS(commands) ? commands[i].name : NULL;
}

/* Returns the exit status. */
static int unknown_command(const char *word) {
    const char *near = options_nearest(word, command_name, NULL);
    struct console console;
    struct err err;

    if (near)
        err_set(&err, 0, "'%s' is no command; did you mean '%s'?", word, near);
    else
        err_set(&err, 0, "'%s' is no command; a container is run with mayfly -i IMAGE -S CMD",
                word);
    console_init(&console, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    console_error(&console, err.message);
    return EXIT_USAGE;
}

/* For tools/dev/pages, which makes the manual page and shells' completions. */
static int list_commands(void) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct console console;

    for (size_t i = 0; i < N_ELEMENTS(commands); i++)
        buf_printf(&text, "%s\n", commands[i].name);
    console_init(&console, STDOUT_FILENO, COLOR_NEVER, VERBOSITY_NORMAL);
    return console_print(&console, &text);
}

static const struct command *find_command(const struct command *list, size_t n, const char *word) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(word, list[i].name))
            return &list[i];
    return NULL;
}

/* "mayfly image WORD ...", with the words of a list; returns the exit status. */
static int group_command(const struct command *list, size_t n, int argc, char **argv) {
    const struct command *command = argc > 1 ? find_command(list, n, argv[1]) : NULL;
    _cleanup_buf_ struct buf words = BUF_INIT;
    struct console console;
    struct err err;

    if (command)
        return command->run(argc - 1, argv + 1);
    for (size_t i = 0; i < n; i++)
        buf_printf(&words, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", list[i].name);
    err_set(&err, 0, "'%s%s%s' is no command; use %s", argv[0], argc > 1 ? " " : "",
            argc > 1 ? argv[1] : "", words.data ? words.data : "");
    console_init(&console, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    console_error(&console, err.message);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    const struct command *command = NULL;
    struct console console;

    if (fill_standard_streams() < 0)
        return EXIT_ENGINE;
    if (argc < 2) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        help_usage(&text);
        console_init(&console, STDERR_FILENO, COLOR_NEVER, VERBOSITY_NORMAL);
        (void)console_write(&console, &text);
        return EXIT_USAGE;
    }
    if (str_eq(argv[1], "--commands"))
        return list_commands();
    if (argv[1][0] == '-')
        return run_command(argc, argv);
    if (str_eq(argv[1], "image"))
        return group_command(image_commands, N_ELEMENTS(image_commands), argc - 1, argv + 1);
    if (str_eq(argv[1], "system"))
        return group_command(system_commands, N_ELEMENTS(system_commands), argc - 1, argv + 1);
    if (str_eq(argv[1], "container") && argc > 2 && argv[2][0] != '-') {
        argv++;
        argc--;
        command = find_command(container_commands, N_ELEMENTS(container_commands), argv[1]);
    }
    if (!command)
        command = find_command(commands, N_ELEMENTS(commands), argv[1]);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
