/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly doctor": the engine's findings, a line each as they come, and a line that sums up. */
#include "commands.h"
#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/doctor.h"
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
    DOCTOR_OPTION_COLOR,
    DOCTOR_OPTION_HELP,
};

static const struct option_spec specs[] = {
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

static void print_finding(void *context, const struct finding *finding) {
    static const struct {
        const char *word;
        enum style style;
    } levels[] = {
        [FINDING_OK] = {"ok", STYLE_GOOD},
        [FINDING_NOTE] = {"note", STYLE_WARN},
        [FINDING_PROBLEM] = {"PROBLEM", STYLE_BAD},
    };
    struct doctor_output *out = context;
    const char *word = levels[finding->level].word;
    _cleanup_buf_ struct buf line = BUF_INIT;
    size_t columns;

    console_styled(&line, out->console.color, levels[finding->level].style, word);
    buf_printf(&line, "%*s", (int)(strlen("PROBLEM") - strlen(word)) + 2, "");
    columns = text_append_line(&line, finding->topic, SIZE_MAX);
    buf_printf(&line, "%*s  ", (int)(columns < TOPIC_COLUMNS ? TOPIC_COLUMNS - columns : 0), "");
    text_append_line(&line, finding->text, SIZE_MAX);
    buf_puts(&line, "\n");
    print(out, &line);
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
    return examine(color);
}
