/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installing a filter costs by its length: the kernel checks it, translates it
 * and runs it for every number of a call.  libseccomp spends an instruction or
 * more on each call that it knows, 1,400 for a default profile, which takes the
 * kernel a tenth of a whole container.  Yet most of a profile's calls lie side
 * by side: what it decides is a few dozen ranges of numbers.
 *
 * A filter can only compare the number and the architecture with constants, so
 * between two neighbouring constants of the program every number fares alike.
 * For each such range the program is run through with number and architecture
 * known; what is left of it, the block of the range, is most often a single
 * return, and else the part that looks at arguments.  Ranges of equal blocks
 * that touch become one, and a binary search over them is put in front of the
 * blocks:
 *
 *       load architecture; a jump to its search, for each
 *       return for other architectures
 *       load number; search; blocks          for each architecture
 *
 * Jumps go forward by 255 at most.  Where that is not enough, or where the
 * program does what filters do not, it stays as it is.
 */
#include "seccomp_shrink.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_JUMP 255
#define MAX_ARCHITECTURES 8
#define NR offsetof(struct seccomp_data, nr)
#define ARCH offsetof(struct seccomp_data, arch)

/* One way through the program: what is known of a call, and what was loaded last. */
struct known {
    uint32_t nr, arch;
};

/* A block: instructions in a row, of which none but the last may be left out. */
struct block {
    struct sock_filter *code; /* in the search's own memory */
    unsigned n;
    unsigned position; /* in the search's code */
};

struct range {
    uint32_t first; /* to the next one's first */
    unsigned block;
};

struct search {
    const struct sock_fprog *in;
    struct range *ranges;
    unsigned n_ranges;
    struct block *blocks;
    unsigned n_blocks;
};

static void search_done(struct search *search) {
    for (unsigned i = 0; i < search->n_blocks; i++)
        free(search->blocks[i].code);
    free(search->blocks);
    free(search->ranges);
}

/* --- following a program -------------------------------------------------------- */

static bool is_load(const struct sock_filter *insn) {
    return insn->code == (BPF_LD | BPF_W | BPF_ABS);
}

static bool is_and(const struct sock_filter *insn) {
    return insn->code == (BPF_ALU | BPF_AND | BPF_K);
}

static bool is_return(const struct sock_filter *insn) {
    return insn->code == (BPF_RET | BPF_K);
}

static bool is_always(const struct sock_filter *insn) {
    return insn->code == (BPF_JMP | BPF_JA);
}

static bool is_condition(const struct sock_filter *insn) {
    switch (insn->code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_K:
        return true;
    default:
        return false;
    }
}

/* A comparison by size; JSET looks at bits. */
static bool is_order(const struct sock_filter *insn) {
    return is_condition(insn) && BPF_OP(insn->code) != BPF_JSET;
}

static bool holds(const struct sock_filter *insn, uint32_t value) {
    switch (BPF_OP(insn->code)) {
    case BPF_JEQ:
        return value == insn->k;
    case BPF_JGT:
        return value > insn->k;
    default:
        return value >= insn->k;
    }
}

/*
 * Goes on from @pc as long as all that happens is known, to the first
 * instruction that has to stay.  Return: its place or -EOPNOTSUPP.
 */
static int follow(const struct sock_fprog *in, const struct known *known, unsigned pc) {
    bool is_known = false;
    uint32_t value = 0;

    while (pc < in->len) {
        const struct sock_filter *insn = &in->filter[pc];

        if (is_load(insn) && (insn->k == NR || insn->k == ARCH)) {
            value = insn->k == NR ? known->nr : known->arch;
            is_known = true;
            pc++;
        } else if (is_always(insn)) {
            pc += insn->k + 1;
        } else if (is_order(insn) && is_known) {
            pc += (holds(insn, value) ? insn->jt : insn->jf) + 1u;
        } else {
            /* Bits of a number are nothing that its neighbours share. */
            bool stays = is_load(insn) || is_return(insn) ||
                         (!is_known && (is_condition(insn) || is_and(insn)));

            return stays ? (int)pc : -EOPNOTSUPP;
        }
    }
    return -EOPNOTSUPP;
}

/* An instruction that stays: its place in the block, from 1; 0: it does not.  What follows it. */
struct stay {
    unsigned place;
    unsigned next[2];
};

