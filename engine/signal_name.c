/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by their names; the real-time ones are counted from either end. */
#include "signal_name.h"

#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>

/* RTMIN, RTMIN+N, RTMAX or RTMAX-N; 0: none of them. */
static int parse_real_time(const char *name) {
    bool low = strncasecmp(name, "RTMIN", 5) == 0;
    uint64_t n = 0;

    if (!low && strncasecmp(name, "RTMAX", 5) != 0)
        return 0;
    if (name[5] && (name[5] != (low ? '+' : '-') ||
                    str_to_u64(name + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &n) < 0))
        return 0;
    return low ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

int signal_name_parse(const char *text, struct err *err) {
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    uint64_t number;
    int found = 0;

    if (str_to_u64(text, SIGRTMAX, &number) == 0)
        found = (int)number;
    else
        found = parse_real_time(name);
    for (int i = 1; !found && i < NSIG; i++)
        if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0)
            found = i;
    if (!found && strcasecmp(name, "IOT") == 0)
        found = SIGABRT;
    if (!found && strcasecmp(name, "CLD") == 0)
        found = SIGCHLD;
    if (!found && strcasecmp(name, "POLL") == 0)
        found = SIGIO;
    if (!found)
        return err_set(err, -EINVAL, "'%s' is no signal; give a name such as TERM, or a number",
                       text);
    return found;
}
