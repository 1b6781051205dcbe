/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may ask of the kernel: the calls that Podman's default
 * profile lets through, with its conditions.  A name that an architecture does
 * not have counts for nothing there.
 *
 * What is not named is answered as a kernel that lacks the call would answer
 * it, ENOSYS, so that programs take the older way that they know; what is named
 * as refused gets EPERM, as do those whose capability the container lacks.
 */
#include "seccomp_table.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

const struct seccomp_allowed seccomp_allowed[] = {
    /* Processes, their scheduling and their limits. */
    {"clone clone3 execve execveat exit exit_group fork get_robust_list get_thread_area "
     "getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid "
     "ioprio_get ioprio_set keyctl landlock_add_rule landlock_create_ruleset "
     "landlock_restrict_self membarrier pidfd_getfd pidfd_open pidfd_send_signal prctl "
     "prlimit64 process_mrelease process_vm_readv process_vm_writev ptrace restart_syscall "
     "rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
     "sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
     "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp "
     "set_robust_list set_thread_area set_tid_address setns setpgid setpriority setrlimit "
     "setsid syscall times ugetrlimit unshare vfork wait4 waitid waitpid",
     0},
    /* Who a process is. */
    {"capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups "
     "getgroups32 getresgid getresgid32 getresuid getresuid32 getuid getuid32 setfsgid "
     "setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid "
     "setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid "
     "setuid32 umask",
     0},
    /* Signals. */
    {"alarm kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
     "rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
     "sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn "
     "sigsuspend tgkill tkill",
     0},
    /* Memory. */
    {"brk get_mempolicy madvise mbind memfd_create memfd_secret mincore mlock mlock2 "
     "mlockall mmap mmap2 mprotect mremap msync munlock munlockall munmap pkey_alloc "
     "pkey_free pkey_mprotect remap_file_pages set_mempolicy shmat shmctl shmdt shmget",
     0},
    /* Clocks and timers. */
    {"adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
     "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday "
     "nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime "
     "timer_gettime64 timer_settime timer_settime64 timerfd timerfd_create timerfd_gettime "
     "timerfd_gettime64 timerfd_settime timerfd_settime64",
     0},
    /* Waiting for several things. */
    {"_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 "
     "epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark futex futex_time64 "
     "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy "
     "io_getevents io_setup io_submit poll ppoll ppoll_time64 pselect6 pselect6_time64 "
     "select",
     0},
    /* Pipes, queues, semaphores. */
    {"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
     "mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 "
     "semctl semget semop semtimedop semtimedop_time64",
     0},
    /* Sockets; socket(2) has rules of its own. */
    {"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom "
     "recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown "
     "socketcall socketpair",
     0},
    /* Mounts: for want of a capability, of use in a nested user namespace alone. */
    {"fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root "
     "umount umount2",
     0},
    /* Files and directories. */
    {"_llseek access chdir chmod chown chown32 close close_range copy_file_range creat dup "
     "dup2 dup3 faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat "
     "fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock "
     "fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate "
     "ftruncate64 futimesat getcwd getdents getdents64 getxattr ioctl lchown lchown32 "
     "lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 "
     "mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 "
     "preadv preadv2 pwrite64 pwritev pwritev2 read readahead readdir readlink readlinkat "
     "readv removexattr rename renameat renameat2 rmdir sendfile sendfile64 setxattr splice "
     "stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs tee "
     "truncate truncate64 unlink unlinkat utime utimensat utimensat_time64 utimes write "
     "writev",
     0},
    /* The machine; reboot(2) ends a pid namespace. */
    {"getrandom reboot sysinfo syslog uname", 0},
    /* Of 32-bit ARM, and of x86's older days. */
    {"arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2", 0},
    {"arch_prctl modify_ldt", 0},

    /* With a capability alone. */
    {"open_by_handle_at", CAP(DAC_READ_SEARCH)},
    {"bpf fanotify_init lookup_dcookie perf_event_open quotactl setdomainname sethostname",
     CAP(SYS_ADMIN)},
    {"chroot", CAP(SYS_CHROOT)},
    {"delete_module finit_module init_module query_module", CAP(SYS_MODULE)},
    {"acct", CAP(SYS_PACCT)},
    {"kcmp process_madvise", CAP(SYS_PTRACE)},
    {"ioperm iopl", CAP(SYS_RAWIO)},
    {"clock_settime clock_settime64 settimeofday stime", CAP(SYS_TIME)},
    {"vhangup", CAP(SYS_TTY_CONFIG)},
};
const size_t n_seccomp_allowed = N_ELEMENTS(seccomp_allowed);

const char seccomp_refused[] =
    "bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice "
    "oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read "
    "pciconfig_write sgetmask ssetmask swapcontext swapoff swapon sysfs uselib userfaultfd ustat "
    "vm86 vm86old vmsplice";

const struct seccomp_conditional seccomp_conditional[] = {
    /* Linux and its 32-bit flavour, BSD's and System V's ways of random addresses, and asking. */
    {"personality", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_EQ, 0x0, 0}}, 0},
    {"personality", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_EQ, 0x8, 0}}, 0},
    {"personality", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_EQ, 0x20000, 0}}, 0},
    {"personality", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_EQ, 0x20008, 0}}, 0},
    {"personality", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_EQ, 0xffffffff, 0}}, 0},
    /* The audit's socket is root's of the host: ENOSYS would make programs of PAM fail. */
    {"socket",
     SCMP_ACT_ERRNO(EINVAL),
     2,
     {{0, SCMP_CMP_EQ, AF_NETLINK, 0}, {2, SCMP_CMP_EQ, NETLINK_AUDIT, 0}},
     CAP(AUDIT_WRITE)},
    {"socket", SCMP_ACT_ALLOW, 1, {{2, SCMP_CMP_NE, NETLINK_AUDIT, 0}}, CAP(AUDIT_WRITE)},
    {"socket", SCMP_ACT_ALLOW, 1, {{0, SCMP_CMP_NE, AF_NETLINK, 0}}, CAP(AUDIT_WRITE)},
};
const size_t n_seccomp_conditional = N_ELEMENTS(seccomp_conditional);

const char seccomp_succeed[] = "chown fchown lchown fchownat setfsuid setfsgid";

const char seccomp_ask[] = "setuid setgid setreuid setregid setresuid setresgid setgroups getuid "
                           "getgid geteuid getegid getresuid getresgid getgroups";

const uint32_t seccomp_terminal_requests[] = {TIOCSTI, TIOCLINUX};
const size_t n_seccomp_terminal_requests = N_ELEMENTS(seccomp_terminal_requests);
