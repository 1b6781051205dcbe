/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, run in a machine of the test's own: what they answer, and that shrinking keeps it. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/confine/caps.h"
#include "engine/confine/seccomp.h"
#include "engine/confine/seccomp_compile.h"
#include "engine/confine/seccomp_shrink.h"
#include "engine/confine/seccomp_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* What a program of BPF returns for a call. */
static uint32_t answer(const struct sock_fprog *program, const struct seccomp_data *data) {
    uint32_t a = 0;

    for (unsigned pc = 0; pc < program->len; pc++) {
        const struct sock_filter *insn = &program->filter[pc];

        switch (insn->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            cr_assert(insn->k % 4 == 0 && insn->k < sizeof *data);
            memcpy(&a, (const char *)data + insn->k, sizeof a);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= insn->k;
            break;
        case BPF_JMP | BPF_JA:
            pc += insn->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == insn->k ? insn->jt : insn->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += a > insn->k ? insn->jt : insn->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            pc += a >= insn->k ? insn->jt : insn->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            pc += a & insn->k ? insn->jt : insn->jf;
            break;
        case BPF_RET | BPF_K:
            return insn->k;
        default:
            cr_assert_fail("instruction %#x", insn->code);
        }
    }
    cr_assert_fail("the program has no end");
    return 0;
}

#if defined(__x86_64__)
static const struct {
    uint32_t token, audit;
} architectures[] = {
    {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
    {SCMP_ARCH_X32, AUDIT_ARCH_X86_64},
    {SCMP_ARCH_X86, AUDIT_ARCH_I386},
};
#else
static const struct {
    uint32_t token, audit;
} architectures[] = {
    {SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64},
    {SCMP_ARCH_ARM, AUDIT_ARCH_ARM},
};
#endif
#define NATIVE 0

static uint32_t answer_to(const struct sock_fprog *program, size_t arch, const char *name,
                          uint64_t first, uint64_t second, uint64_t third) {
    int call = seccomp_syscall_resolve_name_arch(architectures[arch].token, name);
    const struct seccomp_data data = {
        .nr = call,
        .arch = architectures[arch].audit,
        .args = {first, second, third, -1ULL, -1ULL, -1ULL},
    };

    return answer(program, &data);
}

#define ERRNO(value) (SECCOMP_RET_ERRNO | (value))

/* --- shrinking ------------------------------------------------------------------ */

static void expect_same(const struct sock_fprog *a, const struct sock_fprog *b, int nr,
                        uint32_t arch) {
    static const uint64_t values[] = {0,  1,      2,      8,       9,           16,          0x5412,
                                      42, 0x541c, 0x8003, 0x20008, 0x100005412, 0xffffffffu, -1ULL};

    for (size_t i = 0; i < N_ELEMENTS(values); i++) {
        struct seccomp_data data = {.nr = nr, .arch = arch};

        for (int j = 0; j < 6; j++)
            data.args[j] = values[(i * (size_t)(j + 1) + (size_t)j) % N_ELEMENTS(values)];
        cr_assert_eq(answer(a, &data), answer(b, &data), "call %#x of %#x, %#llx %#llx %#llx",
                     (unsigned)nr, arch, (unsigned long long)data.args[0],
                     (unsigned long long)data.args[1], (unsigned long long)data.args[2]);
    }
}

/* Shrinks a copy and asks both about everything. */
static bool shrink_and_compare(scmp_filter_ctx filter) {
    struct sock_fprog whole, small;
    int r;

    cr_assert_eq(seccomp_export(filter, &whole), 0);
    small = whole;
    small.filter = malloc(whole.len * sizeof *whole.filter);
    memcpy(small.filter, whole.filter, whole.len * sizeof *whole.filter);
    r = seccomp_shrink(&small);
    cr_assert(r == 0 || r == -EOPNOTSUPP, "%d", r);
    cr_expect(r < 0 || small.len < whole.len);
    for (uint32_t nr = 0; nr < 700; nr++)
        for (size_t i = 0; i < N_ELEMENTS(architectures); i++) {
            expect_same(&whole, &small, (int)nr, architectures[i].audit);
            expect_same(&whole, &small, (int)(nr | 0x40000000u), architectures[i].audit);
            expect_same(&whole, &small, (int)(nr | 0xf0000u), architectures[i].audit);
            expect_same(&whole, &small, (int)-nr, architectures[i].audit);
        }
    expect_same(&whole, &small, 0, 0);
    expect_same(&whole, &small, 1, AUDIT_ARCH_PPC64);
    free(whole.filter);
    free(small.filter);
    return r == 0;
}

static scmp_filter_ctx new_filter(uint32_t action, uint32_t optimize) {
    scmp_filter_ctx filter = seccomp_init(action);

    cr_assert(filter);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
    cr_assert_eq(seccomp_add_architectures(filter), 0);
    return filter;
}

/* Rules for calls by chance, in rows of @row or so that have the same one. */
static void add_rules(scmp_filter_ctx filter, int round, int row, unsigned *seed) {
    int kind = 0;

    for (int call = 0; call < 350; call++) {
        uint32_t action =
            round % 2 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)rand_r(seed) % 2 + 1);

        if (rand_r(seed) % row == 0)
            kind = rand_r(seed) % 5;
        if (kind == 1 && call % 8 == 0)
            seccomp_rule_add(filter, action, call, 2, SCMP_A0(SCMP_CMP_EQ, 8, 0),
                             SCMP_A2(SCMP_CMP_NE, 0x20008, 0));
        else if (kind == 2 && call % 8 == 0)
            seccomp_rule_add(filter, action, call, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffff, 0x8003));
        else if (kind > 2)
            seccomp_rule_add(filter, action, call, 0);
    }
}

