/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_H
#define MAYFLY_H

/**
 * libmayfly: containers that last no longer than they are needed.
 *
 * Errors are values: every call that can fail takes a struct mayfly_error, which may be NULL, and
 * returns a negative errno as in error->code.  The library never prints or exits; it keeps no
 * global state and leaves alone the caller's working directory, umask, environment, signal
 * handlers and signal mask.  Different containers may be used from different threads at the same
 * time, one container from one thread at a time.
 *
 * Work goes on in processes of their own, each waited for before the call returns or held by a
 * handle; a handler for SIGCHLD may see one end that it knows nothing of.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** MAYFLY_ERROR_BYTES - the size of an error's text, its terminating NUL included. */
#define MAYFLY_ERROR_BYTES 480

/**
 * struct mayfly_error - what went wrong
 * @code: a negative errno
 * @message: one line that names the thing and, where there is one, the mend; no newline
 */
struct mayfly_error {
    int code;
    char message[MAYFLY_ERROR_BYTES];
};

/** mayfly_version() - the library's version, as "0.1.0".  Context: any. */
const char *mayfly_version(void);

/* --- plans --------------------------------------------------------------------- */

/** struct mayfly_plan - what a container is to be; made once, used for any number of them. */
struct mayfly_plan;

/**
 * mayfly_plan_new() - begin a plan
 * @image: a reference as mayfly -i takes it; copied
 * @ret_plan: for mayfly_plan_free()
 *
 * Return: 0 or -ENOMEM.
 */
int mayfly_plan_new(const char *image, struct mayfly_plan **ret_plan, struct mayfly_error *error);

/**
 * mayfly_plan_option() - say what an option of the command line says
 * @name: its long name without "--": "volume", "env", "net", "memory" ...; of mayfly run "restart",
 *        "health-cmd", "label" and the like, for mayfly_run() alone; of the one-liner "remember",
 *        "no-remember", "forget", "remember-for", "timeout" and "step-timeout", for
 *        mayfly_perform() alone
 * @value: its argument, copied; NULL where it takes none
 *
 * Return: 0, -ENOENT when there is no such option, -EINVAL for a wrong value, -ENOMEM.
 */
int mayfly_plan_option(struct mayfly_plan *plan, const char *name, const char *value,
                       struct mayfly_error *error);

/**
 * mayfly_plan_action() - add something to do, for mayfly_perform(): actions of the one-liner
 * @name: "workdir", "shellcmd", "exec", "upload", "download" or "commit"
 * @words: its argument as there, "SRC:DEST"; of "exec" a program and its arguments.  NULL at the
 *         end, copied.
 *
 * Return: 0, -ENOENT when there is no such action, -EINVAL for a wrong argument, -ENOMEM.
 */
int mayfly_plan_action(struct mayfly_plan *plan, const char *name, const char *const *words,
                       struct mayfly_error *error);

/** mayfly_plan_free() - free a plan; NULL is allowed.  Containers made from it live on. */
void mayfly_plan_free(struct mayfly_plan *plan);

/* --- containers ------------------------------------------------------------------ */

/**
 * struct mayfly_container - a container that runs
 *
 * A process of its own holds it, the holder.  When this handle is destroyed, or the process that
 * owns it dies in whatever way, the container ends and is unwound.
 */
struct mayfly_container;

/**
 * mayfly_start() - start a container, with nothing running in it yet
 * @ret_container: for mayfly_destroy()
 *
 * The image is brought into the store if it has to be.  What the caller has in memory now is what
 * functions find that run in the container later (mayfly_call()).
 * Return: 0 or a negative errno; nothing is left of a container that could not be started.
 */
int mayfly_start(const struct mayfly_plan *plan, struct mayfly_container **ret_container,
                 struct mayfly_error *error);

/**
 * mayfly_run() - start a container that lives on, with a supervisor of its own: 'mayfly run -d'
 * @argv: its main program, NULL at the end; NULL: the image's
 * @ret_container: as of mayfly_attach()
 *
 * It is listed by 'mayfly ps', and goes on when this process ends unless "lifetime" is "owner";
 * mayfly_remove() or 'mayfly rm -f' ends it.
 * Return: 0, or a negative errno; nothing is left of one that could not be started.
 */
