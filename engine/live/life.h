/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LIFE_H
#define MAYFLY_LIFE_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/plan/plan.h"
#include "rootfs/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum restart_policy {
    RESTART_NO,
    RESTART_ON_FAILURE,
    RESTART_ALWAYS,
};

/**
 * struct health_plan - how a container is asked whether it is well
 * @command: of /bin/sh -c; NULL: it is not asked
 * @retries: failures in a row that make it unhealthy
 */
struct health_plan {
    char *command;
    uint64_t interval_nsec;
    uint64_t timeout_nsec;
    uint64_t start_period_nsec;
    unsigned retries;
};

/**
 * struct life - the description of a container that lives longer than a command
 * @plan: its actions are empty; its name is the container's
 * @entrypoint: in place of the image's where @has_entrypoint
 * @command: the words after the image
 * @terminal: the main program has a terminal
 * @keep_stdin: standard input stays open with nobody attached
 * @remove: the container is removed when it ends
 * @dies_with_owner: it ends when the process that has started it does
 * @restart_max: of RESTART_ON_FAILURE; 0: no limit
 * @stop_signal: 0: the image's, else SIGTERM
 * @labels, @annotations: NAME=VALUE
 * @log_max_bytes: when the log is begun anew, the older one kept
 * @pid_file: where the host's pid of PID 1 is written; NULL: nowhere
 * @words: names and values in turn, from which all of it can be read again
 */
struct life {
    struct plan plan;
    struct strv entrypoint;
    bool has_entrypoint;
    struct strv command;
    bool terminal;
    bool keep_stdin;
    bool remove;
    bool dies_with_owner;
    bool log_off;
    enum restart_policy restart;
    unsigned restart_max;
    int stop_signal;
    uint64_t stop_timeout_nsec;
    struct health_plan health;
    struct strv labels;
    struct strv annotations;
    uint64_t log_max_bytes;
    char *pid_file;
    struct strv words;
};

void life_init(struct life *life);
void life_done(struct life *life);

#define _cleanup_life_ __attribute__((cleanup(life_done)))

/**
 * life_set() - take one option
 * @name: of plan_option(), or "image", "argument" (one word of the command), "entrypoint" (several:
 *        a list; "": none), "workdir", "tty", "interactive", "rm", "lifetime", "restart",
 *        "stop-signal", "stop-timeout", "health-cmd", "health-interval", "health-retries",
 *        "health-timeout", "health-start-period", "label", "annotation", "log-driver", "log-opt",
 *        "pidfile", "init-system"
 * @value: NULL for an option without one
 *
 * What depends on this process, its directory and environment, is written down as it is now.
 * Return: 0, -EINVAL or -ENOENT with a text, -ENOMEM.
 */
int life_set(struct life *life, const char *name, const char *value, struct err *err);

/** life_is_lasting() - whether an option of life_set() is only for containers that live longer. */
bool life_is_lasting(const char *name);

/** life_write() - append everything as bytes. */
void life_write(const struct life *life, struct buf *buf);

/** life_read() - read what life_write() has written.  Return: 0 or -errno with a text. */
int life_read(struct life *life, const char *data, size_t size, struct err *err);

/** life_check() - find what is wrong before anything is done, see plan_check(). */
int life_check(const struct life *life, struct err *err);

/**
 * life_argv() - the main program's words; with plan.init_system /sbin/init unless others are given
 * @config: of the image, whose entrypoint and command stand in for what is not given
 *
 * Spec: OCI image-spec, config.md, "Entrypoint", "Cmd": another entrypoint drops the image's
 * command. Return: 0, -EINVAL with a text when there are none, -ENOMEM.
 */
int life_argv(const struct life *life, const struct image_config *config, struct strv *ret_argv,
              struct err *err);

/** life_has_label() - whether it has a label: NAME, or NAME=VALUE. */
bool life_has_label(const struct life *life, const char *wanted);

/** life_stop_signal() - the signal by which the container is asked to end. */
int life_stop_signal(const struct life *life, const struct image_config *config);

#endif
