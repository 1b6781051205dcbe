/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of 'run' and 'create' beside those that describe any container:
 * most are handed on by their names to engine/life.c, other spellings of one
 * name to the same; a few are of these commands alone.
 */
#include "create_options.h"

#include "container_options.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "mount_option.h"

#include <errno.h>
#include <fcntl.h>

#define PROGRAM "The program"
#define CONTAINER "The container"
#define LIFE "Its life"
#define HEALTH "Its health"

#define MAX_ENV_FILE_BYTES (16u << 20)

/* The others go by their names. */
enum create_option {
    CREATE_OPTION_NAMED,
    CREATE_OPTION_DETACH,
    CREATE_OPTION_QUIET,
    CREATE_OPTION_CID_FILE,
    CREATE_OPTION_DETACH_KEYS,
    CREATE_OPTION_REPLACE,
    CREATE_OPTION_ENV_FILE,
    CREATE_OPTION_MOUNT,
    CREATE_OPTION_NETWORK,
    CREATE_OPTION_PID_FILE,
    CREATE_OPTION_NO_HEALTHCHECK,
    CREATE_OPTION_IGNORED,
};

const struct option_spec create_options_specs[] = {
    {"detach", 'd', NULL, PROGRAM, "leave it running in the background, and print its id",
     CREATE_OPTION_DETACH},
    {"interactive", 'i', NULL, PROGRAM, "keep its standard input open", CREATE_OPTION_NAMED},
    {"tty", 't', NULL, PROGRAM, "give it a terminal", CREATE_OPTION_NAMED},
    {"entrypoint", 0, "PROG", PROGRAM, "what is run instead of the image's entrypoint",
     CREATE_OPTION_NAMED},
    {"workdir", 'w', "DIR", PROGRAM, "its directory, made if missing", CREATE_OPTION_NAMED},
    {"env-file", 0, "FILE", PROGRAM, "set the variables that the file's lines say",
     CREATE_OPTION_ENV_FILE},
    {"detach-keys", 0, "KEYS", PROGRAM,
     "what to type to leave it running and go; ctrl-p,ctrl-q by default",
     CREATE_OPTION_DETACH_KEYS},
    {"quiet", 'q', NULL, PROGRAM, "do not show how its image is brought in", CREATE_OPTION_QUIET},
    {"init", 0, NULL, PROGRAM, "for docker's sake: there always is an init that reaps",
     CREATE_OPTION_IGNORED},

    {"rm", 0, NULL, LIFE, "remove the container when it ends", CREATE_OPTION_NAMED},
    {"replace", 0, NULL, LIFE, "remove a container that has the name", CREATE_OPTION_REPLACE},
    {"restart", 0, "WHEN", LIFE,
     "no (default); on-failure[:N], N times at most; or always: start it anew when it ends by "
     "itself",
     CREATE_OPTION_NAMED},
    {"lifetime", 0, "OF", LIFE,
     "permanent (default); owner: end it when the process that called mayfly ends",
     CREATE_OPTION_NAMED},
    {"init-system", 0, NULL, LIFE,
     "boot the image's own /sbin/init, or the program after it, as process 1 of its own, with a "
     "cgroup that it may divide; 'stop' tells it to shut down as systemd or busybox want to hear "
     "it",
     CREATE_OPTION_NAMED},
    {"stop-signal", 0, "SIGNAL", LIFE, "what 'stop' sends; the image's, or TERM",
     CREATE_OPTION_NAMED},
    {"stop-timeout", 0, "SECONDS", LIFE, "how long 'stop' waits before it kills; 10",
     CREATE_OPTION_NAMED},
    {"log-driver", 0, "WHERE", LIFE, "file (default) or none", CREATE_OPTION_NAMED},
    {"log-opt", 0, "max-size=SIZE", LIFE, "begin the log anew at this size, one older is kept; 64m",
     CREATE_OPTION_NAMED},
    {"cidfile", 0, "FILE", LIFE, "write its id to a new file", CREATE_OPTION_CID_FILE},
    {"pidfile", 0, "FILE", LIFE, "write the host's pid of its init to a file",
     CREATE_OPTION_PID_FILE},

    {"health-cmd", 0, "CMD", HEALTH, "a shell command that succeeds while all is well",
     CREATE_OPTION_NAMED},
    {"health-interval", 0, "TIME", HEALTH, "between two looks; 30s", CREATE_OPTION_NAMED},
    {"health-retries", 0, "N", HEALTH, "failures in a row that make it unhealthy; 3",
     CREATE_OPTION_NAMED},
    {"health-timeout", 0, "TIME", HEALTH, "how long a look may take; 30s", CREATE_OPTION_NAMED},
    {"health-start-period", 0, "TIME", HEALTH, "in which failures do not count; 0s",
     CREATE_OPTION_NAMED},
    {"no-healthcheck", 0, NULL, HEALTH, "do not look", CREATE_OPTION_NO_HEALTHCHECK},

    {"mount", 0, "type=TYPE,...", CONTAINER,
     "bind (src=, dst=, ro) or tmpfs (dst=, tmpfs-size=, tmpfs-mode=) in docker's words",
     CREATE_OPTION_MOUNT},
    {"network", 0, "MODE", CONTAINER, "the same as --net", CREATE_OPTION_NETWORK},
    {"label", 'l', "NAME[=VALUE]", CONTAINER, "a note, shown by 'inspect', found by 'ps --filter'",
     CREATE_OPTION_NAMED},
    {"annotation", 0, "NAME=VALUE", CONTAINER, "a note, shown by 'inspect'", CREATE_OPTION_NAMED},
};
const size_t n_create_options_specs = N_ELEMENTS(create_options_specs);

