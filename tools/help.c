/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --help shows: the options from their table, and beside them the few
 * things that are no options (images, exit statuses, variables, examples).
 * Everything stands in two columns, the right one wrapped at 80.
 */
#include "help.h"

#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "run_options.h"
#include "text.h"

#include <string.h>

#define COLUMNS 80
#define LEFT_COLUMNS 31

struct entry {
    const char *term;
    const char *text;
};

static const struct entry commands[] = {
    {"mayfly run IMAGE [PROG...]", "run a program in a container that lives as long as it; -d: in "
                                   "the background"},
    {"mayfly create, start, restart", "make a container, start it, end and start it"},
    {"mayfly exec CTR PROG...", "run one more program in a container"},
    {"mayfly attach CTR", "join its main program"},
    {"mayfly stop, kill, wait", "end containers, send them signals, wait for their end"},
    {"mayfly pause, unpause", "stop all of a container for a while"},
    {"mayfly rm, rename", "remove containers, rename one"},
    {"mayfly ps, inspect", "list containers, show all that is known of some"},
    {"mayfly logs CTR", "show what its program has written"},
    {"mayfly top CTR", "list its processes"},
    {"mayfly stats [CTR...]", "show what containers use: processors, memory, network, disks"},
    {"mayfly container prune", "remove containers that have ended"},
    {"mayfly commit CTR NAME", "make an image of its files"},
    {"mayfly cp CTR:SRC DEST", "copy files out of a container, or into one"},
    {"mayfly pull REF...", "fetch images from their registries into the store"},
    {"mayfly load", "bring in the images of an archive: what 'save' of docker and podman write"},
    {"mayfly import TAR [NAME]", "make an image of a root file system in a tarball"},
    {"mayfly save REF...", "write images as an archive that docker, podman and skopeo read"},
    {"mayfly push REF [DEST]", "send an image to a registry"},
    {"mayfly images", "list the images in the store"},
    {"mayfly history REF", "show the steps that an image was made in"},
    {"mayfly tag REF NAME", "give an image one more name"},
    {"mayfly rmi REF...", "remove images"},
    {"mayfly prune",
     "remove containers that do not run, images that nobody refers to, expired steps"},
    {"mayfly steps", "list remembered steps and kept directories"},
    {"mayfly network ...", "ls, create, rm, inspect: networks for containers"},
    {"mayfly port CONTAINER", "which ports of the host lead to a running container"},
    {"mayfly doctor", "look at what this host offers and say what is missing, with the mend"},
    {"mayfly serve --stdio", "do as another program says, in JSON messages"},
    {"mayfly info", "show the host, the store and how much is in it"},
    {"mayfly version", "show the version"},
    {"mayfly help", "show this help"},
};

static const struct entry images[] = {
    {"rootfs:DIR, /DIR, ./DIR", "an unpacked root file system, never written to"},
    {"tar:FILE or FILE", "a root file system in a tarball, compressed or not"},
    {"debian:12, HOST/NAME[:TAG]", "from the store, else from its registry (docker.io by default)"},
    {"http://..., https://...", "a tarball of a root file system on a server"},
    {"oci:DIR[:TAG]", "an OCI image layout"},
    {"oci-archive:FILE[:TAG]", "the same in an archive"},
    {"docker-archive:FILE[:REF]", "what 'docker save' and 'podman save' write"},
    {"host:", "this machine's own root, as a throw-away copy"},
};

static const struct entry statuses[] = {
    {"0", "every step succeeded"},
    {"a failing step's own", "128+N when signal N ended it; the steps after it are skipped"},
    {"124", "time was up"},
    {"125", "mayfly itself could not; the last message says why"},
    {"2", "the command line is wrong"},
    {"129, 130, 143", "mayfly got SIGHUP, SIGINT (Ctrl-C), SIGTERM"},
};

static const struct entry variables[] = {
    {"MAYFLY_NET", "the network mode where --net is not given"},
    {"MAYFLY_STORE", "the directory of unpacked images"},
    {"MAYFLY_REGISTRY_MIRRORS", "REGISTRY=HOST,...: who is asked first for a registry's images"},
    {"MAYFLY_REGISTRY_TIMEOUT", "how many seconds a registry may say nothing (30)"},
    {"MAYFLY_INSECURE_REGISTRIES", "HOST,...: registries that plain http is spoken with"},
    {"REGISTRY_CA", "a file of certificates that registries may have beside the system's"},
};

static const char *const examples[] = {
    "mayfly -i busybox.tar -S pwd -W /tmp -S pwd",
    "mayfly -i debian.tar -v \"$PWD:/src:cow\" -W /src -S make -D hello",
    "echo hello | mayfly -q -i busybox.tar -S 'tr a-z A-Z'",
    "mayfly -i ./rootfs -X /bin/prog --log /tmp/log ';' -D /tmp/log",
};

