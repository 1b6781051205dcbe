/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts use of Go's templates; what is expected here is what docker prints. */
#include "tools/template.h"

#include "engine/base/cleanup.h"
#include "tools/value.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct value *container(void) {
    struct value *whole = value_new(VALUE_OBJECT);
    struct value *state = value_add(whole, "State", value_new(VALUE_OBJECT));
    struct value *config = value_add(whole, "Config", value_new(VALUE_OBJECT));
    struct value *words = value_add(config, "Cmd", value_new(VALUE_LIST));
    struct value *labels = value_add(config, "Labels", value_new(VALUE_OBJECT));

    value_add_text(whole, "Name", "box");
    value_add_bool(state, "Running", true);
    value_add_bool(state, "Paused", false);
    value_add_number(state, "Pid", 42);
    value_add_text(words, NULL, "echo");
    value_add_text(words, NULL, "a b");
    value_add_text(labels, "com.x/y", "z");
    return whole;
}

Test(template, as_docker_prints_it) {
    static const struct {
        const char *template;
        const char *expected;
    } cases[] = {
        {"plain", "plain"},
        {"{{.Name}}", "box"},
        {"{{ .Name }}!", "box!"},
        {"{{.name}}", "box"},
        {"{{.State.Pid}} {{.State.Running}}", "42 true"},
        {"{{json .State}}", "{\"Running\":true,\"Paused\":false,\"Pid\":42}"},
        {"{{json .Config.Cmd}}", "[\"echo\",\"a b\"]"},
        {"{{range .Config.Cmd}}<{{.}}>{{end}}", "<echo><a b>"},
        {"{{range $i, $w := .Config.Cmd}}{{$i}}={{$w}};{{end}}", "0=echo;1=a b;"},
        {"{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{end}}", "com.x/y=z"},
        {"{{if .State.Running}}up{{else}}down{{end}}", "up"},
        {"{{if .State.Paused}}up{{else}}down{{end}}", "down"},
        {"{{index .Config.Labels \"com.x/y\"}}", "z"},
        {"{{index .Config.Cmd 1}}", "a b"},
        {"{{len .Config.Cmd}}", "2"},
        {"{{join .Config.Cmd \",\"}}", "echo,a b"},
        {"{{.Name | upper}}", "BOX"},
        {"{{upper .Name | lower}}", "box"},
        {"a {{- .Name -}} b", "aboxb"},
        {"{{.Name}}\\t{{.Name}}\\n", "box\tbox\n"},
        {"{{\"quoted\"}}", "quoted"},
        {"{{println .Name}}", "box\n"},
    };
    _cleanup_value_ struct value *whole = container();

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;
        struct err err = {0};
        int r = template_format(cases[i].template, whole, &text, &err);

        cr_expect_eq(r, 0, "%s: %s", cases[i].template, err.message);
        cr_expect_str_eq(text.data ? text.data : "", cases[i].expected, "%s", cases[i].template);
    }
}

Test(template, mistakes_are_named) {
    static const char *const mistakes[][2] = {
        {"{{.Nope}}", "Nope"},
        {"{{.Name", "not understood"},
        {"{{if .Name}}x", ""},
        {"{{nothing .Name}}", "nothing"},
        {"{{range .Config.Cmd}}x", ""},
        {"{{end}}", ""},
        {"{{.State.Nope}}", "Nope"},
        {"{{$x}}", ""},
        {"{{\"open}}", ""},
        {"{{range $i, $w := .Config.Cmd}}{{$w};{{end}}", ""},
    };
    _cleanup_value_ struct value *whole = container();

    for (size_t i = 0; i < N_ELEMENTS(mistakes); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;
        struct err err = {0};

        cr_expect_eq(template_format(mistakes[i][0], whole, &text, &err), -EINVAL, "%s",
                     mistakes[i][0]);
        cr_expect(strstr(err.message, mistakes[i][1]), "%s: %s", mistakes[i][0], err.message);
    }
}