/* Lines of NAME=VALUE or NAME; '#' begins a comment. */
static int read_env_file(struct life *life, const char *path, struct err *err) {
    _cleanup_free_ char *text = NULL;
    int r = fd_read_file(AT_FDCWD, path, MAX_ENV_FILE_BYTES, &text, NULL);
    char *line, *rest = text;

    if (r < 0) {
        errno = -r;
        return err_errno(err, "--env-file %s", path);
    }
    while ((line = strsep(&rest, "\n"))) {
        line += strspn(line, " \t");
        if (*line && line[strlen(line) - 1] == '\r')
            line[strlen(line) - 1] = '\0';
        if (!*line || *line == '#')
            continue;
        r = life_set(life, "env", line, err);
        if (r < 0)
            return err_wrap(err, "--env-file %s", path);
    }
    return 0;
}

static int set_pid_file(struct life *life, const char *value, struct err *err) {
    _cleanup_free_ char *cwd = *value == '/' ? NULL : getcwd(NULL, 0);
    _cleanup_free_ char *path = cwd ? str_printf("%s/%s", cwd, value) : strdup(value);

    return path ? life_set(life, "pidfile", path, err) : err_nomem(err);
}

int create_options_apply(struct create_options *create, const struct options *options,
                         struct err *err) {
    const struct option_spec *spec = options->spec;
    const char *value = options->value;
    struct life *life = &create->life;

    if (spec->id >= CONTAINER_OPTION_FIRST)
        return life_set(life, spec->name, value, err);
    switch ((enum create_option)spec->id) {
    case CREATE_OPTION_NAMED:
        return life_set(life, spec->name, value, err);
    case CREATE_OPTION_DETACH:
        create->detach = true;
        return 0;
    case CREATE_OPTION_QUIET:
        create->quiet = true;
        return 0;
    case CREATE_OPTION_CID_FILE:
        create->cid_file = value;
        return 0;
    case CREATE_OPTION_DETACH_KEYS:
        create->detach_keys = value;
        return 0;
    case CREATE_OPTION_REPLACE:
        create->replace = true;
        return 0;
    case CREATE_OPTION_ENV_FILE:
        return read_env_file(life, value, err);
    case CREATE_OPTION_MOUNT:
        return mount_option_apply(life, value, err);
    case CREATE_OPTION_NETWORK:
        return life_set(life, "net", value, err);
    case CREATE_OPTION_PID_FILE:
        return set_pid_file(life, value, err);
    case CREATE_OPTION_NO_HEALTHCHECK:
        return life_set(life, "health-cmd", "none", err);
    case CREATE_OPTION_IGNORED:
        break;
    }
    return 0;
}

int create_options_words(struct create_options *create, char **words, size_t n_words,
                         struct err *err) {
    int r = life_set(&create->life, "image", words[0], err);

    for (size_t i = 1; r == 0 && i < n_words; i++)
        r = life_set(&create->life, "argument", words[i], err);
    return r == 0 ? life_check(&create->life, err) : r;
}
