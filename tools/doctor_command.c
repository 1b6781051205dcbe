/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly doctor": the engine's findings about the host, or with --store about
 * the store, a line each, and a line that sums up.
 */
#include "commands.h"
#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/manage/doctor.h"
#include "engine/manage/images.h"
#include "engine/result.h"
#include "help.h"
#include "options.h"
#include "text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define TOPIC_COLUMNS 22

enum doctor_option {
    DOCTOR_OPTION_STORE,
    DOCTOR_OPTION_COLOR,
    DOCTOR_OPTION_HELP,
};

static const struct option_spec specs[] = {
    {"store", 0, NULL, "Options",
     "look at the store instead: every layer is read and compared with its digest, every image and "
     "name with what it needs",
     DOCTOR_OPTION_STORE},
    {"color", 0, "WHEN", "Options", "auto (default), always or never", DOCTOR_OPTION_COLOR},
    {"help", 'h', NULL, "Options", "show this help", DOCTOR_OPTION_HELP},
};

struct doctor_output {
    struct console console;
    int status; /* of the first write that failed */
};

static void print(struct doctor_output *out, const struct buf *line) {
    if (out->status == 0)
        out->status = console_print(&out->console, line);
}

static void print_line(struct doctor_output *out, int level, const char *topic, const char *text) {
    static const struct {
        const char *word;
        enum style style;
    } levels[] = {
        [FINDING_OK] = {"ok", STYLE_GOOD},
        [FINDING_NOTE] = {"note", STYLE_WARN},
        [FINDING_PROBLEM] = {"PROBLEM", STYLE_BAD},
    };
    const char *word = levels[level].word;
    _cleanup_buf_ struct buf line = BUF_INIT;
    size_t columns;

    console_styled(&line, out->console.color, levels[level].style, word);
    buf_printf(&line, "%*s", (int)(strlen("PROBLEM") - strlen(word)) + 2, "");
    columns = text_append_line(&line, topic, SIZE_MAX);
    buf_printf(&line, "%*s  ", (int)(columns < TOPIC_COLUMNS ? TOPIC_COLUMNS - columns : 0), "");
    text_append_line(&line, text, SIZE_MAX);
    buf_puts(&line, "\n");
    print(out, &line);
}

static void print_finding(void *context, const struct finding *finding) {
    print_line(context, (int)finding->level, finding->topic, finding->text);
}

static void print_store_finding(void *context, const struct images_finding *finding) {
    static const int levels[] = {
        [IMAGES_FINDING_OK] = FINDING_OK,
        [IMAGES_FINDING_NOTE] = FINDING_NOTE,
        [IMAGES_FINDING_BROKEN] = FINDING_PROBLEM,
    };

    print_line(context, levels[finding->level], finding->topic, finding->text);
}

static void log_to_console(void *context, enum log_level level, const char *text) {
    console_log(context, level, text);
}

static int examine_store(enum color_when color) {
    struct console messages;
    const struct log log = {.emit = log_to_console, .context = &messages};
    struct doctor_output out = {.status = 0};
    _cleanup_images_ struct images images = IMAGES_INIT;
    _cleanup_buf_ struct buf line = BUF_INIT;
    struct err err = {0};
    int n;

    console_init(&out.console, STDOUT_FILENO, color, VERBOSITY_NORMAL);
    console_init(&messages, STDERR_FILENO, color, VERBOSITY_NORMAL);
    n = images_open(&images, NULL, &log, &err);
    if (n == 0)
        n = images_check(&images, print_store_finding, &out, &err);
    if (images.interrupted)
        return 128 + images.interrupted;
    if (n < 0) {
        console_error(&messages, err.message);
        return EXIT_ENGINE;
    }
    buf_puts(&line, "\n");
    if (n > 0)
        buf_printf(&line,
                   "%d thing%s broken; 'mayfly rmi' takes damaged images away, 'mayfly pull' or "
                   "'load' brings them anew.\n",
                   n, n == 1 ? " is" : "s are");
    else
        buf_puts(&line, "The store is whole.\n");
    print(&out, &line);
    return out.status ? out.status : n > 0;
}

static int examine(enum color_when color) {
    struct doctor_output out = {.status = 0};
    _cleanup_buf_ struct buf line = BUF_INIT;
    int n;

    console_init(&out.console, STDOUT_FILENO, color, VERBOSITY_NORMAL);
    n = doctor(NULL, print_finding, &out);
    buf_puts(&line, "\n");
    if (n > 0)
        buf_printf(&line, "%d problem%s to be mended before containers can run here.\n", n,
                   n == 1 ? "" : "s");
    else
        buf_puts(&line, "Containers can run here.\n");
    print(&out, &line);
    return out.status ? out.status : n > 0;
}

int doctor_command(int argc, char **argv) {
    enum color_when color = COLOR_AUTO;
    bool store = false;
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct options options;
    struct console console;
    struct err err = {0};
    int r;

    options_init(&options, specs, N_ELEMENTS(specs), argc, argv);
    while ((r = options_next(&options, &err)) == 0) {
        if (options.spec->id == DOCTOR_OPTION_HELP) {
            console_init(&console, STDOUT_FILENO, color, VERBOSITY_NORMAL);
            help_doctor(&text, specs, N_ELEMENTS(specs), console.color);
            return console_print(&console, &text);
        }
        if (options.spec->id == DOCTOR_OPTION_STORE) {
            store = true;
            continue;
        }
        r = console_parse_color(options.value, &color, &err);
        if (r < 0)
            break;
    }
    if (r == OPTIONS_WORD)
        r = err_set(&err, -EINVAL, "'mayfly doctor' takes no further words; leave out '%s'",
                    options.value);
    if (r < 0) {
        console_init(&console, STDERR_FILENO, color, VERBOSITY_NORMAL);
        console_error(&console, err.message);
        return EXIT_USAGE;
    }
    return store ? examine_store(color) : examine(color);
}
