/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers into the store.
 *
 * Each layer that is missing gets a work directory, locked, named by what the
 * layer will be; the locks are taken in the order of the names, so that two
 * imports that share layers never wait for each other in a circle.  Whoever
 * waited finds the layer in place and has nothing to do.
 *
 * Then threads take the layers one after the other.  When all are unpacked and
 * checked, one syncfs(2) brings every file's content to the disk, and after it
 * the renames make them layers: a power cut at any moment leaves a layer whole
 * or absent.
 */
#include "layer_import.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "layer_inherit.h"
#include "recipe.h"
#include "recipe_tree.h"
#include "unpack.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* More layers at once than this only take memory from each other. */
enum { THREADS_MAX = 4 };

/* Where the tree is in its work directory. */
#define TREE_NAME "tree"
/* How often progress is told of each layer. */
#define TELL_NSEC (100 * NSEC_PER_MSEC)
/* And by what its tar can be made again. */
#define RECIPE_NAME "recipe"

/* What the threads of one import share. */
struct import {
    const struct store *store;
    const struct log *log;
    struct layer_job *jobs;
    size_t n;
    size_t next;
    struct layer_limits limits;
    pthread_mutex_t mutex; /* of the progress that is told */
};

static const char *work_name(const struct layer_job *job) {
    return digest_is_set(&job->diff_id) ? job->diff_id.hex : job->work_name;
}