int mayfly_run(const struct mayfly_plan *plan, const char *const *argv,
               struct mayfly_container **ret_container, struct mayfly_error *error);

/**
 * mayfly_attach() - a handle for a container that somebody else has started, with 'mayfly run -d'
 * @name: its name, its id or the beginning of its id
 * @ret_container: for mayfly_destroy(), which lets go of it and does not end it
 *
 * Programs run in it and files are copied as in one's own; functions are not known there.
 * Return: 0, -ENOENT, -ENOTCONN when it does not run, or another negative errno.
 */
int mayfly_attach(const char *name, struct mayfly_container **ret_container,
                  struct mayfly_error *error);

/** mayfly_name() - the container's name, valid until mayfly_destroy(). */
const char *mayfly_name(const struct mayfly_container *container);

/**
 * mayfly_wait_fd() - a descriptor that becomes readable when the container has ended by itself
 *
 * For poll(2) alone; it belongs to the container.
 */
int mayfly_wait_fd(const struct mayfly_container *container);

/**
 * mayfly_wait() - wait until the container has ended by itself
 * @timeout_nsec: how long; UINT64_MAX: as long as it takes
 *
 * Return: 0 when it has ended, with @error saying why; -ETIMEDOUT when it goes on.
 */
int mayfly_wait(struct mayfly_container *container, uint64_t timeout_nsec,
                struct mayfly_error *error);

/**
 * mayfly_signal() - send a signal to every program in the container, or, where it was attached to,
 *                   to its main program
 * @number: as for kill(2); 0 only asks whether the container lives
 *
 * Return: 0, -EPIPE when the container has ended, -EINVAL.
 */
int mayfly_signal(struct mayfly_container *container, int number, struct mayfly_error *error);

/**
 * mayfly_freeze() - stop every process in the container, PID 1 included, until mayfly_thaw()
 *
 * Nothing can be asked of it meanwhile but mayfly_commit(), mayfly_wait() and its end.
 * Return: 0 when all stand still; -EOPNOTSUPP where this host gives the container no control group,
 * by which alone that can be done; -EINVAL when it is frozen already; or another negative errno.
 */
int mayfly_freeze(struct mayfly_container *container, struct mayfly_error *error);

/** mayfly_thaw() - let it go on.  Return: 0, -EINVAL when it is not frozen, or a negative errno. */
int mayfly_thaw(struct mayfly_container *container, struct mayfly_error *error);

/**
 * struct mayfly_port - a port of the host's that leads into a container
 * @address: of the host, as text; "0.0.0.0" and "::": every one
 * @host_port, @container_port: host byte order
 * @is_udp: UDP's, else TCP's
 */
struct mayfly_port {
    char address[46];
    uint16_t host_port;
    uint16_t container_port;
    bool is_udp;
};

/**
 * mayfly_ports() - the published ports of a container on one of mayfly's networks
 * @ret_ports: an array of @ret_n, for free(3); NULL where there are none
 *
 * Return: 0 or a negative errno.
 */
int mayfly_ports(struct mayfly_container *container, struct mayfly_port **ret_ports, size_t *ret_n,
                 struct mayfly_error *error);

/**
 * mayfly_commit() - make an image of what the container's root file system is now
 * @name: for the image, "tool:1"; another image loses it
 * @ret_id: its id, for free(3); may be NULL
 *
 * Programs in the container are stopped meanwhile.  Volumes are no part of it.
 * Return: 0, -EINVAL when the container was not made from an image of the store, or another
 * negative errno.
 */
int mayfly_commit(struct mayfly_container *container, const char *name, char **ret_id,
                  struct mayfly_error *error);

/** enum mayfly_health - what a container's health command has said last */
enum mayfly_health {
    MAYFLY_NOT_ASKED, /* it has none */
    MAYFLY_STARTING,
    MAYFLY_HEALTHY,
    MAYFLY_UNHEALTHY
};

