/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile is a list of rules, each for some calls, with conditions of two
 * kinds: on the machine and the container (includes, excludes), looked at here,
 * and on arguments, handed on to the kernel.  Conditions on one and the same
 * argument stand for each other's alternative, as runc has it.
 */
#include "seccomp_profile.h"

#include "caps.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "rootfs/manifest_json.h"
#include "seccomp_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>

#define MAX_PROFILE_BYTES (4u << 20)
#define MAX_ARGS 6

#if defined(__x86_64__)
#define MACHINE "amd64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "unknown"
#endif

struct profile {
    scmp_filter_ctx filter;
    uint64_t caps;
    uint32_t default_action;
};

static int action_of(const json_t *rule, const char *name, const char *errno_name,
                     uint32_t *ret_action, struct err *err) {
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
    };
    const char *text = json_text(rule, name);
    int64_t number;

    if (!text)
        return err_set(err, -EBADMSG, "a rule has no %s", name);
    if (str_eq(text, "SCMP_ACT_ERRNO")) {
        if (json_number(rule, errno_name, &number) < 0)
            number = EPERM;
        if (number < 0 || number > 4095)
            return err_set(err, -EBADMSG, "%lld is no error number", (long long)number);
        *ret_action = SCMP_ACT_ERRNO((uint32_t)number);
        return 0;
    }
    for (size_t i = 0; i < N_ELEMENTS(actions); i++)
        if (str_eq(text, actions[i].name)) {
            *ret_action = actions[i].action;
            return 0;
        }
    return err_set(err, -EBADMSG, "'%s' is no action that mayfly knows", text);
}

/* --- includes and excludes -------------------------------------------------------- */

static int has_text(const json_t *list, const char *text, struct err *err) {
    _cleanup_strv_ struct strv items = {0};
    int r = json_texts(list, &items, err);

    for (size_t i = 0; r == 0 && i < items.n; i++)
        if (str_eq(items.items[i], text))
            return 1;
    return r;
}

/* Whether the container has all of the capabilities, or with @any one of them. */
static int has_caps(const struct profile *profile, const json_t *list, bool any, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    int r = json_texts(list, &names, err);
    bool all = true, one = false;

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        uint64_t cap;

        /* One that this library does not know is none that the container has. */
        bool has = caps_parse(names.items[i], &cap, NULL) == 0 && (profile->caps & cap) == cap;

        all = all && has;
        one = one || has;
    }
    return r < 0 ? r : any ? one : all;
}

