/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as the kernel's files have them, in both versions.  A value that the
 * kernel would take and then not keep (a CPU that the group above does not have,
 * swap that nobody counts) is found here and refused.
 */
#include "cgroup_set.h"

#include "cgroup_file.h"
#include "cgroup_host.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MAX_SWAPS_BYTES (1u << 20)

/* cpu.weight: 1 to 10000, 100 unless told; shares have 1024 there. */
#define WEIGHT_MOST 10000
#define WEIGHT_USUAL 100
#define SHARES_USUAL 1024

static int explain(int r, const char *option, const char *file, struct err *err) {
    if (r == 0)
        return 0;
    if (r == -ENOENT)
        return err_set(err, r, "%s cannot be enforced: this kernel has no %s", option, file);
    errno = -r;
    return err_errno(err, "%s cannot be enforced: writing %s", option, file);
}

static int set(int fd, const char *file, uint64_t value, const char *option, struct err *err) {
    return explain(cgroup_file_write_u64(fd, file, value), option, file, err);
}

static bool host_has_swap(void) {
    _cleanup_free_ char *text = NULL;
    const char *line;

    /* A line of headings, then one for each. */
    return fd_read_file(AT_FDCWD, "/proc/swaps", MAX_SWAPS_BYTES, &text, NULL) == 0 &&
           (line = strchr(text, '\n')) && line[1];
}

/* Writes a limit of swap; where swap is not counted it holds as long as there is none. */
static int set_swap(int fd, const char *file, const char *value, struct err *err) {
    int r = cgroup_file_write(fd, file, value);

    if (r == -ENOENT && !host_has_swap())
        return 0;
    if (r == -ENOENT)
        return err_set(err, r,
                       "--memory cannot be enforced: swap is not counted here (no %s); boot with "
                       "swapaccount=1, switch swap off, or give --memory-swap -1",
                       file);
    return explain(r, "--memory-swap", file, err);
}

static int check_cpuset(int base_fd, const char *file, const char *list, struct err *err) {
    _cleanup_free_ char *text = NULL;
    struct cpu_mask asked, there;

    if (cgroup_file_read(base_fd, file, &text) < 0 || cpu_mask_parse(text, &there) < 0 ||
        cpu_mask_parse(list, &asked) < 0 || cpu_mask_holds(&there, &asked))
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return err_set(err, -EINVAL, "--cpuset %s: a CPU of these is not to be had; there are %s", list,
                   text);
}

/* The number that a file of sysfs about a disk holds two of: "MAJOR:MINOR". */
static int whole_disk(dev_t *device) {
    char path[64];
    _cleanup_free_ char *text = NULL;
    unsigned major_number, minor_number;

    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/partition", major(*device), minor(*device));
    if (access(path, F_OK) < 0)
        return 0;
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/../dev", major(*device), minor(*device));
    if (fd_read_file(AT_FDCWD, path, 64, &text, NULL) < 0 ||
        sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
        return -ENODEV;
    *device = makedev(major_number, minor_number);
    return 0;
}

int cgroup_disk(const char *path, dev_t *ret_device, struct err *err) {
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(err, "--io-max %s", path);
    *ret_device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    if (S_ISCHR(st.st_mode) || major(*ret_device) == 0)
        return err_set(err, -ENOTBLK,
                       "--io-max %s is on no disk of its own (tmpfs, overlay, btrfs and network "
                       "file systems have none); name the block device",
                       path);
    if (whole_disk(ret_device) < 0)
        return err_set(err, -ENODEV, "--io-max %s: the disk of this partition is not known", path);
    return 0;
}

static int set_io_v2(int fd, const struct io_limit *io, struct err *err) {
    const struct {
        const char *key;
        uint64_t value;
    } keys[] = {
        {"rbps", io->read_bps},
        {"wbps", io->write_bps},
        {"riops", io->read_iops},
        {"wiops", io->write_iops},
    };
    _cleanup_buf_ struct buf text = BUF_INIT;
    dev_t device;
    int r = cgroup_disk(io->path, &device, err);

    if (r < 0)
        return r;
    buf_printf(&text, "%u:%u", major(device), minor(device));
    for (size_t i = 0; i < N_ELEMENTS(keys); i++)
        if (keys[i].value)
            buf_printf(&text, " %s=%" PRIu64, keys[i].key, keys[i].value);
    if (buf_failed(&text))
        return err_nomem(err);
    return explain(cgroup_file_write(fd, "io.max", text.data), "--io-max", "io.max", err);
}

static int set_memory_v2(int fd, const struct limits *limits, struct err *err) {
    char swap[24] = "max";
    int r = set(fd, "memory.max", limits->memory_bytes, "--memory", err);

    if (r < 0)
        return r;
    if (limits->memory_swap_bytes != LIMITS_UNLIMITED)
        snprintf(swap, sizeof swap, "%" PRIu64,
                 limits->memory_swap_bytes ? limits->memory_swap_bytes - limits->memory_bytes : 0);
    return set_swap(fd, "memory.swap.max", swap, err);
}

static int set_cpu_v2(int fd, const struct limits *limits, struct err *err) {
    uint64_t weight = limits->cpu_shares * WEIGHT_USUAL / SHARES_USUAL;
    char text[64];
    int r = 0;

    if (limits->cpu_quota_usec) {
        snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, limits->cpu_quota_usec,
                 LIMITS_CPU_PERIOD_USEC);
        r = explain(cgroup_file_write(fd, "cpu.max", text), "--cpus", "cpu.max", err);
    }
    if (r == 0 && limits->cpu_shares)
        r = set(fd, "cpu.weight",
                weight < 1             ? 1
                : weight > WEIGHT_MOST ? WEIGHT_MOST
                                       : weight,
                "--cpu-shares", err);
    return r;
}

