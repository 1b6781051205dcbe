/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the one-liner: parsing and help are both made from this table alone. */
#include "run_options.h"

#include "engine/base/cleanup.h"

#define ACTIONS "Actions, done strictly in the order given"
#define CONTAINER "The container"
#define RUN "The run"
#define MESSAGES "Messages"

const struct option_spec run_option_specs[] = {
    {"workdir", 'W', "DIR", ACTIONS,
     "directory for the actions after it; relative to the one before, made if missing",
     RUN_OPTION_WORKDIR},
    {"shellcmd", 'S', "CMD", ACTIONS, "run /bin/sh -c CMD, a fresh shell each time",
     RUN_OPTION_SHELLCMD},
    {"exec", 'X', "PROG ARG... ;", ACTIONS,
     "run a program without a shell; everything up to a lone ';' (or to the end) belongs to it",
     RUN_OPTION_EXEC},
    {"download", 'D', "SRC[:DEST]", ACTIONS,
     "copy a file or directory out of the container; without DEST, into the current directory",
     RUN_OPTION_DOWNLOAD},
    {"upload", 'U', "SRC[:DEST]", ACTIONS,
     "copy a file or directory into the container; without DEST, into the workdir",
     RUN_OPTION_UPLOAD},

    {"image", 'i', "REF", CONTAINER, "the image it starts from (see below); needed",
     RUN_OPTION_IMAGE},
    {"pull", 0, "WHEN", CONTAINER,
     "when to ask a registry for it: missing (default), when it is not in the store; never; always",
     RUN_OPTION_PULL},
    {"volume", 'v', "SRC:DST[:OPTS]", CONTAINER,
     "show a host directory or file at DST; OPTS is rw (default), ro, or cow: writable inside, "
     "the host's copy never touched",
     RUN_OPTION_VOLUME},
    {"tmpfs", 0, "DST[:SIZE]", CONTAINER, "an empty directory in memory at DST", RUN_OPTION_TMPFS},
    {"env", 'e', "NAME[=VALUE]", CONTAINER,
     "set a variable, or without =VALUE pass the host's through; nothing else of the host's "
     "environment goes in",
     RUN_OPTION_ENV},
    {"user", 'u', "USER[:GROUP]", CONTAINER,
     "who runs the steps: names or numbers, looked up in the image", RUN_OPTION_USER},
    {"net", 'n', "MODE", CONTAINER,
     "none (default): loopback alone; bridge: an address on a bridge of mayfly's own that leads "
     "nowhere else; bridge:NAME: on an existing bridge; nat: the outside too; host: the host's own "
     "network",
     RUN_OPTION_NET},
    {"publish", 'p', "[ADDR:]HOST:CTR[/udp]", CONTAINER,
     "with --net nat, lead the host's port HOST to the container's port CTR", RUN_OPTION_PUBLISH},
    {"hostname", 0, "NAME", CONTAINER, "the host name that programs inside see",
     RUN_OPTION_HOSTNAME},
    {"name", 0, "NAME", CONTAINER, "a name for the container instead of a random one",
     RUN_OPTION_NAME},
    {"read-only", 0, NULL, CONTAINER, "make the root file system read-only", RUN_OPTION_READ_ONLY},

    {"timeout", 0, "TIME", RUN, "end the whole run after TIME: 90s, 10m, 1.5h", RUN_OPTION_TIMEOUT},
    {"step-timeout", 0, "TIME", RUN, "end the run when one step takes longer than TIME",
     RUN_OPTION_STEP_TIMEOUT},
    {"on-failure", 0, "shell", RUN,
     "when a step fails on a terminal, open a shell in the container as the step left it",
     RUN_OPTION_ON_FAILURE},
    {"json", 0, "FILE", RUN, "write how the run and each action went to FILE", RUN_OPTION_JSON},

    {"quiet", 'q', NULL, MESSAGES, "no messages but errors", RUN_OPTION_QUIET},
    {"debug", 0, NULL, MESSAGES, "also say what is done on the way", RUN_OPTION_DEBUG},
    {"color", 0, "WHEN", MESSAGES,
     "auto (default), always or never; auto heeds NO_COLOR and TERM=dumb", RUN_OPTION_COLOR},
    {"help", 'h', NULL, MESSAGES, "show this help", RUN_OPTION_HELP},
    {"version", 0, NULL, MESSAGES, "show the version", RUN_OPTION_VERSION},
};

const size_t n_run_option_specs = N_ELEMENTS(run_option_specs);