/** mayfly_health() - whether a container says that it is well.  Return: 0 or a negative errno. */
int mayfly_health(struct mayfly_container *container, enum mayfly_health *ret_health,
                  struct mayfly_error *error);

/**
 * mayfly_destroy() - end a container and wait until nothing is left of it; NULL is allowed
 *
 * One that was attached to goes on.
 */
void mayfly_destroy(struct mayfly_container *container);

/**
 * mayfly_remove() - end a container that lives on, and remove what it has left
 *
 * Of mayfly_run() or mayfly_attach(); mayfly_destroy() is due all the same.
 * Return: 0, -ENOENT when it is gone already, -EINVAL for a container of mayfly_start(), or another
 * negative errno.
 */
int mayfly_remove(struct mayfly_container *container, struct mayfly_error *error);

/* --- programs and functions in a container --------------------------------------- */

/**
 * enum mayfly_stream_kind - where a program's standard input comes from, or its output goes to
 */
enum mayfly_stream_kind {
    MAYFLY_NOTHING, /* /dev/null */
    MAYFLY_FD,      /* a descriptor of the caller's */
    MAYFLY_DATA,    /* input: bytes; output: into the result */
    MAYFLY_CALLBACK /* output: a call for each piece */
};

/**
 * struct mayfly_stream - one standard stream; all zero is MAYFLY_NOTHING
 * @fd: of MAYFLY_FD, lent
 * @data, @n_bytes: input of MAYFLY_DATA, lent
 * @take: of MAYFLY_CALLBACK; another return value than 0 ends the program
 */
struct mayfly_stream {
    enum mayfly_stream_kind kind;
    int fd;
    const void *data;
    size_t n_bytes;
    int (*take)(void *context, const void *data, size_t n_bytes);
    void *context;
};

/**
 * typedef mayfly_function - a function that can run in a container
 * @argument: a copy of what the caller gave
 * @result: room for the answer
 * @n_result: in: how much room; out: how much of it is used, 0 at first
 *
 * It runs in a process of its own, on a copy of the memory that the caller had at mayfly_start(),
 * inside the container's root, as the container's user.  Descriptors other than 0, 1 and 2 are
 * closed; other threads do not exist, and what they had locked stays locked.
 * Return: an exit status, 0 to 255.
 */
typedef int mayfly_function(const void *argument, size_t n_argument, void *result,
                            size_t *n_result);

/**
 * struct mayfly_command - what to run: words, a shell's command, or a function
 * @argv: a program and its arguments, NULL at the end; found in PATH without a slash
 * @shell: for /bin/sh -c; used when @argv is NULL
 * @function: used when both are NULL; only in containers that this very process has started
 * @argument, @n_argument: handed to @function
 * @n_result: room for its answer, in bytes
 * @env: NAME=VALUE, NULL at the end, over the container's; NULL: none
 * @workdir: NULL: the container's
 * @user: USER[:GROUP]; NULL: the container's
 * @input, @output, @errors: the standard streams
 * @timeout_nsec: after which it is ended; 0: never
 *
 * All of it is lent for the call.  @env, @workdir and @user are not for functions.
 */
struct mayfly_command {
    const char *const *argv;
    const char *shell;
    mayfly_function *function;
    const void *argument;
    size_t n_argument;
    size_t n_result;
    const char *const *env;
    const char *workdir;
    const char *user;
    struct mayfly_stream input;
    struct mayfly_stream output;
    struct mayfly_stream errors;
    uint64_t timeout_nsec;
};

/** enum mayfly_end - how a program or function has ended */
enum mayfly_end {
    MAYFLY_EXITED,    /* by itself, with a status */
    MAYFLY_KILLED,    /* by a signal: a crash, a kill */
    MAYFLY_TIMED_OUT, /* its time was up */
    MAYFLY_REFUSED,   /* its output was refused by the callback */
    MAYFLY_LOST       /* the container ended under it */
};

/**
 * struct mayfly_result - what came of it
 * @status: exit status; 128+N when signal N ended it; 124 after a timeout; 127 and 126 when the
 *          program is missing or cannot be executed
 * @signal: the signal's number, or 0
 * @output, @errors: of MAYFLY_DATA streams, NUL-terminated, @n_output and @n_errors long; else NULL
 * @answer: what a function has left, @n_answer long; NULL when it took no room
 */
