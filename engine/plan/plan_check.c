/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a plan as a whole, found before anything is done.  Plans
 * come from more than one front end, so nothing is taken for granted that the
 * plan_add functions have looked at already.
 */
#include "engine/confine/sysctl.h"
#include "plan.h"
#include "plan_spec.h"

#include <errno.h>
#include <string.h>

static int check_names(const struct plan *plan, struct err *err) {
    const char *group;

    if (!plan->image || !plan->image[0])
        return err_set(err, -EINVAL, "no image is named; give one with -i IMAGE");
    if (plan->name && !plan_spec_name_ok(plan->name))
        return err_set(err, -EINVAL,
                       "--name '%s' is not a name; use up to 63 letters, digits, '_', '.', '-', "
                       "a letter or digit first",
                       plan->name);
    if (plan->hostname && !plan_spec_hostname_ok(plan->hostname))
        return err_set(err, -EINVAL,
                       "--hostname '%s' is not a host name; use up to 64 letters, digits, "
                       "inner hyphens and dots",
                       plan->hostname);
    if (!plan->user)
        return 0;
    group = strchr(plan->user, ':');
    if (!plan->user[0] || group == plan->user || (group && (!group[1] || strchr(group + 1, ':'))))
        return err_set(err, -EINVAL, "-u '%s' is not USER[:GROUP]", plan->user);
    return 0;
}

static int check_env(const struct plan *plan, struct err *err) {
    for (size_t i = 0; i < plan->env.n; i++) {
        const char *assignment = plan->env.items[i];

        if (assignment[0] == '=' || !strchr(assignment, '='))
            return err_set(err, -EINVAL, "-e '%s' is not NAME=VALUE", assignment);
    }
    return 0;
}

/* The target of the mount numbered @i, volumes first, and the option that asked for it. */
static const char *mount_target(const struct plan *plan, size_t i, const char **ret_option) {
    if (i < plan->n_volumes) {
        *ret_option = "-v";
        return plan->volumes[i].target;
    }
    i -= plan->n_volumes;
    if (i < plan->n_devices) {
        *ret_option = "--device";
        return plan->devices[i].target;
    }
    i -= plan->n_devices;
    *ret_option = i < plan->n_tmpfs ? "--tmpfs" : "-k";
    return i < plan->n_tmpfs ? plan->tmpfs[i].target : plan->keeps[i - plan->n_tmpfs].target;
}

bool plan_mounts_on(const struct plan *plan, const char *target) {
    size_t n = plan->n_volumes + plan->n_tmpfs + plan->n_keeps;
    const char *option;

    for (size_t i = 0; i < n; i++)
        if (str_eq(target, mount_target(plan, i, &option)))
            return true;
    return false;
}

static int check_mounts(const struct plan *plan, struct err *err) {
    size_t n = plan->n_volumes + plan->n_devices + plan->n_tmpfs + plan->n_keeps;

    for (size_t i = 0; i < n; i++) {
        const char *option, *other_option;
        const char *target = mount_target(plan, i, &option);

        if (!target || !plan_spec_target_ok(target))
            return err_set(err, -EINVAL, "%s: '%s' is not an absolute, plain path in the container",
                           option, target ? target : "");
        if (i < plan->n_volumes && (!plan->volumes[i].source || plan->volumes[i].source[0] != '/'))
            return err_set(err, -EINVAL, "-v: the source for '%s' is not an absolute path", target);
        for (size_t j = 0; j < i; j++)
            if (str_eq(target, mount_target(plan, j, &other_option)))
                return err_set(err, -EINVAL, "%s: '%s' is already the target of %s; give it once",
                               option, target, other_option);
    }
    return 0;
}

/* Two places of one kept directory could lock each other out. */
static int check_keeps(const struct plan *plan, struct err *err) {
    for (size_t i = 0; i < plan->n_keeps; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(plan->keeps[i].name, plan->keeps[j].name))
                return err_set(err, -EINVAL, "-k %s is given twice; give each its own name",
                               plan->keeps[i].name);
    return 0;
}

static int check_remember(const struct plan *plan, struct err *err) {
    if (plan->remember && (confinement_profile(&plan->confinement) || plan->confinement.apparmor))
        return err_set(err, -EINVAL,
                       "-r knows nothing of what a profile says: leave out -r, or --security-opt "
                       "seccomp=FILE and apparmor=PROFILE");
    if (plan->remember && plan->n_devices > 0)
        return err_set(err, -EINVAL,
                       "-r knows nothing of what a device holds: leave out -r, or --device");
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct action *action = &plan->actions[i];

        if (!plan->remember && (action->transient || action->forget))
            return err_set(err, -EINVAL, "%s means something with -r alone",
                           action->forget ? "--forget" : "--no-remember");
    }
    return 0;
}

static int check_sysctls(const struct plan *plan, struct err *err) {
    for (size_t i = 0; plan->net == NET_HOST && i < plan->sysctls.n; i++)
        if (sysctl_is_network(plan->sysctls.items[i]))
            return err_set(err, -EINVAL,
                           "--sysctl %s would be the host's with --net host; give the container a "
                           "network of its own",
                           plan->sysctls.items[i]);
    return 0;
}

int plan_check(const struct plan *plan, struct err *err) {
    int r = check_names(plan, err);

    if (r == 0)
        r = check_env(plan, err);
    if (r == 0)
        r = check_mounts(plan, err);
    if (r == 0)
        r = check_keeps(plan, err);
    if (r == 0)
        r = check_remember(plan, err);
    if (r == 0)
        r = limits_check(&plan->limits, err);
    if (r == 0)
        r = check_sysctls(plan, err);
    if (r == 0)
        r = confinement_check(&plan->confinement, err);
    if (r < 0)
        return r;
    if (plan->init_system && plan->userns_host)
        return err_set(err, -EINVAL,
                       "--init-system would run with the host's root: leave out --userns host");
    if (plan->isolate && !plan_has_bridge(plan))
        return err_set(
            err, -EINVAL,
            "--isolate is for containers on a bridge: leave it out, or add --net bridge");
    if (plan->n_ports > 0 && !plan_takes_ports(plan))
        return err_set(err, -EINVAL, "--publish needs a network that leads out: add --net nat");
    if (plan->timeout_nsec == 0)
        return err_set(err, -EINVAL, "--timeout 0 leaves no time; give more, or leave it out");
    if (plan->step_timeout_nsec == 0)
        return err_set(err, -EINVAL, "--step-timeout 0 leaves no time; give more, or leave it out");
    return 0;
}