static bool is_kernel_younger(const char *minimum) {
    unsigned major = 0, minor = 0, wanted_major = 0, wanted_minor = 0;
    struct utsname name;

    uname(&name);
    if (sscanf(minimum, "%u.%u", &wanted_major, &wanted_minor) != 2 ||
        sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return false;
    return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
}

/* Whether a rule counts here: 1 or 0. */
static int counts(const struct profile *profile, const json_t *rule, struct err *err) {
    const json_t *in = json_member(rule, "includes", JSON_OBJECT);
    const json_t *out = json_member(rule, "excludes", JSON_OBJECT);
    const json_t *in_arches = json_member(in, "arches", JSON_ARRAY);
    const json_t *in_caps = json_member(in, "caps", JSON_ARRAY);
    const char *in_kernel = json_text(in, "minKernel"), *out_kernel = json_text(out, "minKernel");
    int r;

    if ((in_kernel && !is_kernel_younger(in_kernel)) ||
        (out_kernel && is_kernel_younger(out_kernel)))
        return 0;
    r = json_length(in_arches) ? has_text(in_arches, MACHINE, err) : 1;
    if (r > 0 && json_length(in_caps))
        r = has_caps(profile, in_caps, false, err);
    if (r <= 0)
        return r;
    r = has_text(json_member(out, "arches", JSON_ARRAY), MACHINE, err);
    if (r == 0)
        r = has_caps(profile, json_member(out, "caps", JSON_ARRAY), true, err);
    return r < 0 ? r : !r;
}

/* --- rules -------------------------------------------------------------------------- */

static int read_arg(const json_t *object, struct scmp_arg_cmp *arg, struct err *err) {
    static const struct {
        const char *name;
        enum scmp_compare op;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    const char *op = json_text(object, "op");
    int64_t index = 0, value = 0, second = 0;

    (void)json_number(object, "index", &index);
    (void)json_number(object, "value", &value);
    (void)json_number(object, "valueTwo", &second);
    if (!op || index < 0 || index >= MAX_ARGS)
        return err_set(err, -EBADMSG, "a condition without an operator or with a wrong index");
    for (size_t i = 0; i < N_ELEMENTS(operators); i++)
        if (str_eq(op, operators[i].name)) {
            *arg = (struct scmp_arg_cmp){(unsigned)index, operators[i].op, (scmp_datum_t)value,
                                         (scmp_datum_t)second};
            return 0;
        }
    return err_set(err, -EBADMSG, "'%s' is no operator", op);
}

/* Return: how many. */
static int read_args(const json_t *rule, struct scmp_arg_cmp args[MAX_ARGS], bool *ret_either,
                     struct err *err) {
    const json_t *list = json_member(rule, "args", JSON_ARRAY);
    size_t n = json_length(list);

    *ret_either = false;
    if (n > MAX_ARGS)
        return err_set(err, -EBADMSG, "a rule has more than %d conditions", MAX_ARGS);
    for (size_t i = 0; i < n; i++) {
        int r = read_arg(json_item(list, i), &args[i], err);

        if (r < 0)
            return r;
        for (size_t j = 0; j < i; j++)
            *ret_either = *ret_either || args[j].arg == args[i].arg;
    }
    return (int)n;
}

static int add_call(const struct profile *profile, const char *name, uint32_t action,
                    const struct scmp_arg_cmp *args, unsigned n, bool either, struct err *err) {
    int call = seccomp_syscall_resolve_name(name), r = 0;

    if (call == __NR_SCMP_ERROR || action == profile->default_action)
        return 0;
    if (!either)
        r = seccomp_rule_add_array(profile->filter, action, call, n, args);
    for (unsigned i = 0; either && r == 0 && i < n; i++)
        r = seccomp_rule_add_array(profile->filter, action, call, 1, &args[i]);
    /* A rule that contradicts an earlier one is without effect. */
    if (r < 0 && r != -EEXIST)
        return err_set(err, r, "the rule for %s cannot be made: %s", name, strerror(-r));
    return 0;
}

static int add_rule(const struct profile *profile, const json_t *rule, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    const char *name = json_text(rule, "name");
    struct scmp_arg_cmp args[MAX_ARGS];
    uint32_t action = 0;
    bool either;
    int n, r = counts(profile, rule, err);

    if (r <= 0)
        return r;
    r = action_of(rule, "action", "errnoRet", &action, err);
    if (r == 0)
        r = json_texts(json_member(rule, "names", JSON_ARRAY), &names, err);
    if (r == 0 && name)
        r = strv_push(&names, name);
    if (r < 0)
        return r;
    n = read_args(rule, args, &either, err);
    if (n < 0)
        return n;
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = add_call(profile, names.items[i], action, args, (unsigned)n, either, err);
    return r;
}

/* The architectures that a profile names, "SCMP_ARCH_X86" and such; those unknown are passed over.
 */
static int add_architectures(scmp_filter_ctx filter, const json_t *list, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    int r = json_texts(list, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        const char *rest = str_after(names.items[i], "SCMP_ARCH_");
        char name[16] = "";
        uint32_t token;

        if (rest && strlen(rest) < sizeof name)
            for (size_t j = 0; rest[j]; j++)
                name[j] = (char)(rest[j] >= 'A' && rest[j] <= 'Z' ? rest[j] - 'A' + 'a' : rest[j]);
        token = seccomp_arch_resolve_name(name);
        if (token == 0)
            continue;
        r = seccomp_arch_add(filter, token);
        /* Machines of another byte order cannot be in one filter with this one. */
        if (r == -EEXIST || r == -EDOM)
            r = 0;
    }
    return r;
}

static int add_rules(const struct profile *profile, const json_t *root, struct err *err) {
    const json_t *rules = json_member(root, "syscalls", JSON_ARRAY);
    int r = 0;

    if (json_member(root, "archMap", JSON_ARRAY))
        r = seccomp_add_architectures(profile->filter);
    if (r == 0)
        r = add_architectures(profile->filter, json_member(root, "architectures", JSON_ARRAY), err);
    if (r < 0)
        return err_set(err, r, "its architectures cannot be had: %s", strerror(-r));
    for (size_t i = 0; r == 0 && i < json_length(rules); i++)
        r = add_rule(profile, json_item(rules, i), err);
    return r;
}

int seccomp_profile_parse(const char *text, size_t size, uint64_t caps,
                          struct sock_fprog *ret_program, struct err *err) {
    _cleanup_seccomp_filter_ scmp_filter_ctx filter = NULL;
    _cleanup_json_document_ json_t *root = NULL;
    struct profile profile = {.caps = caps};
    int r = json_parse(text, size, JSON_OBJECT, &root, err);

    if (r == 0)
        r = action_of(root, "defaultAction", "defaultErrnoRet", &profile.default_action, err);
    if (r < 0)
        return r;
    profile.filter = filter = seccomp_init(profile.default_action);
    if (!filter)
        return err_nomem(err);
    r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r < 0)
        return err_set(err, r, "cannot make a filter: %s", strerror(-r));
    r = add_rules(&profile, root, err);
    if (r < 0)
        return r;
    r = seccomp_export(filter, ret_program);
    return r < 0 ? err_set(err, r, "cannot make a filter of it: %s", strerror(-r)) : 0;
}

int seccomp_profile_load(const char *path, uint64_t caps, struct sock_fprog *ret_program,
                         struct err *err) {
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    int r = fd_read_file(AT_FDCWD, path, MAX_PROFILE_BYTES, &text, &size);

    if (r < 0)
        return err_set(err, r, "--security-opt seccomp=%s: %s", path, strerror(-r));
    if (seccomp_profile_parse(text, size, caps, ret_program, err) < 0)
        return err_wrap(err, "--security-opt seccomp=%s", path);
    return 0;
}
