/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly info": the host, the store and what is in it, under podman's names and,
 * at the top, those of docker that scripts ask for.
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "rows.h"
#include "verb.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#define MAX_FILE_BYTES (64u << 10)

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    const char **format = job->choice;

    *format = str_eq(options->value, "table") ? NULL : options->value;
    return rows_check_format(options->value, err);
}

/* Spec: os-release(5), PRETTY_NAME. */
static char *system_name(void) {
    _cleanup_free_ char *text = NULL;

    if (fd_read_file(AT_FDCWD, "/etc/os-release", MAX_FILE_BYTES, &text, NULL) < 0)
        return strdup("Linux");
    for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
        const char *value = str_after(line, "PRETTY_NAME=");

        if (value) {
            value += *value == '"';
            return strndup(value, strcspn(value, "\""));
        }
    }
    return strdup("Linux");
}

/* Where version 2 is all there is, its controllers stand at the top. */
static const char *cgroup_version(void) {
    return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "2" : "1";
}

/* Docker's names of the common machines. */
static const char *architecture(const char *machine) {
    return str_eq(machine, "x86_64") ? "amd64" : str_eq(machine, "aarch64") ? "arm64" : machine;
}

struct counts {
    int64_t all, running, paused, stopped, images;
};

static int count(struct verb_job *job, struct counts *counts, struct err *err) {
    __attribute__((cleanup(image_entries_done))) struct image_entries entries = {0};
    struct kept *kept = NULL;
    size_t n = 0;
    int r = containers_list(&job->containers, &kept, &n, err);

    if (r == 0)
        r = images_list(&job->images, &entries, err);
    *counts = (struct counts){.all = (int64_t)n};
    for (size_t i = 0; i < n; i++) {
        counts->running += kept[i].state.status == KEPT_RUNNING;
        counts->paused += kept[i].state.status == KEPT_PAUSED;
        counts->stopped += !kept_is_live(&kept[i]);
    }
    for (size_t i = 0; i < entries.n; i++) {
        size_t first = 0;

        while (!str_eq(entries.items[first].id, entries.items[i].id))
            first++;
        counts->images += first == i;
    }
    kept_list_done(kept, n);
    return r;
}

static void add_host(struct value *info, const struct utsname *uts, const struct sysinfo *memory,
                     const char *system, const char *ids) {
    struct value *host = value_add(info, "host", value_new(VALUE_OBJECT));
    struct value *security = value_add(host, "security", value_new(VALUE_OBJECT));

    value_add_bool(security, "rootless", geteuid() != 0);
    value_add_bool(security, "seccompEnabled", true);
    value_add_text(host, "arch", architecture(uts->machine));
    value_add_text(host, "os", "linux");
    value_add_text(host, "distribution", system);
    value_add_text(host, "hostname", uts->nodename);
    value_add_text(host, "kernel", uts->release);
    value_add_number(host, "cpus", get_nprocs());
    value_add_number(host, "memTotal", (int64_t)(memory->totalram * memory->mem_unit));
    value_add_number(host, "memFree", (int64_t)(memory->freeram * memory->mem_unit));
    value_add_text(host, "cgroupVersion", str_eq(cgroup_version(), "2") ? "v2" : "v1");
    value_add_text(host, "ids", ids);
}

static void add_store(struct value *info, const char *path, const struct counts *counts) {
    struct value *store = value_add(info, "store", value_new(VALUE_OBJECT));
    struct value *containers = value_add(store, "containerStore", value_new(VALUE_OBJECT));
    struct value *images = value_add(store, "imageStore", value_new(VALUE_OBJECT));

    value_add_text(store, "graphRoot", path);
    value_add_text(store, "graphDriverName", "overlay");
    value_add_number(containers, "number", counts->all);
    value_add_number(containers, "running", counts->running);
    value_add_number(containers, "paused", counts->paused);
    value_add_number(containers, "stopped", counts->stopped);
    value_add_number(images, "number", counts->images);
}

static struct value *make_info(struct verb_job *job, const struct counts *counts) {
    struct value *info = value_new(VALUE_OBJECT), *version;
    _cleanup_free_ char *system = system_name();
    const char *path = job->containers.store.path;
    struct sysinfo memory = {0};
    struct utsname uts = {0};

    (void)uname(&uts);
    (void)sysinfo(&memory);
    add_host(info, &uts, &memory, system, idmap_name(job->containers.map.mode));
    add_store(info, path, counts);
    version = value_add(info, "version", value_new(VALUE_OBJECT));
    value_add_text(version, "Version", MAYFLY_VERSION);
    value_add_text(info, "ServerVersion", MAYFLY_VERSION);
    value_add_number(info, "Containers", counts->all);
    value_add_number(info, "ContainersRunning", counts->running);
    value_add_number(info, "ContainersPaused", counts->paused);
    value_add_number(info, "ContainersStopped", counts->stopped);
    value_add_number(info, "Images", counts->images);
    value_add_text(info, "Driver", "overlay");
    value_add_text(info, "DockerRootDir", path);
    value_add_text(info, "CgroupVersion", cgroup_version());
    value_add_text(info, "KernelVersion", uts.release);
    value_add_text(info, "OperatingSystem", system);
    value_add_text(info, "OSType", "linux");
    value_add_text(info, "Architecture", uts.machine);
    value_add_number(info, "NCPU", get_nprocs());
    value_add_number(info, "MemTotal", (int64_t)(memory.totalram * memory.mem_unit));
    value_add_text(info, "Name", uts.nodename);
    return info;
}

/* Lines of "key: value", what belongs to a key further right below it. */
static void put_lines(struct buf *buf, const struct value *object, int depth) {
    for (size_t i = 0; i < object->n_items; i++) {
        const struct value *item = object->items[i];

        buf_printf(buf, "%*s%s:", 2 * depth, "", item->key);
        if (item->kind == VALUE_TEXT)
            buf_printf(buf, " %s", item->text);
        else if (item->kind == VALUE_NUMBER)
            buf_printf(buf, " %" PRId64, item->number);
        else if (item->kind == VALUE_BOOL)
            buf_puts(buf, item->boolean ? " true" : " false");
        buf_puts(buf, "\n");
        if (item->kind == VALUE_OBJECT)
            put_lines(buf, item, depth + 1);
    }
}

static int run(struct verb_job *job, struct err *err) {
    const char **format = job->choice;
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct counts counts;
    const struct value *info;
    int r = count(job, &counts, err);

    if (r < 0)
        return r;
    info = value_add(list, NULL, make_info(job, &counts));
    if (!info)
        return err_nomem(err);
    if (*format && str_eq(*format, "json"))
        rows_json(&text, info);
    else if (*format)
        r = rows_format(&text, *format, NULL, 0, list, err);
    else
        put_lines(&text, info, 0);
    if (r == 0)
        job->status = console_print(&job->out, &text);
    return r;
}

int info_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"format", 'f', "FORM", "Options",
         "json, or a template: {{.ServerVersion}} {{.Host.Security.Rootless}}", 0},
    };
    static const struct verb verb = {
        .name = "info",
        .words = "",
        .about =
            "Shows the host, the store and how much is in it; 'mayfly doctor' says what a host "
            "lacks.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .opens = VERB_OPENS_BOTH,
        .apply = apply,
        .run = run,
    };
    const char *format = NULL;

    return verb_run(&verb, &format, argc, argv);
}
