/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mayfly needs of its host, tried rather than guessed: namespaces are made
 * and mapped, and in the end a whole container.  Every finding that is not well
 * says how to mend it.
 */
#include "doctor.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "engine/cgroup/cgroup.h"
#include "engine/connect.h"
#include "engine/idmap.h"
#include "engine/run.h"
#include "engine/spawn.h"
#include "engine/state.h"
#include "engine/userns.h"
#include "rootfs/image.h"
#include "rootfs/store.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

struct examination {
    void (*emit)(void *context, const struct finding *finding);
    void *context;
    int n_problems;
    struct idmap map;
    struct store store;
};

__attribute__((format(printf, 4, 5))) static void
find(struct examination *e, enum finding_level level, const char *topic, const char *format, ...) {
    struct finding finding = {.level = level, .topic = topic};
    va_list args;

    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    e->n_problems += level == FINDING_PROBLEM;
    e->emit(e->context, &finding);
}

static void examine_kernel(struct examination *e) {
    struct utsname name;
    unsigned major = 0, minor = 0;

    uname(&name);
    if (sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
        (major < 5 || (major == 5 && minor < (geteuid() == 0 ? 10 : 11))))
        find(e, FINDING_PROBLEM, "kernel", "Linux %s: 5.11 or later is needed, for root 5.10",
             name.release);
    else
        find(e, FINDING_OK, "kernel", "Linux %s on %s", name.release, name.machine);
}

/* Starts a child in a user namespace that waits until it is killed; -errno with a text. */
static pid_t start_probe(int *ret_pidfd, struct err *err) {
    pid_t pid = spawn(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                          CLONE_NEWNET | CLONE_NEWCGROUP,
                      -1, ret_pidfd, err);

    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void end_probe(int pidfd) {
    sys_pidfd_send_signal(pidfd, SIGKILL);
    spawn_wait(pidfd);
    close(pidfd);
}

/* Tries this mode's maps, and the lesser ones after it. */
static void examine_ids(struct examination *e, pid_t *pid, int *pidfd) {
    struct err err = {0};
    int r = idmap_choose(&e->map, &err);

    while (r == 0) {
        r = *pid = start_probe(pidfd, &err);
        if (r < 0)
            break;
        r = userns_map(&e->map, *pid, &err);
        if (r != USERNS_UNMAPPABLE)
            break;
        find(e, FINDING_NOTE, "ids", "%s", err.message);
        end_probe(*pidfd);
        r = idmap_fall_back(&e->map) ? 0 : -EPERM;
        *pid = -1;
    }
    if (*pid < 0) {
        find(e, FINDING_PROBLEM, "namespaces", "%s", err.message);
        return;
    }
    find(e, FINDING_OK, "namespaces", "user, mount, pid, ipc, uts, net and cgroup");
    if (r < 0)
        find(e, FINDING_PROBLEM, "ids", "%s", err.message);
    else if (e->map.mode == IDMAP_SINGLE)
        find(e, FINDING_NOTE, "ids",
             "one id, ownership is emulated: for real ids install newuidmap (apt-get install "
             "uidmap) and give your user a line in /etc/subuid and /etc/subgid (usermod "
             "--add-subuids 100000-165535 --add-subgids 100000-165535 USER)");
    else
        find(e, FINDING_OK, "ids", "%s: container root is host uid %u, %u ids in all",
             idmap_name(e->map.mode), e->map.uids[0].outside,
             e->map.uids[0].count + (e->map.n_uids > 1 ? e->map.uids[1].count : 0));
}

static bool examine_store(struct examination *e, const char *path) {
    struct err err = {0};

    if (store_open(&e->store, path, state_owners(e->map.mode), &err) < 0) {
        find(e, FINDING_PROBLEM, "store", "%s", err.message);
        return false;
    }
    state_clean(&e->store, &e->map, NULL);
    connect_clean(&e->store, &e->map);
    find(e, FINDING_OK, "store", "%s", e->store.path);
    return true;
}

/* What a run has to say is a finding. */
static void take_message(void *context, enum log_level level, const char *text) {
    if (level == LOG_LEVEL_WARNING)
        find(context, FINDING_NOTE, "container", "%s", text);
}

/* The proof: an empty container is made, as every run makes its own, and unwound. */
static int try_container(struct examination *e, const char *store, struct err *err) {
    const struct run_hooks hooks = {.log = {.emit = take_message, .context = e}};
    struct result result;
    struct state state;
    struct plan plan;
    int r = state_create(&state, &e->store, NULL, err);

    if (r < 0)
        return r;
    plan_init(&plan);
    result_init(&result);
    plan.image = str_printf("rootfs:%s/runs/%s/root", e->store.path, state.name);
    r = store ? str_set(&plan.store, store, err) : 0;
    if (r == 0 && (!plan.image || sys_mkdirat(state.fd, "root", 0755) < 0))
        r = err_errno(err, "cannot make a directory in the store");
    if (r == 0)
        r = run(&plan, &hooks, &result, err);
    result_done(&result);
    plan_done(&plan);
    (void)state_destroy(&state, &e->map, NULL);
    return r;
}

static void examine_container(struct examination *e, const char *store) {
    struct err err = {0};

    if (try_container(e, store, &err) < 0)
        find(e, FINDING_PROBLEM, "container", "%s", err.message);
    else
        find(e, FINDING_OK, "container", "one was made and unwound");
}

/* Each limit is tried; a group is made with it and removed. */
static void examine_limits(struct examination *e) {
    const struct {
        const char *name;
        struct limits limits;
    } tries[] = {
        {"memory", {.memory_bytes = UINT64_C(64) << 20}},
        {"cpus", {.cpu_quota_usec = LIMITS_CPU_PERIOD_USEC}},
        {"cpuset", {.cpuset = (char *)"0"}},
        {"pids", {.pids = 64}},
    };
    _cleanup_buf_ struct buf well = BUF_INIT;
    struct state state;
    struct err err = {0}, reason = {0};

    if (state_create(&state, &e->store, NULL, &err) < 0)
        return;
    for (size_t i = 0; i < N_ELEMENTS(tries); i++) {
        struct cgroup *cgroup = NULL;

        if (cgroup_create(&cgroup, &tries[i].limits, "doctor", state.fd, NULL, &err) == 0)
            buf_printf(&well, "%s--%s", well.size ? ", " : "", tries[i].name);
        else if (!reason.code)
            reason = err;
        (void)cgroup_destroy(cgroup, NULL);
    }
    (void)state_destroy(&state, &e->map, NULL);
    if (well.size > 0)
        find(e, FINDING_OK, "limits", "%s", well.data);
    if (reason.code)
        find(e, FINDING_NOTE, "limits", "%s", reason.message);
}

static void examine_libraries(struct examination *e) {
    struct err err = {0};

    if (image_libraries(&err) < 0)
        find(e, FINDING_NOTE, "images", "%s: only directories can be used as images", err.message);
    else
        find(e, FINDING_OK, "images", "libarchive, libcrypto and jansson are there");
}

int doctor(const char *store, void (*emit)(void *context, const struct finding *finding),
           void *context) {
    struct examination e = {.emit = emit, .context = context, .store = STORE_INIT};
    pid_t pid = -1;
    int pidfd = -1;

    examine_kernel(&e);
    examine_ids(&e, &pid, &pidfd);
    if (pid > 0)
        end_probe(pidfd);
    if (pid > 0 && examine_store(&e, store)) {
        examine_container(&e, store);
        examine_limits(&e);
        store_close(&e.store);
    }
    examine_libraries(&e);
    return e.n_problems;
}