static int write_block(const struct sock_fprog *in, const struct stay *stays, struct block *block) {
    unsigned n = 0;

    block->code = calloc(block->n + 1, sizeof *block->code);
    if (!block->code)
        return -ENOMEM;
    for (unsigned pc = 0; pc < in->len; pc++) {
        struct sock_filter *insn = block->code + n;
        unsigned first = stays[stays[pc].next[0]].place, second = stays[stays[pc].next[1]].place;

        if (!stays[pc].place)
            continue;
        *insn = in->filter[pc];
        n++;
        if (is_condition(insn)) {
            if (first - n - 1 > MAX_JUMP || second - n - 1 > MAX_JUMP)
                return -EOPNOTSUPP;
            insn->jt = (uint8_t)(first - n - 1);
            insn->jf = (uint8_t)(second - n - 1);
        } else if (!is_return(insn) && first != n + 1) {
            /* It would take a jump of its own; libseccomp loads where it compares. */
            return -EOPNOTSUPP;
        }
    }
    return 0;
}

/*
 * What is left of the program for a call that is known: the instructions that have to stay, in
 * their order, which is one that all jumps follow.
 */
static int make_block(const struct sock_fprog *in, const struct known *known, struct block *block) {
    _cleanup_free_ struct stay *stays = NULL;
    int entry = follow(in, known, 0);

    *block = (struct block){0};
    if (entry < 0)
        return entry;
    stays = calloc(in->len, sizeof *stays);
    if (!stays)
        return -ENOMEM;
    stays[entry].place = 1;
    for (unsigned pc = (unsigned)entry; pc < in->len; pc++) {
        const struct sock_filter *insn = &in->filter[pc];
        int n_sides = is_return(insn) ? 0 : is_condition(insn) ? 2 : 1;

        if (!stays[pc].place)
            continue;
        stays[pc].place = ++block->n;
        for (int side = 0; side < n_sides; side++) {
            unsigned skip = n_sides == 1 ? 0 : side ? insn->jf : insn->jt;
            int next = follow(in, known, pc + 1 + skip);

            if (next < 0)
                return next;
            stays[pc].next[side] = (unsigned)next;
            stays[next].place = 1;
        }
    }
    return write_block(in, stays, block);
}

/* --- ranges ---------------------------------------------------------------------- */

static int compare_u32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The numbers at which the program can begin to decide otherwise, ascending; at least 0. */
static int find_bounds(const struct sock_fprog *in, uint32_t **ret_bounds, size_t *ret_n) {
    uint32_t *bounds = calloc(2 * (size_t)in->len + 1, sizeof *bounds);
    size_t n = 1, kept = 1;

    if (!bounds)
        return -ENOMEM;
    for (unsigned i = 0; i < in->len; i++)
        if (is_condition(&in->filter[i])) {
            bounds[n++] = in->filter[i].k;
            if (in->filter[i].k != UINT32_MAX)
                bounds[n++] = in->filter[i].k + 1;
        }
    qsort(bounds, n, sizeof *bounds, compare_u32);
    for (size_t i = 1; i < n; i++)
        if (bounds[i] != bounds[i - 1])
            bounds[kept++] = bounds[i];
    *ret_bounds = bounds;
    *ret_n = kept;
    return 0;
}

/* Takes @block's code; the number of the block that is like it. */
static unsigned keep_block(struct search *search, struct block *block) {
    for (unsigned i = 0; i < search->n_blocks; i++)
        if (search->blocks[i].n == block->n &&
            memcmp(search->blocks[i].code, block->code, block->n * sizeof *block->code) == 0) {
            free(block->code);
            return i;
        }
    search->blocks[search->n_blocks] = *block;
    return search->n_blocks++;
}

static int make_ranges(struct search *search, uint32_t arch, const uint32_t *bounds, size_t n) {
    search->ranges = calloc(n, sizeof *search->ranges);
    search->blocks = calloc(n, sizeof *search->blocks);
    if (!search->ranges || !search->blocks)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct known known = {bounds[i], arch};
        struct block block;
        int r = make_block(search->in, &known, &block);
        unsigned kept;

        if (r < 0) {
            free(block.code);
            return r;
        }
        kept = keep_block(search, &block);
        if (search->n_ranges == 0 || search->ranges[search->n_ranges - 1].block != kept)
            search->ranges[search->n_ranges++] = (struct range){bounds[i], kept};
    }
    return 0;
}

/* --- the new program --------------------------------------------------------------- */

static void put(struct buf *out, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k) {
    const struct sock_filter insn = {code, jt, jf, k};

    buf_append(out, &insn, sizeof insn);
}

static unsigned length_of(const struct buf *out) {
    return (unsigned)(out->size / sizeof(struct sock_filter));
}

