/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that describe a container, whichever command makes it, in words
 * for people; engine/plan_option.c has a row for each that says what it does.
 */
#include "container_options.h"

#include "engine/base/cleanup.h"
#include "engine/plan/plan_option.h"

#define CONTAINER "The container"
#define LIMITS "What it may use; a limit that this host cannot enforce is an error"
#define CONFINEMENT "Its confinement"

/* The ids are given by container_options_append(). */
static const struct option_spec container_options[] = {
    {"pull", 0, "WHEN", CONTAINER,
     "when to ask a registry for it: missing (default), when it is not in the store; never; "
     "always",
     0},
    {"platform", 0, "OS/ARCH", CONTAINER,
     "the image for that platform instead of this machine's: linux/arm64, linux/arm/v7", 0},
    {"insecure-registry", 0, "HOST[:PORT]", CONTAINER,
     "a registry that may be spoken to without TLS; may be given several times", 0},
    {"max-image-size", 0, "SIZE", CONTAINER,
     "an image that unpacks to more is refused (64g unless set)", 0},
    {"volume", 'v', "SRC:DST[:OPTS]", CONTAINER,
     "show a host directory or file at DST; OPTS is rw (default), ro, or cow: writable inside, "
     "the host's copy never touched; with SELinux also z or Z: give it the label of all "
     "containers' files, of this one's",
     0},
    {"keep", 'k', "NAME:DST[:OPTS]", CONTAINER,
     "a directory that outlives the run, for caches; OPTS is any of ro, locked (one run at a "
     "time, others wait), private (others get another one)",
     0},
    {"tmpfs", 0, "DST[:OPTS]", CONTAINER,
     "an empty directory in memory at DST; OPTS is any of SIZE, mode=MODE, noexec", 0},
    {"device", 0, "HOST[:CTR][:rwm]", CONTAINER,
     "let it open a device of the host's, at CTR or under the same name: /dev/fuse, "
     "/dev/ttyUSB0:/dev/modem, /dev/sda:r",
     0},
    {"env", 'e', "NAME[=VALUE]", CONTAINER,
     "set a variable, or without =VALUE pass the host's through; nothing else of the host's "
     "environment goes in",
     0},
    {"user", 'u', "USER[:GROUP]", CONTAINER,
     "who runs the steps: names or numbers, looked up in the image", 0},
    {"net", 'n', "MODE", CONTAINER,
     "bridge (default): an address on a bridge of mayfly's own that leads nowhere else; nat: the "
     "outside too; none: loopback alone; host: the host's own network; bridge:NAME: an existing "
     "bridge; or the name of a network that was made with mayfly network create",
     0},
    {"publish", 'p', "[ADDR:]HOST:CTR[/udp]", CONTAINER,
     "with --net nat, lead the host's port HOST to the container's port CTR", 0},
    {"isolate", 0, NULL, CONTAINER, "keep it apart from the others on its bridge that are isolated",
     0},
    {"hostname", 0, "NAME", CONTAINER, "the host name that programs inside see", 0},
    {"add-host", 0, "NAME:ADDRESS", CONTAINER, "one more name in its /etc/hosts", 0},
    {"dns", 0, "ADDRESS", CONTAINER,
     "a name server to be asked instead of the network's, which knows other containers", 0},
    {"dns-search", 0, "DOMAIN", CONTAINER, "where names are looked for first; '.': nowhere", 0},
    {"name", 0, "NAME", CONTAINER, "a name for the container instead of a random one", 0},
    {"read-only", 0, NULL, CONTAINER, "make the root file system read-only", 0},

    {"memory", 'm', "SIZE", LIMITS, "memory, files' cache included: 64m, 1g; no swap", 0},
    {"memory-swap", 0, "SIZE", LIMITS, "memory and swap together; -1: all swap there is", 0},
    {"cpus", 0, "NUMBER", LIMITS, "processor time, in processors: 0.5, 2", 0},
    {"cpu-shares", 0, "NUMBER", LIMITS, "weight where processors are short: others have 1024", 0},
    {"cpuset", 0, "LIST", LIMITS, "the processors it runs on: 0-3,8 (also --cpuset-cpus)", 0},
    {"cpuset-cpus", 0, "LIST", LIMITS, NULL, 0},
    {"pids", 0, "NUMBER", LIMITS, "processes and threads (also --pids-limit)", 0},
    {"pids-limit", 0, "NUMBER", LIMITS, NULL, 0},
    {"io-max", 0, "PATH:KEY=N,...", LIMITS,
     "what it may do a second with the disk of PATH, a file or a device: rbps and wbps in bytes, "
     "riops and wiops in operations",
     0},
    {"ulimit", 0, "NAME=SOFT[:HARD]", LIMITS,
     "a limit of each program, by its name in setrlimit(2): nofile=1024, core=0", 0},
    {"oom-score-adj", 0, "NUMBER", LIMITS,
     "who is killed first when the host is out of memory: -1000 to 1000", 0},
    {"shm-size", 0, "SIZE", LIMITS, "of /dev/shm (64m)", 0},
    {"sysctl", 0, "NAME=VALUE", LIMITS,
     "a switch of the kernel's for the container alone: net.*, fs.mqueue.*, kernel.shmmax and such",
     0},

    {"cap-add", 0, "CAP", CONFINEMENT,
     "one more capability over the container's own user namespace: NET_ADMIN, or ALL", 0},
    {"cap-drop", 0, "CAP", CONFINEMENT, "one less, or with ALL none but those added", 0},
    {"security-opt", 0, "OPT", CONFINEMENT,
     "seccomp=FILE: a filter of system calls as Docker and Podman write them, or unconfined; "
     "no-new-privileges; mask=PATH, unmask=PATH or ALL: files of the kernel to hide, or not; "
     "apparmor=PROFILE; label=disable, type:T, level:L, user:U, role:R or filetype:T: SELinux's",
     0},
    {"userns", 0, "MODE", CONFINEMENT,
     "auto (default): a user namespace, in which root is nobody on the host; host: root runs it "
     "without one, its root being the host's",
     0},
    {"privileged", 0, NULL, CONFINEMENT,
     "all capabilities over its user namespace, no filter, nothing of /proc and /sys hidden", 0},
};

void container_options_append(struct option_spec *specs, size_t *n_specs) {
    for (size_t i = 0; i < N_ELEMENTS(container_options); i++) {
        specs[*n_specs] = container_options[i];
        specs[(*n_specs)++].id = CONTAINER_OPTION_FIRST + (int)i;
    }
}

int container_options_apply(struct plan *plan, const struct options *options, struct err *err) {
    return plan_option(plan, options->spec->name, options->value, err);
}