struct mayfly_result {
    enum mayfly_end end;
    int status;
    int signal;
    char *output;
    size_t n_output;
    char *errors;
    size_t n_errors;
    void *answer;
    size_t n_answer;
    uint64_t elapsed_nsec;
};

/** mayfly_result_done() - free what a result holds. */
void mayfly_result_done(struct mayfly_result *result);

/**
 * mayfly_exec() - run a program or function in a container and wait for it
 * @ret_result: for mayfly_result_done(), also after an error
 *
 * A program that fails, crashes, is missing or takes too long is a result, no error.
 * Return: 0, or a negative errno when it could not be asked for.
 */
int mayfly_exec(struct mayfly_container *container, const struct mayfly_command *command,
                struct mayfly_result *ret_result, struct mayfly_error *error);

/**
 * mayfly_call() - run a function with an argument block and have its answer
 * @result: room for @n_result bytes; receives the answer
 * @ret_n_result: how long it is; may be NULL
 * @ret_result: how it ended; may be NULL, and anything but an exit with 0 is an error then
 *
 * Return: 0, -ENOTSUP when the container was started by another process, -EIO as told above, or
 * another negative errno.
 */
int mayfly_call(struct mayfly_container *container, mayfly_function *function, const void *argument,
                size_t n_argument, void *result, size_t n_result, size_t *ret_n_result,
                struct mayfly_result *ret_result, struct mayfly_error *error);

/**
 * mayfly_call_once() - the same in a container of its own, which is gone when this returns
 */
int mayfly_call_once(const struct mayfly_plan *plan, mayfly_function *function,
                     const void *argument, size_t n_argument, void *result, size_t n_result,
                     size_t *ret_n_result, struct mayfly_result *ret_result,
                     struct mayfly_error *error);

/** struct mayfly_process - a program or function under way */
struct mayfly_process;

/**
 * mayfly_spawn() - start a program or function and go on
 * @command: of its streams, only inputs may be MAYFLY_DATA, and none MAYFLY_CALLBACK; the timeout
 *           is not looked at
 * @ret_process: for mayfly_process_free()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_spawn(struct mayfly_container *container, const struct mayfly_command *command,
                 struct mayfly_process **ret_process, struct mayfly_error *error);

/** mayfly_process_fd() - a descriptor for poll(2) that becomes readable when it has ended. */
int mayfly_process_fd(const struct mayfly_process *process);

/**
 * mayfly_process_signal() - send it a signal
 *
 * Return: 0, or -ESRCH when it has ended.
 */
int mayfly_process_signal(struct mayfly_process *process, int number, struct mayfly_error *error);

/**
 * mayfly_process_wait() - wait for its end
 * @timeout_nsec: how long; UINT64_MAX: as long as it takes
 *
 * Return: 0 with @ret_result, -ETIMEDOUT when it goes on, or another negative errno.
 */
int mayfly_process_wait(struct mayfly_process *process, uint64_t timeout_nsec,
                        struct mayfly_result *ret_result, struct mayfly_error *error);

/** mayfly_process_free() - forget it; a program that still runs is ended.  NULL is allowed. */
void mayfly_process_free(struct mayfly_process *process);

/* --- whole runs ---------------------------------------------------------------------- */

/**
 * struct mayfly_action_result - how one action of a run went
 * @index: of the action, from 0
 * @status: as of struct mayfly_result
 * @remembered: nothing was executed: what an earlier run has made was used
 * @out_of_memory: it failed, and a process in it was killed for want of memory
 */
struct mayfly_action_result {
    size_t index;
    enum mayfly_end end;
    int status;
    bool remembered;
    bool out_of_memory;
    uint64_t elapsed_nsec;
};

/**
 * struct mayfly_report - how a run went
 * @result: of all of it: of the action that failed, if one has; its @elapsed_nsec with set-up and
 *          unwinding
 * @actions: of those @n_actions that were begun
 */
