/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RUN_OPTIONS_H
#define MAYFLY_RUN_OPTIONS_H

#include "console.h"
#include "engine/base/err.h"
#include "engine/plan/plan.h"
#include "matrix_output.h"
#include "options.h"

#include <stddef.h>

enum run_option {
    RUN_OPTION_IMAGE,
    RUN_OPTION_FILE,
    RUN_OPTION_WATCH,
    RUN_OPTION_WORKDIR,
    RUN_OPTION_SHELLCMD,
    RUN_OPTION_EXEC,
    RUN_OPTION_DOWNLOAD,
    RUN_OPTION_UPLOAD,
    RUN_OPTION_COMMIT,
    RUN_OPTION_REMEMBER,
    RUN_OPTION_REMEMBER_FOR,
    RUN_OPTION_NO_REMEMBER,
    RUN_OPTION_FORGET,
    RUN_OPTION_TIMEOUT,
    RUN_OPTION_STEP_TIMEOUT,
    RUN_OPTION_ON_FAILURE,
    RUN_OPTION_JOBS,
    RUN_OPTION_KEEP_GOING,
    RUN_OPTION_OUTPUT,
    RUN_OPTION_JSON,
    RUN_OPTION_JUNIT,
    RUN_OPTION_QUIET,
    RUN_OPTION_DEBUG,
    RUN_OPTION_COLOR,
    RUN_OPTION_HELP,
    RUN_OPTION_VERSION,
};

/**
 * run_options_specs() - the options and actions of the one-liner, in the order of the help
 *
 * Return: how many.
 */
size_t run_options_specs(struct option_spec specs[OPTIONS_MAX]);

/**
 * struct run_options - what the one-liner's command line says
 * @plan: its image is the first one
 * @images: for each of them the actions are done once
 * @file_images: what a file of options has named, where the command line names none: until then
 * @file: the first file of options that the command line names; NULL: none
 * @watched: files and directories whose changes start it again
 * @jobs: how many of them at once; 0: as many as there are processors
 * @keep_going: begin further images after one has failed
 * @next_is_transient, @next_is_forgotten: --no-remember and --forget, until the step they are about
 * @json, @junit: files for how it went; owned; NULL: none
 */
struct run_options {
    struct plan plan;
    struct strv images;
    struct strv file_images;
    char *file;
    struct strv watched;
    bool next_is_transient;
    bool next_is_forgotten;
    size_t jobs;
    bool keep_going;
    enum output_mode output;
    char *json;
    char *junit;
    enum verbosity verbosity;
    enum color_when color;
};

/* Conditions of run_options_parse(). */
#define RUN_OPTIONS_HELP 1
#define RUN_OPTIONS_VERSION 2

/**
 * run_options_parse() - read the one-liner's command line
 * @run: receives what was read, on failure what was read so far; run_options_done() frees it
 * @default_net: a network mode's name, or NULL
 *
 * The plan is checked (plan_check()) as well.
 * Return: 0, RUN_OPTIONS_HELP or RUN_OPTIONS_VERSION as soon as one is asked for, -EINVAL with a
 * text that names the thing and the mend, -ENOMEM.
 */
int run_options_parse(struct run_options *run, int argc, char **argv, const char *default_net,
                      struct err *err);

void run_options_done(struct run_options *run);

#endif
