/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer on its way in:
 *
 *   blob -> digest -> inflate -> digest -> ring of blocks | -> tar -> files
 *           (the stream's own thread)                     | (whoever reads)
 *
 * so that decompressing and writing files go on at the same time, also for a
 * single layer.  The ring's blocks are a multiple of the tar's 512 bytes, and
 * libarchive hands file contents on from there without copying them.
 *
 * The limits are kept here, where the bytes appear: a maximum for the whole
 * image and a ratio above which no layer is anything but a bomb.  Deflate
 * reaches 1:1032 at most, on zeros; an image is near 1:3.
 */
#include "layer_stream.h"

#include "engine/base/cleanup.h"
#include "inflate.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

enum {
    BLOCK_BYTES = 256 << 10,
    N_BLOCKS = 8,
    TAR_END_BYTES = 1024,
};

#define RATIO_MAX 500
/* Below this, a high ratio is a file of zeros and harms nobody. */
#define RATIO_FROM_BYTES (UINT64_C(1) << 30)

struct layer_stream {
    struct blob *blob;
    struct layer_limits *limits;
    struct digest_stream blob_digest;
    struct digest_stream diff_digest;
    struct layer_sums sums;
    uint64_t n_zeros; /* at the end so far, at most TAR_END_BYTES */
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned n_made; /* blocks; those before n_taken are free again */
    unsigned n_taken;
    bool lent; /* block n_taken is in the reader's hands */
    bool ended;
    bool stop;
    struct err err; /* set before @ended */
    size_t sizes[N_BLOCKS];
    unsigned char *blocks;
};

static ssize_t read_blob(void *context, void *data, size_t size, struct err *err) {
    struct layer_stream *s = context;
    ssize_t n = blob_read(s->blob, data, size, err);

    if (n > 0) {
        digest_stream_update(&s->blob_digest, data, (size_t)n);
        s->sums.blob_bytes += (uint64_t)n;
    }
    return n;
}

static void count_zeros(struct layer_stream *s, const unsigned char *data, size_t size) {
    size_t n = 0;

    while (n < size && n < TAR_END_BYTES && data[size - 1 - n] == 0)
        n++;
    s->n_zeros = n == size ? s->n_zeros + n : n;
    if (s->n_zeros > TAR_END_BYTES)
        s->n_zeros = TAR_END_BYTES;
}

static int check_limits(struct layer_stream *s, size_t size, struct err *err) {
    s->sums.diff_bytes += size;
    if (__atomic_load_n(&s->limits->cancelled, __ATOMIC_RELAXED))
        return err_set(err, -ECANCELED, "cancelled");
    if (__atomic_sub_fetch(&s->limits->bytes_left, (int64_t)size, __ATOMIC_RELAXED) < 0)
        return err_set(err, -EFBIG, "the image is larger than the limit for unpacked images");
    if (s->sums.diff_bytes > RATIO_FROM_BYTES &&
        s->sums.diff_bytes / RATIO_MAX > s->sums.blob_bytes)
        return err_set(err, -EFBIG, "it unpacks to more than %d times its size", RATIO_MAX);
    return 0;
}

/* Waits for a free block; NULL when the reader has gone. */
static unsigned char *wait_for_block(struct layer_stream *s) {
    unsigned char *block = NULL;

    pthread_mutex_lock(&s->mutex);
    while (!s->stop && s->n_made - s->n_taken == N_BLOCKS)
        pthread_cond_wait(&s->changed, &s->mutex);
    if (!s->stop)
        block = s->blocks + (size_t)(s->n_made % N_BLOCKS) * BLOCK_BYTES;
    pthread_mutex_unlock(&s->mutex);
    return block;
}

static void hand_over(struct layer_stream *s, size_t size) {
    pthread_mutex_lock(&s->mutex);
    s->sizes[s->n_made++ % N_BLOCKS] = size;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->mutex);
}

