/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the one-liner, those about the container aside: parsing and help are both made
 * from these tables alone. */
#include "run_options.h"

#include "container_options.h"
#include "engine/base/cleanup.h"

#define ACTIONS "Actions, done strictly in the order given"
#define CONTAINER "The container"
#define REMEMBER "Remembered steps"
#define RUN "The run"
#define MESSAGES "Messages"

static const struct option_spec actions[] = {
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
    {"commit", 'C', "NAME[:TAG]", ACTIONS,
     "save the container's file system as it is now as an image; processes that still run end",
     RUN_OPTION_COMMIT},

    {"image", 'i', "REF", CONTAINER,
     "the image it starts from (see below); needed.  Given several times, or with a list as in "
     "'python:{3.9,3.10,3.11}', all actions are done once for each image",
     RUN_OPTION_IMAGE},
};

static const struct option_spec rest[] = {
    {"remember", 'r', NULL, REMEMBER,
     "keep what each -S, -X and -U makes, and use it again the next time the same is asked for; "
     "such steps read nothing from standard input and have no terminal",
     RUN_OPTION_REMEMBER},
    {"no-remember", 0, NULL, REMEMBER, "the next step, and what follows it, is not remembered",
     RUN_OPTION_NO_REMEMBER},
    {"forget", 0, NULL, REMEMBER, "the next step, and what follows it, runs anew",
     RUN_OPTION_FORGET},
    {"remember-for", 0, "TIME", REMEMBER,
     "how long after its last use a step is remembered: 7d (default), 12h",
     RUN_OPTION_REMEMBER_FOR},

    {"file", 'f', "FILE", RUN,
     "read options and actions from FILE, one a line as in 'image debian:12' or '-S make -j4 && "
     "make check'; paths in it are relative to it; words after the options are $1, $2, ... of -S",
     RUN_OPTION_FILE},
    {"watch", 0, "PATH...", RUN,
     "when one of these files or directories changes, or anything below, run again, with -r from "
     "the first step that the change touches; ends on Ctrl-C",
     RUN_OPTION_WATCH},
    {"timeout", 0, "TIME", RUN, "end the whole run after TIME: 90s, 10m, 1.5h", RUN_OPTION_TIMEOUT},
    {"step-timeout", 0, "TIME", RUN, "end the run when one step takes longer than TIME",
     RUN_OPTION_STEP_TIMEOUT},
    {"on-failure", 0, "shell", RUN,
     "when a step fails on a terminal, open a shell in the container as the step left it",
     RUN_OPTION_ON_FAILURE},
    {"jobs", 'j', "N", RUN,
     "with several images, how many at once: 1 (default); auto or 0: as many as there are "
     "processors",
     RUN_OPTION_JOBS},
    {"keep-going", 0, NULL, RUN, "begin further images after one has failed",
     RUN_OPTION_KEEP_GOING},
    {"output", 0, "FORM", RUN,
     "with several images: live (default with -j 1), as it comes; block (else): each image's in "
     "one piece when it has ended; prefix: each line behind its image's name",
     RUN_OPTION_OUTPUT},
    {"json", 0, "FILE", RUN, "write how the run and each action went to FILE", RUN_OPTION_JSON},
    {"junit", 0, "FILE", RUN,
     "the same as JUnit's XML, for CI servers; steps then write to pipes, also on a terminal",
     RUN_OPTION_JUNIT},

    {"quiet", 'q', NULL, MESSAGES, "no messages but errors", RUN_OPTION_QUIET},
    {"debug", 0, NULL, MESSAGES, "also say what is done on the way", RUN_OPTION_DEBUG},
    {"color", 0, "WHEN", MESSAGES,
     "auto (default), always or never; auto heeds NO_COLOR and TERM=dumb", RUN_OPTION_COLOR},
    {"help", 'h', NULL, MESSAGES, "show this help", RUN_OPTION_HELP},
    {"version", 0, NULL, MESSAGES, "show the version", RUN_OPTION_VERSION},
};

static void append(struct option_spec *specs, size_t *n_specs, const struct option_spec *more,
                   size_t n_more) {
    for (size_t i = 0; i < n_more; i++)
        specs[(*n_specs)++] = more[i];
}

size_t run_options_specs(struct option_spec specs[OPTIONS_MAX]) {
    size_t n_specs = 0;

    append(specs, &n_specs, actions, N_ELEMENTS(actions));
    container_options_append(specs, &n_specs);
    append(specs, &n_specs, rest, N_ELEMENTS(rest));
    return n_specs;
}
