/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter is two of libseccomp's, merged: one for the native architecture and
 * one for the others, since PID 1 answers calls of the native one alone.
 *
 * libseccomp compares whole arguments of 64 bits and cannot say "let through
 * unless the low half is this", which is what ioctl(2) needs; that guard is put
 * in front of its program by hand.  All jumps of a program are relative, so
 * that one may be put before another.
 */
#include "seccomp_compile.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "seccomp_shrink.h"
#include "seccomp_table.h"

#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_PROGRAM_BYTES (BPF_MAXINSNS * sizeof(struct sock_filter))
#define MAX_GUARD 32

/* What runs on this machine: its native programs first. */
static const uint32_t architectures[] = {
#if defined(__x86_64__)
    SCMP_ARCH_X86_64,
    SCMP_ARCH_X32,
    SCMP_ARCH_X86,
#elif defined(__aarch64__)
    SCMP_ARCH_AARCH64,
    SCMP_ARCH_ARM,
#else
    SCMP_ARCH_NATIVE,
#endif
};

/* What the kernel calls one of them in struct seccomp_data. */
static uint32_t audit_of(uint32_t architecture) {
    if (architecture == SCMP_ARCH_NATIVE)
        return seccomp_arch_native();
    return architecture == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : architecture;
}

void seccomp_filter_free(scmp_filter_ctx *filter) {
    if (*filter)
        seccomp_release(*filter);
}