int cgroup_set_v2(int fd, int base_fd, const struct limits *limits, struct err *err) {
    int r = limits->memory_bytes ? set_memory_v2(fd, limits, err) : 0;

    if (r == 0)
        r = set_cpu_v2(fd, limits, err);
    if (r == 0 && limits->cpuset) {
        r = check_cpuset(base_fd, "cpuset.cpus.effective", limits->cpuset, err);
        if (r == 0)
            r = explain(cgroup_file_write(fd, "cpuset.cpus", limits->cpuset), "--cpuset",
                        "cpuset.cpus", err);
    }
    if (r == 0 && limits->pids)
        r = set(fd, "pids.max", limits->pids, "--pids", err);
    for (size_t i = 0; r == 0 && i < limits->n_io; i++)
        r = set_io_v2(fd, &limits->io[i], err);
    return r;
}

static int set_memory_v1(int fd, const struct limits *limits, struct err *err) {
    char total[24] = "-1";
    int r = set(fd, "memory.limit_in_bytes", limits->memory_bytes, "--memory", err);

    if (r < 0)
        return r;
    if (limits->memory_swap_bytes != LIMITS_UNLIMITED)
        snprintf(total, sizeof total, "%" PRIu64,
                 limits->memory_swap_bytes ? limits->memory_swap_bytes : limits->memory_bytes);
    return set_swap(fd, "memory.memsw.limit_in_bytes", total, err);
}

static int set_cpu_v1(int fd, const struct limits *limits, struct err *err) {
    int r = 0;

    if (limits->cpu_quota_usec) {
        r = set(fd, "cpu.cfs_period_us", LIMITS_CPU_PERIOD_USEC, "--cpus", err);
        if (r == 0)
            r = set(fd, "cpu.cfs_quota_us", limits->cpu_quota_usec, "--cpus", err);
    }
    if (r == 0 && limits->cpu_shares)
        r = set(fd, "cpu.shares", limits->cpu_shares, "--cpu-shares", err);
    return r;
}

/* A new group of this controller has neither CPUs nor memory nodes, and takes no process so. */
static int set_cpuset_v1(int fd, int base_fd, const struct limits *limits, struct err *err) {
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    int r =
        limits->cpuset ? check_cpuset(base_fd, "cpuset.effective_cpus", limits->cpuset, err) : 0;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(files); i++) {
        _cleanup_free_ char *text = NULL;

        if (i == 0 && limits->cpuset) {
            r = cgroup_file_write(fd, files[i], limits->cpuset);
        } else {
            r = cgroup_file_read(base_fd, files[i], &text);
            if (r == 0)
                r = cgroup_file_write(fd, files[i], text);
        }
        r = explain(r, "--cpuset", files[i], err);
    }
    return r;
}

static int set_io_v1(int fd, const struct io_limit *io, struct err *err) {
    const struct {
        const char *file;
        uint64_t value;
    } files[] = {
        {"blkio.throttle.read_bps_device", io->read_bps},
        {"blkio.throttle.write_bps_device", io->write_bps},
        {"blkio.throttle.read_iops_device", io->read_iops},
        {"blkio.throttle.write_iops_device", io->write_iops},
    };
    dev_t device;
    int r = cgroup_disk(io->path, &device, err);

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(files); i++) {
        char text[64];

        if (!files[i].value)
            continue;
        snprintf(text, sizeof text, "%u:%u %" PRIu64, major(device), minor(device), files[i].value);
        r = explain(cgroup_file_write(fd, files[i].file, text), "--io-max", files[i].file, err);
    }
    return r;
}

int cgroup_set_v1(int fd, int base_fd, unsigned controllers, const struct limits *limits,
                  struct err *err) {
    int r = 0;

    if (controllers & CGROUP_CPUSET)
        r = set_cpuset_v1(fd, base_fd, limits, err);
    if (r == 0 && controllers & CGROUP_MEMORY && limits->memory_bytes)
        r = set_memory_v1(fd, limits, err);
    if (r == 0 && controllers & CGROUP_CPU)
        r = set_cpu_v1(fd, limits, err);
    if (r == 0 && controllers & CGROUP_PIDS && limits->pids)
        r = set(fd, "pids.max", limits->pids, "--pids", err);
    for (size_t i = 0; r == 0 && controllers & CGROUP_IO && i < limits->n_io; i++)
        r = set_io_v1(fd, &limits->io[i], err);
    return r;
}