/* Fills blocks until the layer ends.  Return: 0, or -errno with s->err set. */
static int produce(struct layer_stream *s, struct inflate *inflate) {
    unsigned char *block;

    while ((block = wait_for_block(s))) {
        size_t size = 0;
        ssize_t n = 1;
        int r;

        while (size < BLOCK_BYTES && n > 0) {
            n = inflate_read(inflate, block + size, BLOCK_BYTES - size, &s->err);
            if (n < 0)
                return (int)n;
            size += (size_t)n;
        }
        if (size > 0) {
            r = check_limits(s, size, &s->err);
            if (r < 0)
                return r;
            digest_stream_update(&s->diff_digest, block, size);
            count_zeros(s, block, size);
            hand_over(s, size);
        }
        if (n == 0)
            break;
    }
    return 0;
}

/* Reads what follows the compressed data, which belongs to the blob's digest. */
static int read_rest(struct layer_stream *s) {
    char rest[4096];
    ssize_t n;

    do
        n = read_blob(s, rest, sizeof rest, &s->err);
    while (n > 0 && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED));
    return (int)n;
}

static void *run_thread(void *context) {
    struct layer_stream *s = context;
    const struct inflate_source source = {.read = read_blob, .context = s};
    struct inflate *inflate = NULL;
    int r = inflate_new(&inflate, &source, &s->err);

    if (r == 0)
        r = produce(s, inflate);
    inflate_free(inflate);
    if (r == 0)
        r = read_rest(s);
    if (r >= 0) {
        digest_stream_final(&s->blob_digest, &s->sums.blob);
        digest_stream_final(&s->diff_digest, &s->sums.diff);
        s->sums.ends_in_zeros = s->n_zeros == TAR_END_BYTES;
    }
    pthread_mutex_lock(&s->mutex);
    if (r >= 0)
        s->err.code = 0;
    s->ended = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* Starts the thread with every signal blocked, so that handlers run where they are expected. */
static int start_thread(struct layer_stream *s) {
    sigset_t all, before;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&s->thread, NULL, run_thread, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -e;
}

static void release(struct layer_stream *s) {
    digest_stream_done(&s->blob_digest);
    digest_stream_done(&s->diff_digest);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    free(s->blocks);
    free(s);
}

int layer_stream_new(struct layer_stream **ret_stream, struct blob *blob,
                     enum digest_algorithm blob_algorithm, enum digest_algorithm diff_algorithm,
                     struct layer_limits *limits, struct err *err) {
    struct layer_stream *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return err_nomem(err);
    s->blob = blob;
    s->limits = limits;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->blocks = malloc((size_t)N_BLOCKS * BLOCK_BYTES);
    r = s->blocks ? 0 : err_nomem(err);
    if (r == 0)
        r = digest_stream_init(&s->blob_digest, blob_algorithm, err);
    if (r == 0)
        r = digest_stream_init(&s->diff_digest, diff_algorithm, err);
    if (r == 0) {
        r = start_thread(s);
        if (r < 0)
            err_set(err, r, "cannot start a thread: %s", strerror(-r));
    }
    if (r < 0) {
        release(s);
        return r;
    }
    *ret_stream = s;
    return 0;
}

ssize_t layer_stream_read(void *context, const void **ret_data, struct err *err) {
    struct layer_stream *s = context;
    ssize_t n = 0;

    pthread_mutex_lock(&s->mutex);
    if (s->lent) {
        s->lent = false;
        s->n_taken++;
        pthread_cond_signal(&s->changed);
    }
    while (s->n_made == s->n_taken && !s->ended)
        pthread_cond_wait(&s->changed, &s->mutex);
    if (s->n_made != s->n_taken) {
        unsigned i = s->n_taken % N_BLOCKS;

        s->lent = true;
        *ret_data = s->blocks + (size_t)i * BLOCK_BYTES;
        n = (ssize_t)s->sizes[i];
    } else if (s->err.code < 0)
        n = err_set(err, s->err.code, "%s", s->err.message);
    pthread_mutex_unlock(&s->mutex);
    return n;
}

int layer_stream_drain(struct layer_stream *stream, struct layer_sums *ret_sums, struct err *err) {
    const void *data;
    ssize_t n;

    do
        n = layer_stream_read(stream, &data, err);
    while (n > 0);
    if (n == 0)
        *ret_sums = stream->sums;
    return (int)n;
}

void layer_stream_free(struct layer_stream *stream) {
    if (!stream)
        return;
    pthread_mutex_lock(&stream->mutex);
    __atomic_store_n(&stream->stop, true, __ATOMIC_RELAXED);
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
    pthread_join(stream->thread, NULL);
    release(stream);
}
