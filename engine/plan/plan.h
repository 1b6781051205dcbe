/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PLAN_H
#define MAYFLY_PLAN_H

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/confine/confinement.h"
#include "engine/confine/ulimit.h"
#include "limits.h"
#include "net/nat.h"
#include "wishes.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_mode {
    NET_NONE,   /* a network namespace with loopback alone */
    NET_HOST,   /* the host's network namespace */
    NET_BRIDGE, /* an address on a bridge that leads nowhere else, or an existing one */
    NET_NAT,    /* as NET_BRIDGE, and out under the host's address */
};

/** enum pull_mode - when a registry or server is asked for an image that has a name or address */
enum pull_mode {
    PULL_MISSING, /* when it is not in the store */
    PULL_NEVER,
    PULL_ALWAYS,
};

enum volume_mode {
    VOLUME_RW,
    VOLUME_RO,
    VOLUME_COW, /* writable inside, changes thrown away */
};

/** enum volume_label - where there is SELinux: whose label the source gets */
enum volume_label {
    VOLUME_LABEL_OWN,     /* it keeps the one that it has */
    VOLUME_LABEL_SHARED,  /* all containers' */
    VOLUME_LABEL_PRIVATE, /* this container's */
};

/** struct volume - a host directory or file that the container sees */
struct volume {
    char *source; /* absolute host path */
    char *target; /* absolute container path */
    enum volume_mode mode;
    enum volume_label label;
};

/**
 * struct device - a device of the host's that the container may open
 * @readable, @writable: for what
 */
struct device {
    char *source; /* absolute host path */
    char *target; /* absolute container path */
    bool readable;
    bool writable;
};

/** struct tmpfs_mount - an empty memory file system */
struct tmpfs_mount {
    char *target;        /* absolute container path */
    uint64_t size_bytes; /* 0: the kernel's default, half of the memory */
    unsigned mode;
    bool no_exec; /* nothing in it can be executed */
};

enum keep_mode {
    KEEP_SHARED,  /* by any number of runs at once */
    KEEP_LOCKED,  /* one run at a time, others wait */
    KEEP_PRIVATE, /* one run at a time, others get another directory of the same name */
};

/** struct keep - a directory of the store that outlives the run */
struct keep {
    char *name;
    char *target; /* absolute container path */
    enum keep_mode mode;
    bool read_only;
};

enum action_kind {
    ACTION_WORKDIR,  /* -W target */
    ACTION_SHELL,    /* -S argv[2], argv being /bin/sh -c CMD [ARG]... */
    ACTION_EXEC,     /* -X argv */
    ACTION_DOWNLOAD, /* -D source (container):target (host) */
    ACTION_UPLOAD,   /* -U source (host):target (container) */
    ACTION_COMMIT,   /* -C target, a name for the image */
};

/**
 * struct action - one thing that a run does
 * @transient: with plan->remember: neither it nor what comes after is remembered
 * @forget: with plan->remember: what was remembered of it and of what comes after does not count
 */
struct action {
    enum action_kind kind;
    bool transient;
    bool forget;
    struct strv argv;
    char *source;
    char *target;          /* NULL: the base name of @source, in the current or work directory */
    bool make_directories; /* of ACTION_DOWNLOAD: those of @target that are missing */
};

/** PLAN_MAX_DNS - how many name servers a resolver asks.  Spec: resolv.conf(5). */
#define PLAN_MAX_DNS 3

/**
 * struct plan - the whole description of a run, and all its defaults
 *
 * Made by a front end with the functions below, checked once by plan_check(),
 * and not changed from then on.  Nothing in it says where it came from.
 */
struct plan {
    char *image; /* a reference as the user wrote it */
    enum pull_mode pull;
    struct wishes wishes; /* of an image that is not in the store */
    char *name;           /* NULL: random */
    char *hostname;
    char *user;      /* USER[:GROUP], NULL: the image's, else root */
    char *workdir;   /* of the first action and of all that comes beside; NULL: the image's */
    struct strv env; /* NAME=VALUE, over the image's */
    struct volume *volumes;
    size_t n_volumes;
    struct tmpfs_mount *tmpfs;
    size_t n_tmpfs;
    struct device *devices;
    size_t n_devices;
    struct action *actions;
    size_t n_actions;
    enum net_mode net;
    struct nat_port *ports; /* published; with NET_NAT alone */
    size_t n_ports;
    char *bridge;           /* of NET_BRIDGE: an existing one of the host; NULL: mayfly's own */
    char *network;          /* of NET_BRIDGE: one that was made by a command; NULL: mayfly's */
    bool isolate;           /* from others on the bridge that are isolated */
    struct strv hosts;      /* further lines of /etc/hosts: ADDRESS, a tab, NAME */
    struct strv dns;        /* addresses of name servers, instead of the network's */
    struct strv dns_search; /* where names are looked for first, instead; ".": nowhere */
    struct limits limits;
    struct ulimits ulimits;     /* of each program */
    struct strv sysctls;        /* NAME=VALUE */
    uint64_t shm_bytes;         /* size of /dev/shm */
    int oom_score_adj;          /* PLAN_OOM_SCORE_INHERITED: that of whoever started it */
    uint64_t timeout_nsec;      /* of the whole run; CLOCK_NEVER: none */
    uint64_t step_timeout_nsec; /* of each step; CLOCK_NEVER: none */
    bool read_only;             /* the container's root file system */
    bool on_failure_shell;      /* a shell in the container when a step fails, on a terminal */
    bool init_system;           /* an image's own init runs in it, see inside/boot.c */
    bool remember;              /* steps are remembered; what they can see is in remember_key.c */
    uint64_t remember_nsec;     /* how long, from their last use */
    struct keep *keeps;
    size_t n_keeps;
    struct confinement confinement;
    bool userns_host; /* root: no user namespace */
    char *store;      /* directory of images and runs; NULL: the user's own */
};

