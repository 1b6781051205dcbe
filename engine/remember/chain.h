/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CHAIN_H
#define MAYFLY_CHAIN_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/capture.h"
#include "engine/result.h"
#include "engine/session.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct chain - a run in several containers, each on what the ones before have left
 * @request: what each is started from
 * @base: the run's ids, store and image; no container
 * @session: the container, while @live
 * @keeps: the plan's kept directories, from the first container on
 * @capture: its output, while @captured
 * @layers: what lies over the image's layers
 * @volume_layers: the same for each of the plan's volumes
 * @workdir: where the uppermost layer was made; NULL: the image's
 * @workdirs: those changed to since then, with the one now at the end
 * @top: the remembered step whose layer is the uppermost, as a directory in the store; "": none
 * @carry: a directory of the run's for what outlives a container; made when needed
 * @committed: the image that the layers belong to, kept from being removed
 * @first: the first action after those that the layers stand for
 */
struct chain {
    const struct session_request *request;
    struct result *result;
    struct session base;
    struct session session;
    bool live;
    bool was_live;
    struct keeps keeps;
    bool has_keeps;
    struct capture capture;
    bool captured;
    struct strv layers;
    struct strv *volume_layers;
    char *workdir;
    struct strv workdirs;
    char top[96];
    struct state carry;
    struct image committed;
    size_t first;
};

/**
 * chain_init() - look up what a run needs; no container is made
 *
 * Return: 0, a SUPERVISE_ condition, or -errno with a text; chain_done() is due either way.
 */
int chain_init(struct chain *chain, const struct session_request *request, struct result *result,
               struct err *err);

void chain_done(struct chain *chain);

/**
 * chain_enter() - have a container for an action, on the layers so far
 * @index: of the action; the workdirs before it are entered
 * @captured: its steps read nothing, and what they write is kept as well as shown
 *
 * One that lives is kept.
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int chain_enter(struct chain *chain, size_t index, bool captured, struct err *err);

/** chain_leave() - end the container, if there is one. */
void chain_leave(struct chain *chain);

/** chain_change_workdir() - a change of the workdir, to be made when there is a container. */
int chain_change_workdir(struct chain *chain, size_t index, struct err *err);

/**
 * chain_push() - what an action has made lies over the rest from now on
 * @index: of the action
 * @directory: in the store; has "tree" and a "volume.N" for each of @volumes
 *
 * Return: 0 or -ENOMEM with a text.
 */
int chain_push(struct chain *chain, size_t index, const char *directory, const struct strv *volumes,
               struct err *err);

/** chain_move_workdir() - the layers are what the container before action @index has left.
 * Return: 0 or -ENOMEM with a text. */
int chain_move_workdir(struct chain *chain, size_t index, struct err *err);

#endif