/* The same ones each time. */
Test(seccomp, shrinking_changes_nothing) {
    unsigned seed = 7;
    int n_shrunk = 0;

    for (int round = 0; round < 24; round++) {
        _cleanup_seccomp_filter_ scmp_filter_ctx filter =
            new_filter(round % 2 ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW, round % 4 < 2 ? 2 : 1);

        add_rules(filter, round, 2 + round * 2, &seed);
        n_shrunk += shrink_and_compare(filter);
    }
    /* Where neighbours differ all the time there is nothing to gain. */
    cr_expect_geq(n_shrunk, 12, "%d", n_shrunk);
}

Test(seccomp, a_program_of_another_kind_stays) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {N_ELEMENTS(code), code};

    cr_expect_eq(seccomp_shrink(&program), -EOPNOTSUPP);
    cr_expect_eq(program.len, 2);
    cr_expect_eq(program.filter, code);
}

/* --- the default ------------------------------------------------------------------ */

/* Calls @check for each name of a text. */
static void each(const char *names, void (*check)(const char *name, void *argument),
                 void *argument) {
    _cleanup_free_ char *copy = strdup(names);

    for (char *save = NULL, *name = strtok_r(copy, " ", &save); name;
         name = strtok_r(NULL, " ", &save))
        check(name, argument);
}

struct expectation {
    const struct sock_fprog *program;
    uint32_t answer;
};

static void expect_answer(const char *name, void *argument) {
    const struct expectation *expectation = argument;

    cr_assert_neq(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR, "%s is no call", name);
    for (size_t i = 0; i < N_ELEMENTS(architectures); i++)
        if (seccomp_syscall_resolve_name_arch(architectures[i].token, name) >= 0)
            cr_expect_eq(answer_to(expectation->program, i, name, 0, 0, 0), expectation->answer,
                         "%s on %zu", name, i);
}

static void expect_table(const struct sock_fprog *program, uint64_t caps) {
    struct expectation allowed = {program, SECCOMP_RET_ALLOW}, refused = {program, ERRNO(EPERM)};

    each(seccomp_refused, expect_answer, &refused);
    for (size_t i = 0; i < n_seccomp_allowed; i++)
        each(seccomp_allowed[i].names, expect_answer,
             (seccomp_allowed[i].caps & caps) == seccomp_allowed[i].caps ? &allowed : &refused);
}

Test(seccomp, the_default_follows_the_table) {
    const struct sock_fprog *program = seccomp_builtin(true, false);
    struct expectation unknown = {program, ERRNO(ENOSYS)};

    expect_table(program, CAPS_DEFAULT);
    each("io_uring_setup add_key request_key", expect_answer, &unknown);
}