/** PLAN_OOM_SCORE_INHERITED - no number that the kernel takes. */
#define PLAN_OOM_SCORE_INHERITED INT_MIN

/** plan_init() - set every default. */
void plan_init(struct plan *plan);

/** plan_done() - free all that the plan holds. */
void plan_done(struct plan *plan);

/**
 * plan_add_action() - append an action
 * @argv: words of ACTION_SHELL (the command alone) or ACTION_EXEC; copied; else NULL
 * @spec: DIR of ACTION_WORKDIR, SRC[:DEST] of the copies; "\:" stands for a colon, "\\" for a
 *        backslash; else NULL
 *
 * A SRC without a base name of its own ("/", ".", "..") needs a DEST.
 *
 * Return: 0, -EINVAL with a text for a spec that is none, -ENOMEM.
 */
int plan_add_action(struct plan *plan, enum action_kind kind, const char *const *argv,
                    const char *spec, struct err *err);

/**
 * plan_set_arguments() - words that the commands of ACTION_SHELL know as $0, $1 and so on
 * @words: copied
 *
 * Return: 0, -ENOMEM with a text.
 */
int plan_set_arguments(struct plan *plan, const struct strv *words, struct err *err);

/**
 * plan_add_volume() - append a volume
 * @spec: SRC:DST[:OPTS], any of ro, rw, cow, z, Z with commas between; a relative SRC is taken from
 * the current directory; escapes as above
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int plan_add_volume(struct plan *plan, const char *spec, struct err *err);

/**
 * plan_add_tmpfs() - append a tmpfs
 * @spec: DST[:OPTS], words between commas: a size with an optional k, m or g, optionally "size="
 *        before it, mode=OCTAL (1777), noexec; and what it is anyway: rw, nosuid, nodev, exec
 */
int plan_add_tmpfs(struct plan *plan, const char *spec, struct err *err);

/**
 * plan_add_keep() - append a kept directory
 * @spec: NAME:DST[:OPTS], OPTS being a list of ro, shared, locked and private
 */
int plan_add_keep(struct plan *plan, const char *spec, struct err *err);

/**
 * plan_add_device() - append a device
 * @spec: HOST[:CONTAINER][:ACCESS], ACCESS being of the letters r, w and m; a container makes no
 *        nodes, so that m says nothing
 */
int plan_add_device(struct plan *plan, const char *spec, struct err *err);

/**
 * plan_add_env() - set or pass through a variable
 * @spec: NAME=VALUE, or NAME to take this process's value (nothing is set when it has none)
 */
int plan_add_env(struct plan *plan, const char *spec, struct err *err);

/**
 * plan_add_host() - one more name that the container knows
 * @text: NAME:ADDRESS, of IPv4 or, also in brackets, IPv6
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int plan_add_host(struct plan *plan, const char *text, struct err *err);

/** plan_add_dns(), plan_add_dns_search() - an address of a name server; a domain.  Return: the
 * same.
 */
int plan_add_dns(struct plan *plan, const char *text, struct err *err);
int plan_add_dns_search(struct plan *plan, const char *text, struct err *err);

/** plan_has_names() - whether any of these three is there. */
static inline bool plan_has_names(const struct plan *plan) {
    return plan->hosts.n + plan->dns.n + plan->dns_search.n > 0;
}

/**
 * plan_set_net() - set the network
 * @text: none, host, bridge, bridge:NAME, nat, or the name of a network that was made by a command
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int plan_set_net(struct plan *plan, const char *text, struct err *err);

/**
 * plan_add_port() - publish a port
 * @spec: [ADDRESS:]HOST:CONTAINER[/tcp|/udp]
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int plan_add_port(struct plan *plan, const char *spec, struct err *err);

/** plan_parse_pull() - "missing", "never" or "always".  Return: 0 or -EINVAL with a text. */
int plan_parse_pull(const char *text, enum pull_mode *ret_mode, struct err *err);

/**
 * plan_check() - find what is wrong before anything is done
 *
 * An image is named; names are well formed; targets are absolute and each is mounted on once;
 * timeouts leave some time.
 * Return: 0, or -EINVAL with a text that names the thing and the mend.
 */
int plan_check(const struct plan *plan, struct err *err);

/**
 * action_format() - append an action's words as they were given: a command, a directory, SRC:DEST
 *
 * The words of ACTION_EXEC are quoted as a shell would need it.
 */
void action_format(const struct action *action, struct buf *buf);

/** plan_mounts_on() - whether a volume, a tmpfs or a kept directory of the plan's is on @target. */
bool plan_mounts_on(const struct plan *plan, const char *target);

/** plan_takes_ports() - whether ports can be published. */
static inline bool plan_takes_ports(const struct plan *plan) {
    return plan->net == NET_NAT || plan->network;
}

/** plan_has_bridge() - whether the container gets a link and an address. */
static inline bool plan_has_bridge(const struct plan *plan) {
    return plan->net == NET_BRIDGE || plan->net == NET_NAT;
}

/** plan_workdir() - where a change to @dir leads from @base; to free(3), NULL without memory. */
char *plan_workdir(const char *base, const char *dir);

/** action_is_remembered() - whether an action's result is a layer that can be remembered. */
static inline bool action_is_remembered(const struct action *action) {
    return action->kind == ACTION_SHELL || action->kind == ACTION_EXEC ||
           action->kind == ACTION_UPLOAD;
}

/** action_is_step() - whether an action runs a program. */
static inline bool action_is_step(const struct action *action) {
    return action->kind == ACTION_SHELL || action->kind == ACTION_EXEC;
}

#endif
