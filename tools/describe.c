/* SPDX-License-Identifier: Apache-2.0 */
/* Containers in the words that docker and podman have for them, as values. */
#include "describe.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#define COMMAND_COLUMNS 20

void describe_length(struct buf *buf, uint64_t nsec) {
    uint64_t seconds = nsec / NSEC_PER_SEC, minutes = seconds / 60, hours = minutes / 60;

    if (seconds < 1)
        buf_puts(buf, "Less than a second");
    else if (seconds < 60)
        buf_printf(buf, "%" PRIu64 " second%s", seconds, seconds == 1 ? "" : "s");
    else if (minutes == 1)
        buf_puts(buf, "About a minute");
    else if (minutes < 60)
        buf_printf(buf, "%" PRIu64 " minutes", minutes);
    else if (hours == 1)
        buf_puts(buf, "About an hour");
    else if (hours < 48)
        buf_printf(buf, "%" PRIu64 " hours", hours);
    else if (hours < 24 * 14)
        buf_printf(buf, "%" PRIu64 " days", hours / 24);
    else if (hours < 24 * 60)
        buf_printf(buf, "%" PRIu64 " weeks", hours / 24 / 7);
    else
        buf_printf(buf, "%" PRIu64 " months", hours / 24 / 30);
}

/* RFC 3339 with nanoseconds, UTC; docker's zero for what never was. */
static void add_moment(struct value *object, const char *key, uint64_t nsec) {
    time_t seconds = (time_t)(nsec / NSEC_PER_SEC);
    char text[64], whole[96];
    struct tm tm;

    if (nsec == 0 || !gmtime_r(&seconds, &tm)) {
        value_add_text(object, key, "0001-01-01T00:00:00Z");
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(whole, sizeof whole, "%s.%09" PRIu64 "Z", text, nsec % NSEC_PER_SEC);
    value_add_text(object, key, whole);
}

static void add_buf(struct value *object, const char *key, struct buf *buf) {
    value_add_text(object, key, buf->data ? buf->data : "");
    buf_done(buf);
}

static void add_list(struct value *object, const char *key, const struct strv *list) {
    struct value *items = value_add(object, key, value_new(VALUE_LIST));

    for (size_t i = 0; i < list->n; i++)
        value_add_text(items, NULL, list->items[i]);
}

/* NAME=VALUE as an object. */
static void add_pairs(struct value *object, const char *key, const struct strv *pairs) {
    struct value *items = value_add(object, key, value_new(VALUE_OBJECT));

    for (size_t i = 0; i < pairs->n; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        _cleanup_free_ char *name =
            equals ? strndup(pairs->items[i], (size_t)(equals - pairs->items[i])) : NULL;

        if (name)
            value_add_text(items, name, equals + 1);
    }
}

static void put_words(struct buf *buf, const struct life *life) {
    const struct strv *lists[] = {&life->entrypoint, &life->command};

    for (size_t i = 0; i < N_ELEMENTS(lists); i++)
        for (size_t j = 0; j < lists[i]->n; j++)
            buf_printf(buf, "%s%s", buf->size ? " " : "", lists[i]->items[j]);
}

static void put_status(struct buf *buf, const struct kept *kept, uint64_t now_nsec) {
    const struct kept_state *state = &kept->state;

    switch (state->status) {
    case KEPT_CREATED:
        buf_puts(buf, "Created");
        return;
    case KEPT_EXITED:
        buf_printf(buf, "Exited (%d) ", state->exit_code);
        describe_length(buf, now_nsec - state->finished_nsec);
        buf_puts(buf, " ago");
        return;
    case KEPT_RUNNING:
    case KEPT_PAUSED:
        buf_puts(buf, "Up ");
        describe_length(buf, now_nsec - state->started_nsec);
        break;
    }
    if (state->status == KEPT_PAUSED)
        buf_puts(buf, " (Paused)");
    else if (state->health == HEALTH_STARTING)
        buf_puts(buf, " (health: starting)");
    else if (state->health != HEALTH_NONE)
        buf_printf(buf, " (%s)", health_name(state->health));
}

static const char *protocol_name(uint8_t protocol) {
    return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static void put_address(struct buf *buf, uint32_t address_be) {
    uint32_t a = ntohl(address_be);

    buf_printf(buf, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void put_ports(struct buf *buf, const struct plan *plan) {
    for (size_t i = 0; i < plan->n_ports; i++) {
        buf_puts(buf, i ? ", " : "");
        put_address(buf, plan->ports[i].address_be);
        buf_printf(buf, ":%u->%u/%s", plan->ports[i].host_port, plan->ports[i].container_port,
                   protocol_name(plan->ports[i].protocol));
    }
}

struct value *describe_row(const struct kept *kept, const struct life *life, bool full,
                           uint64_t now_nsec) {
    struct value *row = value_new(VALUE_OBJECT);
    struct buf text = BUF_INIT, command = BUF_INIT;
    char id[KEPT_ID_BYTES];

    snprintf(id, sizeof id, "%.*s", full ? KEPT_ID_BYTES - 1 : KEPT_SHORT_ID_DIGITS, kept->id);
    value_add_text(row, "ID", id);
    value_add_text(row, "Names", kept->name);
    value_add_text(row, "Image", life->plan.image);
    put_words(&command, life);
    if (!full && command.size > COMMAND_COLUMNS) {
        command.data[COMMAND_COLUMNS - 3] = '\0';
        buf_printf(&text, "%s...", command.data);
        buf_done(&command);
        add_buf(row, "Command", &text);
    } else {
        add_buf(row, "Command", &command);
    }
    add_moment(row, "CreatedAt", kept->state.created_nsec);
    describe_length(&text, now_nsec - kept->state.created_nsec);
    buf_puts(&text, " ago");
    add_buf(row, "RunningFor", &text);
    put_status(&text, kept, now_nsec);
    add_buf(row, "Status", &text);
    value_add_text(row, "State", kept_status_name(kept->state.status));
    put_ports(&text, &life->plan);
    add_buf(row, "Ports", &text);
    add_pairs(row, "Labels", &life->labels);
    value_add_number(row, "Pid", kept->state.pid);
    value_add_number(row, "ExitCode", kept->state.exit_code);
    value_add_text(row, "Health", health_name(kept->state.health));
    return row;
}

/* --- inspect ------------------------------------------------------------------ */

static void add_state(struct value *whole, const struct kept *kept) {
    const struct kept_state *state = &kept->state;
    struct value *object = value_add(whole, "State", value_new(VALUE_OBJECT));

    value_add_text(object, "Status", kept_status_name(state->status));
    value_add_bool(object, "Running", kept_is_live(kept));
    value_add_bool(object, "Paused", state->status == KEPT_PAUSED);
    value_add_number(object, "Pid", state->pid);
    value_add_number(object, "SupervisorPid", state->supervisor);
    value_add_number(object, "ExitCode", state->exit_code);
    value_add_text(object, "Error", state->reason);
    add_moment(object, "StartedAt", state->started_nsec);
    add_moment(object, "FinishedAt", state->finished_nsec);
    if (state->health != HEALTH_NONE) {
        struct value *health = value_add(object, "Health", value_new(VALUE_OBJECT));

        value_add_text(health, "Status", health_name(state->health));
        value_add_number(health, "FailingStreak", state->failing);
    }
}

static void add_config(struct value *whole, const struct life *life) {
    struct value *object = value_add(whole, "Config", value_new(VALUE_OBJECT));

    value_add_text(object, "Hostname", life->plan.hostname ? life->plan.hostname : life->plan.name);
    value_add_text(object, "User", life->plan.user ? life->plan.user : "");
    value_add_text(object, "Image", life->plan.image);
    value_add_text(object, "WorkingDir", life->plan.workdir ? life->plan.workdir : "");
    value_add_bool(object, "Tty", life->terminal);
    value_add_bool(object, "OpenStdin", life->keep_stdin);
    add_list(object, "Env", &life->plan.env);
    add_list(object, "Cmd", &life->command);
    add_list(object, "Entrypoint", &life->entrypoint);
    add_pairs(object, "Labels", &life->labels);
    add_pairs(object, "Annotations", &life->annotations);
    value_add_number(object, "StopTimeout", (int64_t)(life->stop_timeout_nsec / NSEC_PER_SEC));
}

static const char *net_name(const struct plan *plan) {
    if (plan->network)
        return plan->network;
    switch (plan->net) {
    case NET_HOST:
        return "host";
    case NET_BRIDGE:
        return "bridge";
    case NET_NAT:
        return "nat";
    default:
        return "none";
    }
}

static void add_devices(struct value *config, const struct plan *plan) {
    struct value *list = value_add(config, "Devices", value_new(VALUE_LIST));

    for (size_t i = 0; i < plan->n_devices; i++) {
        const struct device *device = &plan->devices[i];
        struct value *object = value_add(list, NULL, value_new(VALUE_OBJECT));

        value_add_text(object, "PathOnHost", device->source);
        value_add_text(object, "PathInContainer", device->target);
        value_add_text(object, "CgroupPermissions",
                       device->readable ? device->writable ? "rw" : "r" : "w");
    }
}

/* 0: none, as docker has it. */
static void add_limits(struct value *object, const struct limits *limits) {
    value_add_number(object, "Memory", (int64_t)limits->memory_bytes);
    value_add_number(object, "NanoCpus",
                     (int64_t)(limits->cpu_quota_usec * NSEC_PER_SEC / LIMITS_CPU_PERIOD_USEC));
    value_add_number(object, "PidsLimit", (int64_t)limits->pids);
}

static void add_host_config(struct value *whole, const struct kept *kept, const struct life *life) {
    static const char *const policies[] = {"no", "on-failure", "always"};
    struct value *object = value_add(whole, "HostConfig", value_new(VALUE_OBJECT));
    struct value *restart = value_add(object, "RestartPolicy", value_new(VALUE_OBJECT));
    struct value *log = value_add(object, "LogConfig", value_new(VALUE_OBJECT));

    value_add_text(restart, "Name", policies[life->restart]);
    value_add_number(restart, "MaximumRetryCount", life->restart_max);
    value_add_text(log, "Type", life->log_off ? "none" : "file");
    value_add_bool(object, "AutoRemove", life->remove);
    value_add_text(object, "NetworkMode", net_name(&life->plan));
    value_add_bool(object, "ReadonlyRootfs", life->plan.read_only);
    add_limits(object, &life->plan.limits);
    add_devices(object, &life->plan);
    describe_confinement(whole, object, &life->plan, kept->state.pid);
}

static void add_mounts(struct value *whole, const struct plan *plan) {
    struct value *list = value_add(whole, "Mounts", value_new(VALUE_LIST));

    for (size_t i = 0; i < plan->n_volumes; i++) {
        struct value *mount = value_add(list, NULL, value_new(VALUE_OBJECT));

        value_add_text(mount, "Type", "bind");
        value_add_text(mount, "Source", plan->volumes[i].source);
        value_add_text(mount, "Destination", plan->volumes[i].target);
        value_add_bool(mount, "RW", plan->volumes[i].mode != VOLUME_RO);
    }
    for (size_t i = 0; i < plan->n_tmpfs; i++) {
        struct value *mount = value_add(list, NULL, value_new(VALUE_OBJECT));

        value_add_text(mount, "Type", "tmpfs");
        value_add_text(mount, "Source", "");
        value_add_text(mount, "Destination", plan->tmpfs[i].target);
        value_add_bool(mount, "RW", true);
    }
}

static void add_address(struct value *object, const struct kept_address *address) {
    value_add_text(object, "IPAddress", address->address);
    value_add_text(object, "Gateway", address->gateway);
}

static void add_network(struct value *whole, const struct plan *plan,
                        const struct kept_address *address) {
    struct value *object = value_add(whole, "NetworkSettings", value_new(VALUE_OBJECT));
    struct value *ports = value_add(object, "Ports", value_new(VALUE_OBJECT));
    struct value *networks = value_add(object, "Networks", value_new(VALUE_OBJECT));

    add_address(object, address);
    if (plan->net == NET_BRIDGE || plan->net == NET_NAT)
        add_address(value_add(networks, net_name(plan), value_new(VALUE_OBJECT)), address);
    for (size_t i = 0; i < plan->n_ports; i++) {
        struct buf text = BUF_INIT;
        struct value *list, *port;
        char name[32];

        snprintf(name, sizeof name, "%u/%s", plan->ports[i].container_port,
                 protocol_name(plan->ports[i].protocol));
        list = value_add(ports, name, value_new(VALUE_LIST));
        port = value_add(list, NULL, value_new(VALUE_OBJECT));
        put_address(&text, plan->ports[i].address_be);
        add_buf(port, "HostIp", &text);
        buf_printf(&text, "%u", plan->ports[i].host_port);
        add_buf(port, "HostPort", &text);
    }
}

/* Its program: the first word and the others. */
static void add_program(struct value *whole, const struct life *life) {
    const struct strv *lists[] = {&life->entrypoint, &life->command};
    struct value *args = value_new(VALUE_LIST);
    bool is_first = true;

    for (size_t i = 0; i < N_ELEMENTS(lists); i++)
        for (size_t j = 0; j < lists[i]->n; j++) {
            value_add_text(is_first ? whole : args, is_first ? "Path" : NULL, lists[i]->items[j]);
            is_first = false;
        }
    (void)value_add(whole, "Args", args);
}

struct value *describe_whole(const struct kept *kept, const struct life *life,
                             const struct kept_address *address) {
    struct value *whole = value_new(VALUE_OBJECT);

    value_add_text(whole, "Id", kept->id);
    value_add_text(whole, "Name", kept->name);
    add_moment(whole, "Created", kept->state.created_nsec);
    add_program(whole, life);
    add_state(whole, kept);
    value_add_text(whole, "Image", kept->state.image_id);
    value_add_text(whole, "ImageName", life->plan.image);
    value_add_number(whole, "RestartCount", kept->state.restarts);
    add_config(whole, life);
    add_host_config(whole, kept, life);
    add_mounts(whole, &life->plan);
    add_network(whole, &life->plan, address);
    return whole;
}
