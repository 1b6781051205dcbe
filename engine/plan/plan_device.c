/* SPDX-License-Identifier: Apache-2.0 */
/* What people write of a device of the host's: HOST[:CONTAINER][:rwm]. */
#include "plan.h"

#include "engine/base/cleanup.h"
#include "plan_spec.h"

#include <errno.h>
#include <string.h>

static bool is_access(const char *text) {
    return *text && !text[strspn(text, "rwm")];
}

static void device_done(struct device *device) {
    free(device->source);
    free(device->target);
}

int plan_add_device(struct plan *plan, const char *spec, struct err *err) {
    _cleanup_(device_done) struct device device = {.readable = true, .writable = true};
    _cleanup_strv_ struct strv fields = {0};
    struct device *devices;
    const char *target, *access = NULL;
    int r;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    /* As docker reads it: a second field that can be an access is one. */
    target = fields.items[0];
    if (fields.n == 3 || (fields.n == 2 && !is_access(fields.items[1])))
        target = fields.items[1];
    if (fields.n == 3 || (fields.n == 2 && is_access(fields.items[1])))
        access = fields.items[fields.n - 1];
    if (fields.n > 3 || fields.items[0][0] != '/' || (access && !is_access(access)))
        return err_set(err, -EINVAL, "--device '%s' is not /dev/NAME[:/dev/NAME][:rwm]", spec);
    r = plan_spec_target(target, &device.target, err);
    if (r < 0)
        return err_wrap(err, "--device '%s'", spec);
    device.source = take_ptr(fields.items[0]);
    if (access) {
        device.readable = strchr(access, 'r') != NULL;
        device.writable = strchr(access, 'w') != NULL;
    }
    devices = reallocarray(plan->devices, plan->n_devices + 1, sizeof *devices);
    if (!devices)
        return err_nomem(err);
    plan->devices = devices;
    devices[plan->n_devices++] = device;
    device = (struct device){0};
    return 0;
}
