/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly network ls, create, rm, inspect" and "mayfly port". */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/manage/networks.h"
#include "engine/result.h"
#include "help.h"
#include "inspect_command.h"
#include "network_table.h"
#include "options.h"
#include "verb.h"

#include <errno.h>
#include <stdlib.h>

#define _cleanup_entries_ __attribute__((cleanup(network_entries_done)))

/* --- network ls --------------------------------------------------------------- */

enum ls_option {
    LS_OPTION_FILTER,
    LS_OPTION_FORMAT,
    LS_OPTION_FULL,
    LS_OPTION_IDS,
};

static const struct option_spec ls_specs[] = {
    {"filter", 'f', "name=TEXT", "Options", "only those whose name holds TEXT", LS_OPTION_FILTER},
    {"format", 0, "FORM", "Options", "table (default) or json", LS_OPTION_FORMAT},
    {"no-trunc", 0, NULL, "Options", "ids in full", LS_OPTION_FULL},
    {"quiet", 'q', NULL, "Options", "ids alone", LS_OPTION_IDS},
};

struct ls {
    const char *part;
    bool json;
    bool full;
    bool ids;
};

static int apply_ls(struct verb_job *job, const struct options *options, struct err *err) {
    struct ls *ls = job->choice;
    const char *value = options->value;

    switch ((enum ls_option)options->spec->id) {
    case LS_OPTION_FILTER:
        ls->part = str_after(value, "name=");
        if (!ls->part)
            return err_set(err, -EINVAL, "--filter '%s' is not name=TEXT", value);
        break;
    case LS_OPTION_FORMAT:
        if (!str_eq(value, "json") && !str_eq(value, "table"))
            return err_set(err, -EINVAL, "--format '%s' is not one of table, json", value);
        ls->json = str_eq(value, "json");
        break;
    case LS_OPTION_FULL:
        ls->full = true;
        break;
    case LS_OPTION_IDS:
        ls->ids = true;
        break;
    }
    return 0;
}

/* All networks; @ret_rows->items is to free(3), and borrows from @entries. */
static int list(struct verb_job *job, struct network_entries *entries,
                struct network_rows *ret_rows, struct err *err) {
    int r = networks_list(&job->images, entries, err);

    *ret_rows = (struct network_rows){0};
    if (r == 0 && network_rows_make(entries, ret_rows) < 0)
        r = err_nomem(err);
    return r;
}

static int run_ls(struct verb_job *job, struct err *err) {
    const struct ls *ls = job->choice;
    _cleanup_entries_ struct network_entries entries = {0};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct network_rows rows;
    size_t n = 0;
    int r = list(job, &entries, &rows, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < rows.n; i++)
        if (!ls->part || strstr(rows.items[i].name, ls->part))
            rows.items[n++] = rows.items[i];
    rows.n = n;
    if (ls->json)
        network_table_json(&text, &rows);
    else
        network_table_format(&text, &rows, ls->full, ls->ids);
    free(rows.items);
    job->status = console_print(&job->out, &text);
    return 0;
}

static int ls_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "network ls",
        .words = "",
        .about = "Lists the networks: those that are always there, and those that were made with "
                 "mayfly network create.",
        .specs = ls_specs,
        .n_specs = N_ELEMENTS(ls_specs),
        .apply = apply_ls,
        .run = run_ls,
    };
    struct ls ls = {0};

    return verb_run(&verb, &ls, argc, argv);
}

/* --- network create ----------------------------------------------------------- */

enum create_option {
    CREATE_OPTION_DRIVER,
    CREATE_OPTION_GATEWAY,
    CREATE_OPTION_HOST_ACCESS,
    CREATE_OPTION_INTERNAL,
    CREATE_OPTION_IPV6,
    CREATE_OPTION_MTU,
    CREATE_OPTION_SUBNET,
};

static const struct option_spec create_specs[] = {
    {"subnet", 0, "SUBNET", "Options",
     "its addresses, such as 10.1.2.0/24; with --ipv6 also given as fd12:3456:789a::/64",
     CREATE_OPTION_SUBNET},
    {"gateway", 0, "ADDRESS", "Options", "the address of its router, instead of the first one",
     CREATE_OPTION_GATEWAY},
    {"internal", 0, "[=false]", "Options",
     "that it leads nowhere else is the default; --internal=false: the outside too, under the "
     "host's address",
     CREATE_OPTION_INTERNAL},
    {"host-access", 0, NULL, "Options",
     "let the host reach the containers by their addresses; they reach nothing of the host's",
     CREATE_OPTION_HOST_ACCESS},
    {"ipv6", 0, NULL, "Options",
     "IPv6 addresses besides, made of the network's and the container's hardware address (SLAAC)",
     CREATE_OPTION_IPV6},
    {"mtu", 0, "BYTES", "Options", "the largest packet, 1280 to 65535", CREATE_OPTION_MTU},
    {"driver", 'd', "bridge", "Options", "for habit: all are bridges", CREATE_OPTION_DRIVER},
};

static int set_internal(struct network_config *config, const char *value, struct err *err) {
    if (!value || str_eq(value, "true"))
        return 0;
    if (!str_eq(value, "false"))
        return err_set(err, -EINVAL, "--internal=%s is not one of true, false", value);
    config->way = NETWORK_OUT;
    return 0;
}