static bool has_layer(const struct store *store, const struct digest *digest) {
    char path[16 + DIGEST_HEX_BYTES];

    if (!digest_is_set(digest))
        return false;
    snprintf(path, sizeof path, "layers/%s", digest->hex);
    return faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether a layer is there, under either of its names; sets which. */
static bool is_in_store(const struct store *store, struct layer_job *job) {
    const struct digest *there = has_layer(store, &job->diff_id)    ? &job->diff_id
                                 : has_layer(store, &job->chain_id) ? &job->chain_id
                                                                    : NULL;

    if (there)
        memcpy(job->name, there->hex, sizeof job->name);
    return there;
}

static int compare_jobs(const void *a, const void *b) {
    return strcmp(work_name(*(struct layer_job *const *)a),
                  work_name(*(struct layer_job *const *)b));
}

/* Marks what is there, and what is wanted twice; locks the rest. */
static int lock_missing(const struct store *store, struct layer_job *jobs, size_t n,
                        struct err *err) {
    _cleanup_free_ struct layer_job **sorted = calloc(n + 1, sizeof *sorted);

    if (!sorted)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &jobs[i];
    qsort(sorted, n, sizeof *sorted, compare_jobs);
    for (size_t i = 0; i < n; i++) {
        struct layer_job *job = sorted[i];
        int r;

        job->done =
            is_in_store(store, job) || (i > 0 && str_eq(work_name(job), work_name(sorted[i - 1])));
        if (job->done)
            continue;
        r = store_work_begin(store, work_name(job), &job->work, err);
        if (r < 0)
            return r;
        if (is_in_store(store, job)) {
            store_work_end(store, &job->work);
            job->done = true;
        }
    }
    return 0;
}

static int check_sums(struct layer_job *job, const struct layer_sums *sums, struct err *err) {
    job->diff_bytes = sums->diff_bytes;
    if (digest_is_set(&job->blob_digest) && !digest_eq(&job->blob_digest, &sums->blob))
        return err_set(err, -EBADMSG,
                       "digest mismatch (its bytes give %.12s..., %.12s... was announced)",
                       sums->blob.hex, job->blob_digest.hex);
    if (job->blob_bytes >= 0 && (uint64_t)job->blob_bytes != sums->blob_bytes)
        return err_set(err, -EBADMSG, "it has %" PRIu64 " bytes where %" PRId64 " were announced",
                       sums->blob_bytes, job->blob_bytes);
    if (!digest_is_set(&job->diff_id)) {
        if (!sums->ends_in_zeros)
            return err_set(err, -EBADMSG, "the tar is cut short: it has no end mark");
        job->diff_id = sums->diff;
    }
    if (!digest_eq(&job->diff_id, &sums->diff))
        return err_set(err, -EBADMSG,
                       "digest mismatch (its tar gives %.12s..., %.12s... was announced)",
                       sums->diff.hex, job->diff_id.hex);
    return 0;
}

/* Reads what follows the archive's end, which is part of the tar. */
static int read_rest(struct recipe *recipe, struct err *err) {
    const void *data;
    ssize_t n;

    do
        n = recipe_read(recipe, &data, err);
    while (n > 0);
    return (int)n;
}

/* Reads a layer to its end, into a tree. */
static int unpack_stream(struct import *import, struct layer_job *job, struct layer_stream *stream,
                         struct recipe *recipe, struct err *err) {
    const struct unpack_source source = {.read = recipe_read, .context = recipe, .recipe = recipe};
    _cleanup_close_ int tree_fd =
        openat(job->work.fd, TREE_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct unpack_count count;
    struct layer_sums sums;
    int r;

    if (tree_fd < 0 || fchmod(tree_fd, 0755) < 0)
        return store_errno(import->store, "cannot make a layer's directory", err);
    r = unpack_layer(&source, tree_fd, import->store->owners, &count, err);
    if (r == 0)
        r = read_rest(recipe, err);
    if (r == 0)
        r = layer_stream_drain(stream, &sums, err);
    if (r < 0) {
        strv_done(&count.implied);
        return r;
    }
    strv_done(&job->implied);
    job->implied = count.implied;
    if (count.n_devices > 0)
        log_debug(import->log, "%" PRIu64 " device nodes or sockets left out of a layer",
                  count.n_devices);
    if (count.n_xattrs > 0)
        log_debug(import->log, "%" PRIu64 " attributes could not be kept", count.n_xattrs);
    r = check_sums(job, &sums, err);
    if (r == 0 && !recipe->lost && recipe_finish(recipe, &sums.diff) < 0)
        return store_errno(import->store, "cannot write a layer's recipe", err);
    job->has_recipe = r == 0 && !recipe->lost;
    return r;
}

/* Reads a layer to its end, into a tree and a recipe. */
static int take_stream(struct import *import, struct layer_job *job, struct layer_stream *stream,
                       struct err *err) {
    const struct unpack_source source = {.read = layer_stream_read, .context = stream};
    _cleanup_close_ int fd =
        openat(job->work.fd, RECIPE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct recipe recipe;
    int r;

    if (fd < 0)
        return store_errno(import->store, "cannot make a layer's recipe", err);
    recipe_init(&recipe, &source, fd);
    r = unpack_stream(import, job, stream, &recipe, err);
    recipe_done(&recipe);
    return r;
}

/* --- progress ----------------------------------------------------------------- */

/* A blob whose bytes are counted on their way. */
struct counted {
    struct blob blob;
    struct import *import;
    struct layer_job *job;
    uint64_t total;
    uint64_t told_nsec;
};

static void tell(struct import *import, const struct layer_job *job, uint64_t total, bool ended) {
    const struct digest *digest =
        digest_is_set(&job->blob_digest) ? &job->blob_digest : &job->diff_id;
    char label[13] = "layer";

    if (digest_is_set(digest))
        snprintf(label, sizeof label, "%.12s", digest->hex);
    pthread_mutex_lock(&import->mutex);
    import->log->progress(import->log->progress_context,
                          &(const struct log_progress){.part = (size_t)(job - import->jobs),
                                                       .n_parts = import->n,
                                                       .label = label,
                                                       .done = job->read_bytes,
                                                       .total = total,
                                                       .ended = ended});
    pthread_mutex_unlock(&import->mutex);
}

static ssize_t read_counted(void *context, void *data, size_t size, struct err *err) {
    struct counted *c = context;
    ssize_t n = blob_read(&c->blob, data, size, err);
    uint64_t now_nsec;

    if (n <= 0)
        return n;
    c->job->read_bytes += (uint64_t)n;
    now_nsec = clock_monotonic();
    if (now_nsec - c->told_nsec >= TELL_NSEC) {
        c->told_nsec = now_nsec;
        tell(c->import, c->job, c->total, false);
    }
    return n;
}

static void close_counted(void *context) {
    struct counted *c = context;

    blob_done(&c->blob);
}

/* Puts a counter in front of a blob, where progress is wanted. */
static void count(struct import *import, struct layer_job *job, struct blob *blob,
                  struct counted *counted) {
    static const struct blob_source source = {.read = read_counted, .close = close_counted};
    struct stat st;

    if (!import->log || !import->log->progress)
        return;
    *counted = (struct counted){.blob = *blob, .import = import, .job = job};
    if (job->blob_bytes > 0)
        counted->total = (uint64_t)job->blob_bytes;
    else if (blob->end != BLOB_TO_THE_END && blob->end > blob->offset)
        counted->total = blob->end - blob->offset;
    else if (blob->fd >= 0 && fstat(blob->fd, &st) == 0 && S_ISREG(st.st_mode))
        counted->total = (uint64_t)st.st_size;
    *blob = (struct blob){.fd = -1, .source = &source, .context = counted};
}

/* --- the jobs ----------------------------------------------------------------- */

static int do_job(struct import *import, struct layer_job *job, struct err *err) {
    struct counted counted;
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    struct layer_stream *stream = NULL;
    int r = job->open(job->context, job, &blob, err);

    if (r < 0)
        return r;
    count(import, job, &blob, &counted);
    if (sys_mkdirat(job->work.fd, TREE_NAME, 0755) < 0)
        return store_errno(import->store, "cannot make a layer's directory", err);
    r = layer_stream_new(&stream, &blob, job->blob_digest.algorithm, job->diff_id.algorithm,
                         &import->limits, err);
    if (r < 0)
        return r;
    r = take_stream(import, job, stream, err);
    layer_stream_free(stream);
    return r;
}

static void *run_jobs(void *context) {
    struct import *import = context;
    size_t i;

    while ((i = __atomic_fetch_add(&import->next, 1, __ATOMIC_RELAXED)) < import->n) {
        struct layer_job *job = &import->jobs[i];

        if (job->done || __atomic_load_n(&import->limits.cancelled, __ATOMIC_RELAXED))
            continue;
        if (do_job(import, job, &job->err) >= 0)
            job->err = (struct err){0};
        else
            __atomic_store_n(&import->limits.cancelled, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Does the jobs in this thread and as many more as there are processors and layers for. */
static void run_threads(struct import *import) {
    pthread_t threads[THREADS_MAX];
    size_t n_missing = 0, n_threads = 0, wanted;
    sigset_t all, before;
    cpu_set_t cpus;

    for (size_t i = 0; i < import->n; i++)
        n_missing += !import->jobs[i].done;
    wanted = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    if (wanted > n_missing)
        wanted = n_missing;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (n_threads + 1 < wanted &&
           pthread_create(&threads[n_threads], NULL, run_jobs, import) == 0)
        n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    run_jobs(import);
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
}

/* The first error that is a cause and not a consequence. */
static int first_error(const struct layer_job *jobs, size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        const struct layer_job *job = &jobs[i];

        if (job->err.code == 0 || job->err.code == -ECANCELED)
            continue;
        if (job->number == 0)
            return err_set(err, job->err.code, "%s", job->err.message);
        return err_set(err, job->err.code, "layer %zu of %zu: %s", job->number, n,
                       job->err.message);
    }
    return 0;
}

/* The tree of a layer, wherever it is by now. */
static int open_layer(const struct store *store, const struct layer_job *job) {
    char path[16 + DIGEST_HEX_BYTES];

    if (job->work.fd >= 0)
        return openat(job->work.fd, TREE_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    snprintf(path, sizeof path, "layers/%s", job->name);
    return openat(store->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Names a layer, and completes what it takes from those below. */
static int complete(const struct store *store, struct layer_job *jobs, size_t i, struct err *err) {
    struct layer_job *job = &jobs[i];
    _cleanup_close_ int tree_fd = -1;
    bool inherits = job->implied.n > 0 && i > 0 && digest_is_set(&job->chain_id);
    int r = 0;

    memcpy(job->name, inherits ? job->chain_id.hex : job->diff_id.hex, sizeof job->name);
    if (!inherits)
        return 0;
    tree_fd = open_layer(store, job);
    if (tree_fd < 0)
        return store_errno(store, "cannot open a layer", err);
    for (size_t k = i; k > 0 && r == 0 && job->implied.n > 0; k--) {
        _cleanup_close_ int below_fd = open_layer(store, &jobs[k - 1]);

        if (below_fd >= 0)
            r = layer_inherit(tree_fd, below_fd, &job->implied, err);
    }
    return r;
}

/* A layer that is wanted twice is where it was made for the first. */
static void name_twin(struct layer_job *jobs, size_t n, struct layer_job *job) {
    for (size_t i = 0; i < n && !job->name[0]; i++)
        if (jobs[i].name[0] && digest_eq(&jobs[i].diff_id, &job->diff_id))
            memcpy(job->name, jobs[i].name, sizeof job->name);
}

/* Makes a layer of what is in its work directory; the recipe first, since the tree counts. */
static int publish_one(const struct store *store, const struct layer_job *job, struct err *err) {
    char path[16 + DIGEST_HEX_BYTES];
    int r = 0;

    if (job->has_recipe) {
        /* A store of an earlier version has none. */
        if (sys_mkdirat(store->fd, "recipes", 0700) < 0 && errno != EEXIST)
            return store_errno(store, "cannot make a directory in it", err);
        snprintf(path, sizeof path, "recipes/%s", job->name);
        r = store_replace(store, &job->work, RECIPE_NAME, path, err);
    }
    snprintf(path, sizeof path, "layers/%s", job->name);
    return r < 0 ? r : store_publish(store, &job->work, TREE_NAME, path, err);
}

/* The tar cannot be made again when it had files that others of it replaced; one of the tree can.
 */
static int replace_recipe(const struct store *store, struct layer_job *job, struct err *err) {
    _cleanup_close_ int tree_fd = open_layer(store, job), fd = -1;
    struct digest diff;
    uint64_t bytes;
    int r;

    fd = openat(job->work.fd, RECIPE_NAME, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (tree_fd < 0 || fd < 0)
        return store_errno(store, "cannot make a layer's recipe", err);
    r = recipe_tree(tree_fd, fd, store->owners, &diff, &bytes, err);
    /* A file that its own user must not read: such a layer cannot be saved. */
    job->has_recipe = r == 0;
    return r == -EACCES ? 0 : r;
}

static int publish(const struct store *store, struct layer_job *jobs, size_t n, struct err *err) {
    bool synced = false;
    int r;

    for (size_t i = 0; i < n; i++) {
        if (jobs[i].done)
            continue;
        r = complete(store, jobs, i, err);
        if (r == 0 && !jobs[i].has_recipe)
            r = replace_recipe(store, &jobs[i], err);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].done) {
            name_twin(jobs, n, &jobs[i]);
            continue;
        }
        if (!synced && syncfs(jobs[i].work.fd) < 0)
            return store_errno(store, "cannot sync it", err);
        synced = true;
        r = publish_one(store, &jobs[i], err);
        if (r < 0)
            return r;
    }
    if (!synced)
        return 0;
    r = store_sync_folder(store, "recipes", err);
    return r < 0 ? r : store_sync_folder(store, "layers", err);
}

/* Each layer under way holds a descriptor, and each thread one for each level of its tree. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int layers_import(const struct store *store, struct layer_job *jobs, size_t n,
                  const struct log *log, struct err *err) {
    struct import import = {
        .store = store,
        .log = log,
        .jobs = jobs,
        .n = n,
        .limits = {.bytes_left = store->max_image_bytes > INT64_MAX
                                     ? INT64_MAX
                                     : (int64_t)store->max_image_bytes},
    };
    mode_t mask = umask(0);
    int r;

    pthread_mutex_init(&import.mutex, NULL);
    raise_descriptor_limit();
    for (size_t i = 0; i < n; i++) {
        jobs[i].work = STORE_WORK_INIT;
        jobs[i].read_bytes = 0;
        jobs[i].err = (struct err){0};
    }
    r = lock_missing(store, jobs, n, err);
    if (r == 0) {
        run_threads(&import);
        r = first_error(jobs, n, err);
    }
    if (r == 0)
        r = publish(store, jobs, n, err);
    for (size_t i = 0; r == 0 && log && log->progress && i < n; i++)
        tell(&import, &jobs[i], jobs[i].read_bytes, true);
    pthread_mutex_destroy(&import.mutex);
    for (size_t i = 0; i < n; i++) {
        store_work_end(store, &jobs[i].work);
        strv_done(&jobs[i].implied);
    }
    umask(mask);
    return r;
}