static void put_heading(struct buf *buf, const char *heading, bool color) {
    buf_puts(buf, "\n");
    console_style(buf, color, STYLE_BOLD);
    buf_printf(buf, "%s:", heading);
    console_style(buf, color, STYLE_PLAIN);
    buf_puts(buf, "\n");
}

/* @left: columns of the left column */
static void put_entry(struct buf *buf, const char *term, size_t left, const char *text) {
    if (strlen(term) + 2 > left)
        buf_printf(buf, "%s\n%*s", term, (int)left, "");
    else
        buf_printf(buf, "%-*s", (int)left, term);
    text_append_wrapped(buf, text, left, COLUMNS);
}

static void put_entries(struct buf *buf, const char *heading, const struct entry *entries, size_t n,
                        bool color) {
    size_t left = 0;

    for (size_t i = 0; i < n; i++)
        if (strlen(entries[i].term) + 4 > left)
            left = strlen(entries[i].term) + 4;
    put_heading(buf, heading, color);
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *term = str_printf("  %s", entries[i].term);

        put_entry(buf, term ? term : "", left, entries[i].text);
    }
}

void help_options(struct buf *buf, const struct option_spec *specs, size_t n_specs, bool color) {
    for (size_t i = 0; i < n_specs; i++) {
        const struct option_spec *spec = &specs[i];
        _cleanup_buf_ struct buf term = BUF_INIT;

        if (!spec->help)
            continue;
        if (i == 0 || !str_eq(spec->group, specs[i - 1].group))
            put_heading(buf, spec->group, color);
        if (spec->letter)
            buf_printf(&term, "  -%c, ", spec->letter);
        else
            buf_puts(&term, "      ");
        buf_printf(&term, "--%s", spec->name);
        if (spec->argument)
            buf_printf(&term, "%s%s", str_after(spec->argument, "[=") ? "" : " ", spec->argument);
        put_entry(buf, term.data ? term.data : "", LEFT_COLUMNS, spec->help);
    }
}

static void put_synopsis(struct buf *buf) {
    buf_puts(buf, "Usage: mayfly -i IMAGE [OPTION]... [ACTION]...\n"
                  "       mayfly pull | push | load | save | import | images | tag | rmi | prune\n"
                  "       mayfly network | port | doctor | version | help\n");
}

void help_full(struct buf *buf, bool color) {
    struct option_spec specs[OPTIONS_MAX];

    put_synopsis(buf);
    buf_puts(buf,
             "\nRuns a container that lives for as long as the command: starts it from IMAGE,\n"
             "does the actions in it one after the other, and leaves nothing behind.\n"
             "Standard input reaches the steps; standard output is theirs alone.\n");
    help_options(buf, specs, run_options_specs(specs), color);
    put_entries(buf, "Images", images, N_ELEMENTS(images), color);
    put_entries(buf, "Exit status", statuses, N_ELEMENTS(statuses), color);
    put_entries(buf, "Environment", variables, N_ELEMENTS(variables), color);
    put_entries(buf, "Commands", commands, N_ELEMENTS(commands), color);
    put_heading(buf, "Examples", color);
    for (size_t i = 0; i < N_ELEMENTS(examples); i++)
        buf_printf(buf, "  %s\n", examples[i]);
    buf_puts(buf,
             "\nA colon that belongs to a file's name is written '\\:' in SRC, DST and DEST.\n");
}

void help_usage(struct buf *buf) {
    put_synopsis(buf);
    buf_printf(buf, "\nFor example:\n  %s\n\n'mayfly --help' explains it all.\n", examples[0]);
}

void help_doctor(struct buf *buf, const struct option_spec *specs, size_t n_specs, bool color) {
    buf_puts(buf,
             "Usage: mayfly doctor [OPTION]...\n"
             "\nLooks at what mayfly needs of this host: a line for each point, with the mend\n"
             "for what is missing.  The exit status is 0 when nothing keeps containers from\n"
             "running, else 1.  With --store it looks at the images instead, and the exit\n"
             "status is 0 when all of them are whole.\n");
    help_options(buf, specs, n_specs, color);
}

void help_command_text(struct buf *buf, const char *name, const char *words, const char *about) {
    buf_printf(buf, "Usage: mayfly %s [OPTION]...%s%s\n\n", name, *words ? " " : "", words);
    text_append_wrapped(buf, about, 0, COLUMNS);
}

void help_version(struct buf *buf) {
    buf_puts(buf, "mayfly " MAYFLY_VERSION "\n");
}