static int set_mtu(struct network_config *config, const char *value, struct err *err) {
    uint64_t mtu;

    if (str_to_u64(value, UINT16_MAX, &mtu) < 0 || mtu < 1280)
        return err_set(err, -EINVAL, "--mtu '%s' is not a number from 1280 to 65535", value);
    config->mtu = (uint16_t)mtu;
    return 0;
}

static int apply_create(struct verb_job *job, const struct options *options, struct err *err) {
    struct network_config *config = job->choice;
    const char *value = options->value;

    switch ((enum create_option)options->spec->id) {
    case CREATE_OPTION_DRIVER:
        if (!str_eq(value, "bridge"))
            return err_set(err, -EINVAL, "--driver '%s': bridges are all that there is", value);
        break;
    case CREATE_OPTION_GATEWAY:
        config->gateway = value;
        break;
    case CREATE_OPTION_HOST_ACCESS:
        config->way = NETWORK_TO_HOST;
        break;
    case CREATE_OPTION_INTERNAL:
        return set_internal(config, value, err);
    case CREATE_OPTION_IPV6:
        config->ipv6 = true;
        break;
    case CREATE_OPTION_MTU:
        return set_mtu(config, value, err);
    case CREATE_OPTION_SUBNET:
        *(strchr(value, ':') ? &config->subnet6 : &config->subnet) = value;
        break;
    }
    return 0;
}

static int run_create(struct verb_job *job, struct err *err) {
    const struct network_config *config = job->choice;
    int r;

    if (config->subnet6 && !config->ipv6)
        return err_set(err, -EINVAL, "subnet %s: takes --ipv6", config->subnet6);
    r = networks_create(&job->images, job->words[0], job->choice, err);

    if (r == 0)
        verb_print(job, "%s", job->words[0]);
    return r;
}

static int create_network_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "network create",
        .words = "NAME",
        .about = "Makes a network, to be used with --net NAME.  Its bridge comes with its first "
                 "container and goes with the last one; the network stays until mayfly network rm.",
        .specs = create_specs,
        .n_specs = N_ELEMENTS(create_specs),
        .n_words_min = 1,
        .n_words_max = 1,
        .apply = apply_create,
        .run = run_create,
    };
    struct network_config config = {0};

    return verb_run(&verb, &config, argc, argv);
}

/* --- network rm, network inspect ---------------------------------------------- */

static int run_rm(struct verb_job *job, struct err *err) {
    (void)err;
    for (size_t i = 0; i < job->n_words; i++) {
        struct err own = {0};

        if (networks_remove(&job->images, job->words[i], &own) == 0)
            verb_print(job, "%s", job->words[i]);
        else if (!verb_complain(job, &own))
            break;
    }
    return 0;
}

static int rm_network_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "network rm",
        .words = "NAME...",
        .about = "Removes networks that were made with mayfly network create.",
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .run = run_rm,
    };

    return verb_run(&verb, NULL, argc, argv);
}

static int inspect_network_command(int argc, char **argv) {
    return inspect_type_command("network inspect", "network", argc, argv);
}

/* --- network ------------------------------------------------------------------ */

int network_command(int argc, char **argv) {
    static const struct command commands[] = {{"ls", ls_command},
                                              {"list", ls_command},
                                              {"create", create_network_command},
                                              {"rm", rm_network_command},
                                              {"remove", rm_network_command},
                                              {"inspect", inspect_network_command}};
    const char *word = argc > 1 ? argv[1] : "--help";
    struct console console;
    struct err err;

    for (size_t i = 0; i < N_ELEMENTS(commands); i++)
        if (str_eq(word, commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (str_eq(word, "--help") || str_eq(word, "-h")) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        help_command_text(&text, "network", "ls | create | rm | inspect [OPTION]... [NAME]...",
                          "Networks for containers; each word has a --help of its own.");
        console_init(&console, STDOUT_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
        return console_print(&console, &text);
    }
    err_set(&err, -EINVAL, "'network %s' is no command; use ls, create, rm or inspect", word);
    console_init(&console, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    console_error(&console, err.message);
    return EXIT_USAGE;
}

/* --- port --------------------------------------------------------------------- */

static int run_port(struct verb_job *job, struct err *err) {
    _cleanup_entries_ struct network_entries entries = {0};
    _cleanup_buf_ struct buf text = BUF_INIT;
    const char *wanted = job->n_words > 1 ? job->words[1] : NULL;
    int r = networks_list(&job->images, &entries, err);
    bool is_known = false;
    size_t n;

    if (r < 0)
        return r;
    n = network_table_ports(&text, &entries, job->words[0], wanted, &is_known);
    if (!is_known)
        return err_set(err, -ENOENT, "no container %s is running on a bridge of mayfly's",
                       job->words[0]);
    if (n == 0 && wanted)
        return err_set(err, -ENOENT, "port %s of %s is not published", wanted, job->words[0]);
    job->status = console_print(&job->out, &text);
    return 0;
}

int port_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "port",
        .words = "CONTAINER [PORT[/PROTOCOL]]",
        .about = "Shows which ports of the host lead to a running container.",
        .n_words_min = 1,
        .n_words_max = 2,
        .run = run_port,
    };

    return verb_run(&verb, NULL, argc, argv);
}
