/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope of systemd: a group of its own for this process, delegated, so that
 * groups may be made in it.  The manager is asked over its bus, and does the
 * moving as a job, whose end it tells by a signal.
 *
 * It is the manager's own socket that is spoken to, which is there without a bus
 * daemon: the system's for root, the user's for a user, found also where the
 * environment does not name it (su, cron).  A user who has the session's bus alone
 * (in a sandbox) is heard there.
 */
#include "cgroup_scope.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "rootfs/lazy.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>

#ifdef MAYFLY_STATIC

int cgroup_scope_enter(struct err *err) {
    return err_set(err, -ENOENT, "this build of mayfly cannot open libsystemd");
}

#else

#include <systemd/sd-bus.h>

#define LAZY_SYSTEMD(X)                                                                            \
    X(sd_bus_new)                                                                                  \
    X(sd_bus_set_address)                                                                          \
    X(sd_bus_set_bus_client)                                                                       \
    X(sd_bus_start)                                                                                \
    X(sd_bus_flush_close_unref)                                                                    \
    X(sd_bus_match_signal)                                                                         \
    X(sd_bus_call_method)                                                                          \
    X(sd_bus_process)                                                                              \
    X(sd_bus_wait)                                                                                 \
    X(sd_bus_message_read)                                                                         \
    X(sd_bus_message_unref)                                                                        \
    X(sd_bus_error_free)

struct lazy_systemd {
    LAZY_SYSTEMD(LAZY_MEMBER)
};

const struct lazy_systemd *lazy_systemd(struct err *err);

LAZY_DEFINE(lazy_systemd, LAZY_SYSTEMD, "libsystemd.so.0", "libsystemd0")

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

/* How long the manager may take; it answers within milliseconds unless the host is in trouble. */
#define JOB_NSEC (10 * NSEC_PER_SEC)

struct scope {
    const struct lazy_systemd *lib;
    sd_bus *bus;
    char *name;
    bool is_done;
    bool is_well;
};

static void scope_done(struct scope *scope) {
    if (scope->bus)
        scope->lib->sd_bus_flush_close_unref(scope->bus);
    free(scope->name);
}

/* Signal JobRemoved(u id, o job, s unit, s result). */
static int job_removed(sd_bus_message *message, void *argument, sd_bus_error *ret_error) {
    struct scope *scope = argument;
    const char *unit, *result;

    (void)ret_error;
    if (scope->lib->sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result) >= 0 &&
        str_eq(unit, scope->name)) {
        scope->is_done = true;
        scope->is_well = str_eq(result, "done");
    }
    return 0;
}

/* The address of the manager, and whether it is a bus, where one says hello first. */
static char *manager_address(bool *ret_is_bus) {
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    _cleanup_free_ char *dir = geteuid() == 0 ? strdup("/run")
                               : runtime && *runtime == '/'
                                   ? strdup(runtime)
                                   : str_printf("/run/user/%u", (unsigned)geteuid());
    _cleanup_free_ char *own = dir ? str_printf("%s/systemd/private", dir) : NULL;

    *ret_is_bus = geteuid() != 0 && own && access(own, F_OK) < 0;
    if (!*ret_is_bus)
        return own ? str_printf("unix:path=%s", own) : NULL;
    return address && *address ? strdup(address) : str_printf("unix:path=%s/bus", dir);
}

static int connect_manager(struct scope *scope) {
    bool is_bus;
    _cleanup_free_ char *address = manager_address(&is_bus);
    const struct lazy_systemd *lib = scope->lib;
    int r = address ? lib->sd_bus_new(&scope->bus) : -ENOMEM;

    if (r >= 0)
        r = lib->sd_bus_set_address(scope->bus, address);
    if (r >= 0)
        r = lib->sd_bus_set_bus_client(scope->bus, is_bus);
    if (r >= 0)
        r = lib->sd_bus_start(scope->bus);
    /* The manager sends signals to those that have asked for them, on a bus. */
    if (r >= 0 && is_bus)
        r = lib->sd_bus_call_method(scope->bus, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                    "Subscribe", NULL, NULL, "");
    if (r >= 0)
        r = lib->sd_bus_match_signal(scope->bus, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE,
                                     "JobRemoved", job_removed, scope);
    return r;
}

static int start_scope(struct scope *scope, struct err *err) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const struct lazy_systemd *lib = scope->lib;
    int r = lib->sd_bus_call_method(scope->bus, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                    "StartTransientUnit", &error, NULL, "ssa(sv)a(sa(sv))",
                                    scope->name, "fail", 4, "Description", "s", "mayfly container",
                                    "Delegate", "b", 1, "CollectMode", "s", "inactive-or-failed",
                                    "PIDs", "au", 1, (uint32_t)getpid(), 0);

    if (r < 0)
        err_set(err, r, "systemd refuses a scope: %s",
                error.message ? error.message : strerror(-r));
    lib->sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

static int await_job(struct scope *scope) {
    uint64_t deadline = clock_monotonic() + JOB_NSEC;

    while (!scope->is_done) {
        uint64_t now = clock_monotonic();
        int r = scope->lib->sd_bus_process(scope->bus, NULL);

        if (r < 0)
            return r;
        if (r > 0)
            continue;
        if (now >= deadline)
            return -ETIMEDOUT;
        r = scope->lib->sd_bus_wait(scope->bus, (deadline - now) / 1000);
        if (r < 0 && r != -EINTR)
            return r;
    }
    return scope->is_well ? 0 : -EIO;
}

int cgroup_scope_enter(struct err *err) {
    _cleanup_(scope_done) struct scope scope = {.lib = lazy_systemd(err)};
    uint64_t bits;
    int r;

    if (!scope.lib)
        return -ENOENT;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, "cannot get a random number");
    scope.name = str_printf("mayfly-%016" PRIx64 ".scope", bits);
    if (!scope.name)
        return err_nomem(err);
    r = connect_manager(&scope);
    if (r < 0)
        return err_set(err, r, "cannot reach systemd: %s", strerror(-r));
    r = start_scope(&scope, err);
    if (r < 0)
        return r;
    r = await_job(&scope);
    return r < 0 ? err_set(err, r, "systemd did not start the scope: %s", strerror(-r)) : 0;
}

#endif