struct mayfly_report {
    struct mayfly_result result;
    struct mayfly_action_result *actions;
    size_t n_actions;
};

/** mayfly_report_done() - free what a report holds. */
void mayfly_report_done(struct mayfly_report *report);

/**
 * mayfly_perform() - do a plan's actions in a container that is there for them: 'mayfly -i'
 * @streams: standard input, output and error of all steps; NULL: nothing
 * @ret_report: for mayfly_report_done(), also after an error
 *
 * With the option "remember", steps that were done before are not done again, and what they have
 * written comes once more.
 * Return: 0 when the actions were done as far as a step let them, or a negative errno; nothing is
 * left of the container either way.
 */
int mayfly_perform(const struct mayfly_plan *plan, const struct mayfly_stream streams[3],
                   struct mayfly_report *ret_report, struct mayfly_error *error);

/* --- files ------------------------------------------------------------------------- */

/**
 * mayfly_copy_in() - copy a file or a directory with all that is in it into a container
 * @source: the host's; a relative path is taken from the working directory
 * @target: in the container; an existing directory takes the source's name inside; NULL: the
 *          container's working directory
 *
 * Modes, times, holes and symbolic links are kept; it belongs to the container's user.
 * Return: 0 or a negative errno.
 */
int mayfly_copy_in(struct mayfly_container *container, const char *source, const char *target,
                   struct mayfly_error *error);

/**
 * mayfly_copy_out() - the other way round; it belongs to the caller
 *
 * No link in the container leads out of it.  What could not be completed is removed again.
 */
int mayfly_copy_out(struct mayfly_container *container, const char *source, const char *target,
                    struct mayfly_error *error);

/* --- pipelines --------------------------------------------------------------------- */

/**
 * struct mayfly_stage - one part of a pipeline: a container of its own and what runs in it
 * @command: its @input and @output are the pipeline's and not looked at
 */
struct mayfly_stage {
    const struct mayfly_plan *plan;
    struct mayfly_command command;
};

/**
 * mayfly_pipe() - run containers with the output of each as the input of the next
 * @input: of the first; @output: of the last
 * @timeout_nsec: of all together; 0: none
 * @ret_failed: the stage that failed first, or @n_stages; may be NULL
 * @ret_result: of that stage, else of the last one; with the output of MAYFLY_DATA
 *
 * They are one unit: the first that fails ends all, and everything is unwound before this returns.
 * Return: 0 when all went as far as their ends (see @ret_result), or a negative errno.
 */
int mayfly_pipe(const struct mayfly_stage *stages, size_t n_stages,
                const struct mayfly_stream *input, const struct mayfly_stream *output,
                uint64_t timeout_nsec, size_t *ret_failed, struct mayfly_result *ret_result,
                struct mayfly_error *error);

/* --- images -------------------------------------------------------------------- */

/*
 * @store in all of these: the directory of images; NULL: $MAYFLY_STORE, else /var/lib/mayfly for
 * root, ~/.local/share/mayfly for others.
 */

/**
 * struct mayfly_image - an image of the store under one of its names
 * @name: in full, "docker.io/library/debian:12"; NULL: it has none
 * @id: hexadecimal digits
 * @created: RFC 3339; may be NULL
 * @architecture: as in OCI's image configuration, "amd64"; may be NULL
 * @size_bytes: of the layers' contents; shared layers count for each image
 */
struct mayfly_image {
    char *name;
    char *id;
    char *created;
    char *architecture;
    uint64_t size_bytes;
};

/**
 * mayfly_image_list() - all images of a store
 * @ret_images: an array of @ret_n, for mayfly_image_list_free()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_list(const char *store, struct mayfly_image **ret_images, size_t *ret_n,
                      struct mayfly_error *error);

/** mayfly_image_list_free() - free what mayfly_image_list() returned; NULL is allowed. */
void mayfly_image_list_free(struct mayfly_image *images, size_t n);

