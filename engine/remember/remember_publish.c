/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a container's end to a remembered step.  Its upper directories are renamed
 * into a directory of the run's, digested there, and that is renamed into steps/:
 * nothing is copied, and killed at any point there is either nothing or all.
 *
 * Nothing is synced either.  As long as the kernel runs, what was written is what
 * is read.  After a crash or a power cut the files may lack what the record says
 * of them; so the record has the boot's id and a digest of the files, and under
 * another boot they are compared before they are used.
 */
#include "remember_publish.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "engine/userns.h"
#include "rootfs/tree_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>

/* What a process with the ids of the files finds out; in memory that it shares with this one. */
struct digest_work {
    int dir_fd;
    const struct strv *volumes;
    char hex[SHA256_HEX_BYTES];
    uint64_t bytes;
};

static int digest_here(void *argument, struct err *err) {
    struct digest_work *work = argument;
    struct sha256 sha;
    int r;

    sha256_init(&sha);
    r = tree_digest(work->dir_fd, "tree", &sha, &work->bytes, err);
    for (size_t i = 0; r == 0 && i < work->volumes->n; i++) {
        char name[32];

        snprintf(name, sizeof name, "volume.%s", work->volumes->items[i]);
        r = tree_digest(work->dir_fd, name, &sha, &work->bytes, err);
    }
    if (r == 0)
        sha256_final_hex(&sha, work->hex);
    return r;
}

/* Digests the files of a step's directory.  Where something may not be read, @ret_hex is "". */
static int digest(const struct idmap *map, int dir_fd, const struct strv *volumes,
                  char ret_hex[SHA256_HEX_BYTES], uint64_t *ret_bytes, struct err *err) {
    struct digest_work *work =
        mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int r;

    if (work == MAP_FAILED)
        return err_nomem(err);
    *work = (struct digest_work){.dir_fd = dir_fd, .volumes = volumes};
    r = map->mode == IDMAP_SUBUID ? -EACCES : digest_here(work, err);
    /* Also of a user's own files some may have no mode to be read with. */
    if (r == -EACCES) {
        work->bytes = 0;
        r = userns_call_as_root(map, digest_here, work, -1, err);
    }
    if (r > 0 || r == -EACCES) {
        work->hex[0] = '\0';
        r = 0;
    }
    memcpy(ret_hex, work->hex, SHA256_HEX_BYTES);
    *ret_bytes = work->bytes;
    munmap(work, sizeof *work);
    return r;
}

int remember_verify(const struct idmap *map, const struct step *step, struct err *err) {
    char hex[SHA256_HEX_BYTES];
    uint64_t bytes;
    int r;

    if (!*step->record.tree_hex)
        return 1;
    r = digest(map, step->fd, &step->record.volumes, hex, &bytes, err);
    return r < 0 ? r : !str_eq(hex, step->record.tree_hex);
}

/* A directory can be moved elsewhere by those alone who may write to it: its ".." changes. */
static int move(int dir_fd, const char *from, const char *to) {
    struct stat st;
    int r = sys_renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE);

    if (r == 0 || errno != EACCES || fstatat(dir_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        fchmodat(dir_fd, from, (st.st_mode & 07777) | S_IWUSR, 0) < 0)
        return r;
    r = sys_renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE);
    return r == 0 ? fchmodat(dir_fd, to, st.st_mode & 07777, 0) : r;
}

static int gather(struct remember_publish *publish, const struct container *container,
                  struct err *err) {
    const struct plan *plan = container->plan;
    int dir_fd = container->state.fd;

    if (move(dir_fd, "upper", "step/tree") < 0)
        return store_errno(&container->store, "cannot keep what a step has changed", err);
    for (size_t i = 0; i < plan->n_volumes; i++) {
        char from[32], to[48], number[24];

        if (plan->volumes[i].mode != VOLUME_COW)
            continue;
        snprintf(number, sizeof number, "%zu", i);
        snprintf(from, sizeof from, "upper.%s", number);
        snprintf(to, sizeof to, "step/volume.%s", number);
        if (move(dir_fd, from, to) < 0)
            return store_errno(&container->store, "cannot keep what a step has changed", err);
        if (strv_push(&publish->record.volumes, number) < 0)
            return err_nomem(err);
    }
    return 0;
}

static int keep_output(struct remember_publish *publish, const struct container *container,
                       struct err *err) {
    int r = capture_finish(&publish->chain->capture, publish->record.output_hex, err);

    if (r == -EFBIG) {
        log_warning(container->log, "step %" PRIu64 ": %s and is not kept with it",
                    publish->record.number, err->message);
        r = 0;
    }
    if (r == 0 && !*publish->record.output_hex)
        (void)sys_unlinkat(container->state.fd, "step/output", 0);
    return r;
}

static int make_id(struct step_record *record, struct err *err) {
    uint64_t bits[2];

    if (getrandom(bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, "cannot make an id");
    snprintf(record->id, sizeof record->id, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    return 0;
}

static int try_publish(struct remember_publish *publish, const struct container *container,
                       struct err *err) {
    struct step_record *record = &publish->record;
    _cleanup_close_ int fd = -1;
    int r = keep_output(publish, container, err);

    if (r == 0)
        r = gather(publish, container, err);
    if (r == 0)
        r = make_id(record, err);
    if (r < 0)
        return r;
    fd = openat(container->state.fd, "step", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return store_errno(&container->store, "cannot open a step's directory", err);
    r = digest(&container->map, fd, &record->volumes, record->tree_hex, &record->size_bytes, err);
    if (r < 0)
        return r;
    record->created_nsec = clock_realtime();
    return step_publish(&container->store, publish->key, container->state.fd, "step", record,
                        publish->expires_nsec, err);
}

void remember_publish(void *context, const struct container *container) {
    struct remember_publish *publish = context;

    publish->r = try_publish(publish, container, &publish->err);
}