int seccomp_add_architectures(scmp_filter_ctx filter) {
    for (size_t i = 1; i < N_ELEMENTS(architectures); i++) {
        int r = seccomp_arch_add(filter, architectures[i]);

        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* --- rules --------------------------------------------------------------------- */

/* Calls @function for each of the names in @names that some architecture has. */
static int each_name(const char *names, scmp_filter_ctx filter, uint32_t action) {
    for (const char *p = names; *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        char name[64];
        int call, r;

        if (length >= sizeof name)
            return -ENAMETOOLONG;
        *(char *)mempcpy(name, p, length) = '\0';
        p += length;
        call = seccomp_syscall_resolve_name(name);
        if (call == __NR_SCMP_ERROR)
            continue;
        r = seccomp_rule_add_array(filter, action, call, 0, NULL);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether @name is one of @names. */
static bool has_name(const char *names, const char *name, size_t length) {
    for (const char *p = names; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (n == length && strncmp(p, name, n) == 0)
            return true;
        p += n;
    }
    return false;
}

/* @names without those that the emulation has rules of its own for. */
static int allow(const char *names, scmp_filter_ctx filter, bool emulate) {
    _cleanup_free_ char *rest = calloc(1, strlen(names) + 2);
    char *q = rest;

    if (!rest)
        return -ENOMEM;
    for (const char *p = names; *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");

        if (!emulate ||
            (!has_name(seccomp_succeed, p, length) && !has_name(seccomp_ask, p, length)))
            q = stpcpy(mempcpy(q, p, length), " ");
        p += length;
    }
    return each_name(rest, filter, SCMP_ACT_ALLOW);
}

static int add_profile(scmp_filter_ctx filter, uint64_t caps, bool emulate) {
    int r = each_name(seccomp_refused, filter, SCMP_ACT_ERRNO(EPERM));

    for (size_t i = 0; r == 0 && i < n_seccomp_allowed; i++) {
        const struct seccomp_allowed *allowed = &seccomp_allowed[i];

        if ((allowed->caps & caps) == allowed->caps)
            r = allow(allowed->names, filter, emulate);
        else
            r = each_name(allowed->names, filter, SCMP_ACT_ERRNO(EPERM));
    }
    for (size_t i = 0; r == 0 && i < n_seccomp_conditional; i++) {
        const struct seccomp_conditional *rule = &seccomp_conditional[i];

        if ((rule->excluded_by & caps) == 0)
            r = seccomp_rule_add_array(filter, rule->action,
                                       seccomp_syscall_resolve_name(rule->name), rule->n_args,
                                       rule->args);
    }
    /* What was looked at above is let through as a whole. */
    if (r == 0 && (caps & UINT64_C(1) << 29 /* CAP_AUDIT_WRITE */))
        r = each_name("socket", filter, SCMP_ACT_ALLOW);
    return r;
}

/* @others: for the architectures beside the native one. */
static int make_filter(bool confine, uint64_t caps, bool emulate, bool others,
                       scmp_filter_ctx *ret_filter) {
    _cleanup_seccomp_filter_ scmp_filter_ctx filter =
        seccomp_init(confine ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW);
    int r = filter ? 0 : -ENOMEM;

    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    /* Programs of other architectures run without emulation; libseccomp would kill them. */
    if (r == 0 && !confine)
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
    if (r == 0 && others) {
        r = seccomp_add_architectures(filter);
        if (r == 0)
            r = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
    }
    if (r == 0 && confine)
        r = add_profile(filter, caps, emulate && !others);
    if (r == 0 && emulate && !others)
        r = each_name(seccomp_succeed, filter, SCMP_ACT_ERRNO(0));
    if (r == 0 && emulate && !others)
        r = each_name(seccomp_ask, filter, SCMP_ACT_NOTIFY);
    if (r == 0)
        *ret_filter = take_ptr(filter);
    return r;
}

/* --- programs ------------------------------------------------------------------ */

int seccomp_export(scmp_filter_ctx filter, struct sock_fprog *ret_program) {
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    int r;

    if (fd < 0)
        return -errno;
    r = seccomp_export_bpf(filter, fd);
    if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
        r = -errno;
    if (r == 0)
        r = fd_read_all(fd, MAX_PROGRAM_BYTES, &data, &size);
    if (r < 0)
        return r;
    ret_program->len = (unsigned short)(size / sizeof(struct sock_filter));
    ret_program->filter = (struct sock_filter *)(void *)take_ptr(data);
    return 0;
}

static uint32_t native_bytes_of_argument(unsigned i) {
    return (uint32_t)(offsetof(struct seccomp_data, args) + i * sizeof(uint64_t) +
                      (__BYTE_ORDER == __BIG_ENDIAN ? sizeof(uint32_t) : 0));
}

/*
 * The guard: calls of ioctl(2) whose request's low half is one of the table's get EPERM.  A call of
 * another number leaves it after one comparison for each architecture.
 *
 *       load number
 *       for each architecture:  same as its ioctl?  no: next
 *                               load architecture; not this one: reload number, next
 *                               to the check
 *       to the end
 *   check: load request; one of them? yes: EPERM
 *   end:
 */
static size_t make_guard(struct sock_filter guard[MAX_GUARD]) {
    const size_t n_arch = N_ELEMENTS(architectures);
    const size_t check = 1 + 4 * n_arch + 1, refuse = check + 1 + n_seccomp_terminal_requests + 1;
    size_t n = 0;

    guard[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < n_arch; i++) {
        uint32_t call = (uint32_t)seccomp_syscall_resolve_name_arch(architectures[i], "ioctl");

        guard[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3);
        guard[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                  offsetof(struct seccomp_data, arch));
        guard[n] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, audit_of(architectures[i]), (uint8_t)(check - n - 1), 0);
        n++;
        guard[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                  offsetof(struct seccomp_data, nr));
    }
    guard[n] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(refuse + 1 - n - 1));
    n++;
    guard[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, native_bytes_of_argument(1));
    for (size_t i = 0; i < n_seccomp_terminal_requests; i++, n++)
        guard[n] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, seccomp_terminal_requests[i], (uint8_t)(refuse - n - 1), 0);
    guard[n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
    guard[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    return n;
}

static int put_guard_before(struct sock_fprog *program) {
    struct sock_filter guard[MAX_GUARD], *both;
    size_t n = make_guard(guard);

    if (n + program->len > BPF_MAXINSNS)
        return -E2BIG;
    both = reallocarray(program->filter, n + program->len, sizeof *both);
    if (!both)
        return -ENOMEM;
    memmove(both + n, both, program->len * sizeof *both);
    memcpy(both, guard, n * sizeof *both);
    program->filter = both;
    program->len = (unsigned short)(program->len + n);
    return 0;
}

int seccomp_compile(bool confine, uint64_t caps, bool emulate, struct sock_fprog *ret_program,
                    struct err *err) {
    _cleanup_seccomp_filter_ scmp_filter_ctx filter = NULL, others = NULL;
    struct sock_fprog program = {0};
    int r = make_filter(confine, caps, emulate, false, &filter);

    if (r == 0)
        r = make_filter(confine, caps, emulate, true, &others);
    if (r == 0)
        r = seccomp_merge(filter, others);
    if (r == 0) {
        /* Now part of the other one. */
        others = NULL;
        r = seccomp_export(filter, &program);
    }
    if (r == 0 && confine)
        r = put_guard_before(&program);
    if (r == 0)
        r = seccomp_shrink(&program);
    if (r == -EOPNOTSUPP)
        r = 0;
    if (r < 0) {
        free(program.filter);
        return err_set(err, r, "cannot make the filter of system calls: %s", strerror(-r));
    }
    *ret_program = program;
    return 0;
}