/**
 * mayfly_image_pull() - fetch an image from its registry, or a tarball from its address
 * @ret_id: its id, for free(3); may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_pull(const char *store, const char *reference, char **ret_id,
                      struct mayfly_error *error);

/**
 * mayfly_image_load() - bring in every image of an archive or layout, under the names it has there
 * @path: what docker, podman or skopeo wrote: a file, compressed or not, or a directory
 * @ret_names: the names, one a line, of images without one their id; for free(3); may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_load(const char *store, const char *path, char **ret_names,
                      struct mayfly_error *error);

/**
 * mayfly_image_import() - make an image of a root file system in a tarball
 * @source: a file or an address
 * @name: for the image; NULL: none
 * @ret_id: as of mayfly_image_pull()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_import(const char *store, const char *source, const char *name, char **ret_id,
                        struct mayfly_error *error);

/**
 * mayfly_image_tag() - give an image one more name, which another image may lose by it
 * @reference: a name or an id
 *
 * Return: 0, -ENOENT when there is no such image, or another negative errno.
 */
int mayfly_image_tag(const char *store, const char *reference, const char *name,
                     struct mayfly_error *error);

/**
 * mayfly_image_remove() - take a name away; with its last one the image goes
 * @force: an image of several names goes by its id, too
 *
 * Return: 0, -ENOENT when there is none, -EBUSY when a container has it, or another negative errno.
 */
int mayfly_image_remove(const char *store, const char *reference, bool force,
                        struct mayfly_error *error);

/**
 * mayfly_image_prune() - remove what nobody refers to
 * @unnamed: images without a name, too, such as archives that runs have unpacked
 * @ret_bytes: how much was freed; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int mayfly_image_prune(const char *store, bool unnamed, uint64_t *ret_bytes,
                       struct mayfly_error *error);

/* --- networks ------------------------------------------------------------------ */

/*
 * @store as above: networks belong to whoever's store it is.
 */

/**
 * struct mayfly_member - a container on a network
 * @address, @mac: as text
 */
struct mayfly_member {
    char *container;
    char *address;
    char *mac;
};

/**
 * struct mayfly_network - a network that containers can be on ("net", NAME)
 * @subnet: "10.1.2.0/24"; NULL: it has none now, or in mayfly_network_create() one that is free
 * @gateway: its router's address; NULL: none, or in mayfly_network_create() the first one
 * @leads_out: containers reach the outside, under the host's address
 * @host_access: the host reaches the containers, which reach nothing of the host's
 * @is_built_in: one that is always there
 * @mtu: bytes; 0: the kernel's default
 * @members: @n_members containers that are on it now
 */
struct mayfly_network {
    char *name;
    char *subnet;
    char *gateway;
    bool leads_out;
    bool host_access;
    bool is_built_in;
    unsigned mtu;
    struct mayfly_member *members;
    size_t n_members;
};

/**
 * mayfly_network_create() - make a network, which stays until it is removed
 * @network: of which the name is needed; what says who is on it is not looked at.  Lent.
 *
 * Return: 0, -EEXIST, -EINVAL, -EADDRNOTAVAIL, or another negative errno.
 */
int mayfly_network_create(const char *store, const struct mayfly_network *network,
                          struct mayfly_error *error);

/**
 * mayfly_network_remove() - remove one that was made
 *
 * Return: 0, -ENOENT, -EBUSY when containers are on it, -EINVAL for one that is always there, or
 * another negative errno.
 */
int mayfly_network_remove(const char *store, const char *name, struct mayfly_error *error);

/**
 * mayfly_network_list() - all networks, those that are always there first
 * @ret_networks: an array of @ret_n, for mayfly_network_list_free()
 *
 * Return: 0 or a negative errno.
 */
int mayfly_network_list(const char *store, struct mayfly_network **ret_networks, size_t *ret_n,
                        struct mayfly_error *error);

/**
 * mayfly_network_inspect() - one of them
 * @ret_network: for mayfly_network_list_free(), as a list of one
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int mayfly_network_inspect(const char *store, const char *name, struct mayfly_network **ret_network,
                           struct mayfly_error *error);

/** mayfly_network_list_free() - free what these calls returned; NULL is allowed. */
void mayfly_network_list_free(struct mayfly_network *networks, size_t n);

#ifdef __cplusplus
}
#endif

#endif