Test(seccomp, capabilities_open_their_calls) {
    static const uint64_t sets[] = {CAPS_DEFAULT | CAPS_BIT(CAP_SYS_ADMIN), CAPS_ALL, 0};

    for (size_t i = 0; i < N_ELEMENTS(sets); i++) {
        struct sock_fprog program;
        struct err err;

        cr_assert_eq(seccomp_compile(true, sets[i], false, &program, &err), 0, "%s", err.message);
        expect_table(&program, sets[i]);
        free(program.filter);
    }
}

Test(seccomp, conditions_on_arguments) {
    const struct sock_fprog *program = seccomp_builtin(true, false);
    static const uint64_t allowed[] = {0, 8, 0x20000, 0x20008, 0xffffffff};

    for (size_t arch = 0; arch < N_ELEMENTS(architectures); arch++) {
        for (size_t i = 0; i < N_ELEMENTS(allowed); i++)
            cr_expect_eq(answer_to(program, arch, "personality", allowed[i], 0, 0),
                         SECCOMP_RET_ALLOW);
        cr_expect_eq(answer_to(program, arch, "personality", 0x40000, 0, 0), ERRNO(ENOSYS));
        cr_expect_eq(answer_to(program, arch, "ioctl", 0, TIOCSTI, 0), ERRNO(EPERM));
        cr_expect_eq(answer_to(program, arch, "ioctl", 0, TIOCLINUX, 0), ERRNO(EPERM));
        /* The kernel looks at the low half alone. */
        cr_expect_eq(answer_to(program, arch, "ioctl", 0, 0xabcd00000000 | TIOCSTI, 0),
                     ERRNO(EPERM));
        cr_expect_eq(answer_to(program, arch, "ioctl", 0, 0x100000000 | TIOCLINUX, 0),
                     ERRNO(EPERM));
        cr_expect_eq(answer_to(program, arch, "ioctl", TIOCSTI, TIOCGWINSZ, TIOCSTI),
                     SECCOMP_RET_ALLOW);
        /* Another call with such an argument is not meant. */
        cr_expect_eq(answer_to(program, arch, "write", 0, TIOCSTI, 0), SECCOMP_RET_ALLOW);
    }
    cr_expect_eq(answer_to(program, NATIVE, "socket", AF_INET, SOCK_STREAM, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(answer_to(program, NATIVE, "socket", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
                 SECCOMP_RET_ALLOW);
    cr_expect_eq(answer_to(program, NATIVE, "socket", AF_INET, SOCK_RAW, NETLINK_AUDIT),
                 SECCOMP_RET_ALLOW);
    cr_expect_eq(answer_to(program, NATIVE, "socket", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT),
                 ERRNO(EINVAL));
}

Test(seccomp, other_architectures_are_killed) {
    const struct seccomp_data data = {.nr = 1, .arch = AUDIT_ARCH_PPC64};

    cr_expect_eq(answer(seccomp_builtin(true, false), &data), SECCOMP_RET_KILL_THREAD);
    cr_expect_eq(answer(seccomp_builtin(false, true), &data), SECCOMP_RET_ALLOW);
}

/* --- a single id -------------------------------------------------------------------- */

static void expect_emulated(const char *name, void *argument) {
    const struct expectation *expectation = argument;

    cr_expect_eq(answer_to(expectation->program, NATIVE, name, 1, 1, 1), expectation->answer, "%s",
                 name);
    /* The other architectures' calls have other numbers and are not answered. */
    for (size_t i = 1; i < N_ELEMENTS(architectures); i++)
        cr_expect_eq(answer_to(expectation->program, i, name, 1, 1, 1), SECCOMP_RET_ALLOW, "%s",
                     name);
}

Test(seccomp, a_single_id_is_emulated_with_and_without_confinement) {
    for (int confine = 0; confine <= 1; confine++) {
        const struct sock_fprog *program = seccomp_builtin(confine, true);
        struct expectation done = {program, ERRNO(0)}, asked = {program, SECCOMP_RET_USER_NOTIF};

        each(seccomp_succeed, expect_emulated, &done);
        each(seccomp_ask, expect_emulated, &asked);
        cr_expect_eq(answer_to(program, NATIVE, "bpf", 0, 0, 0),
                     confine ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
        cr_expect_eq(answer_to(program, NATIVE, "ioctl", 0, TIOCSTI, 0),
                     confine ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
        cr_expect_eq(answer_to(program, NATIVE, "openat", 0, 0, 0), SECCOMP_RET_ALLOW);
    }
    cr_expect_null(seccomp_builtin(false, false));
}