/* Searches @n ranges, of which there are two or more; @base is where the search begins. */
static int put_search(struct buf *out, const struct search *search, const struct range *ranges,
                      unsigned n, unsigned base) {
    unsigned n_left = n / 2, n_right = n - n_left, here = length_of(out) - base;
    unsigned left = n_left > 1 ? here + 1 : search->blocks[ranges[0].block].position;
    unsigned right = n_right > 1 ? here + n_left : search->blocks[ranges[n_left].block].position;
    int r = 0;

    if (left - here - 1 > MAX_JUMP || right - here - 1 > MAX_JUMP)
        return -EOPNOTSUPP;
    put(out, BPF_JMP | BPF_JGE | BPF_K, (uint8_t)(right - here - 1), (uint8_t)(left - here - 1),
        ranges[n_left].first);
    if (n_left > 1)
        r = put_search(out, search, ranges, n_left, base);
    if (r == 0 && n_right > 1)
        r = put_search(out, search, ranges + n_left, n_right, base);
    return r;
}

static int put_architecture(struct buf *out, struct search *search) {
    unsigned base = length_of(out), position = 1 + (search->n_ranges - 1);
    int r = 0;

    for (unsigned i = 0; i < search->n_blocks; i++) {
        search->blocks[i].position = position;
        position += search->blocks[i].n;
    }
    put(out, BPF_LD | BPF_W | BPF_ABS, 0, 0, NR);
    if (search->n_ranges > 1)
        r = put_search(out, search, search->ranges, search->n_ranges, base);
    for (unsigned i = 0; r == 0 && i < search->n_blocks; i++)
        buf_append(out, search->blocks[i].code,
                   search->blocks[i].n * sizeof *search->blocks[i].code);
    return r;
}

/*
 * The constants that the program compares the architecture with: those of the comparisons that can
 * be reached with it as what was loaded last.  Return: how many, -EOPNOTSUPP when too many,
 * -ENOMEM.
 */
static int find_architectures(const struct sock_fprog *in, uint32_t list[MAX_ARCHITECTURES]) {
    _cleanup_free_ bool *is_arch = calloc((size_t)in->len + UINT8_MAX + 2, sizeof *is_arch);
    int n = 0;

    if (!is_arch)
        return -ENOMEM;
    for (unsigned pc = 0; pc < in->len; pc++) {
        const struct sock_filter *insn = &in->filter[pc];
        bool is_new = is_condition(insn) && is_arch[pc];

        if (is_always(insn) && is_arch[pc] && insn->k < in->len - pc)
            is_arch[pc + 1 + insn->k] = true;
        if (is_condition(insn) && is_arch[pc])
            is_arch[pc + 1 + insn->jt] = is_arch[pc + 1 + insn->jf] = true;
        if (is_load(insn) && insn->k == ARCH)
            is_arch[pc + 1] = true;
        for (int j = 0; j < n; j++)
            is_new = is_new && list[j] != insn->k;
        if (is_new && (n == MAX_ARCHITECTURES || BPF_OP(insn->code) != BPF_JEQ))
            return -EOPNOTSUPP;
        if (is_new)
            list[n++] = insn->k;
    }
    return n;
}

static int put_program(struct buf *out, const struct sock_fprog *in) {
    uint32_t architectures[MAX_ARCHITECTURES];
    _cleanup_free_ uint32_t *bounds = NULL;
    size_t n_bounds;
    int n = find_architectures(in, architectures), r = n < 0 ? n : 0;

    if (r == 0)
        r = find_bounds(in, &bounds, &n_bounds);
    if (r == 0)
        put(out, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARCH);
    /* Each architecture's part, and before it the jump over it; last that of all others. */
    for (int i = 0; r == 0 && i <= n; i++) {
        _cleanup_(search_done) struct search search = {.in = in};
        size_t jump = out->size;

        if (i < n) {
            put(out, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, architectures[i]);
            put(out, BPF_JMP | BPF_JA, 0, 0, 0);
        }
        /* 0 is no architecture's. */
        r = make_ranges(&search, i < n ? architectures[i] : 0, bounds, n_bounds);
        if (r == 0)
            r = put_architecture(out, &search);
        if (r == 0 && buf_failed(out))
            r = -ENOMEM;
        if (r == 0 && i < n) {
            struct sock_filter *insn = (struct sock_filter *)(void *)(out->data + jump) + 1;

            insn->k = length_of(out) - (unsigned)(jump / sizeof *insn) - 2;
        }
    }
    return r;
}

int seccomp_shrink(struct sock_fprog *program) {
    _cleanup_buf_ struct buf out = BUF_INIT;
    int r = put_program(&out, program);

    if (r < 0)
        return r;
    if (length_of(&out) >= program->len)
        return -EOPNOTSUPP;
    free(program->filter);
    program->len = (unsigned short)length_of(&out);
    program->filter = (struct sock_filter *)(void *)buf_take(&out);
    return 0;
}
