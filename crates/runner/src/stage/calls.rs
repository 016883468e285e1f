//! The system calls that the program may make.
//!
//! A list of what is allowed, so that what a new kernel adds, or calls of another numbering, are refused by not being on it. Not on
//! it: watching or changing other processes, namespaces and mounts, keys of the kernel, its own programs (`bpf`), rings of calls
//! that no filter sees (`io_uring`), clocks, modules, and Unix sockets: those have no network namespace, and the broker's own is
//! one.

use seccompiler::{BpfProgram, TargetArch, apply_filter, compile_from_json, sock_filter};
use serde_json::{Value, json};

/// The filter for this machine, as bytes: a `sock_filter` after the other, each of eight, in the order of its fields. Compiling takes
/// longer than starting a program, so a sandbox does it once.
/// With `sockets`, connections over Unix sockets are on it.
pub(crate) fn filter(sockets: bool) -> Result<Vec<u8>, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let program = compiled(arch, sockets)?;
    let bytes = program.iter().flat_map(|sock_filter { code, jt, jf, k }| {
        let ([a, b], [e, f, g, h]) = (code.to_ne_bytes(), k.to_ne_bytes());
        [a, b, *jt, *jf, e, f, g, h]
    });
    Ok(bytes.collect())
}

/// Restricts this process, and what it becomes and starts, by a filter from [`filter`]. One that is cut, or empty, is an error.
pub(super) fn restrict(filter: &[u8]) -> Result<(), String> {
    let (whole, rest) = filter.as_chunks::<8>();
    if whole.is_empty() || !rest.is_empty() || whole.len() > LONGEST {
        return Err("system calls can't be restricted: the filter is not whole".to_owned());
    }
    let one = |[a, b, jt, jf, e, f, g, h]: &[u8; 8]| sock_filter {
        code: u16::from_ne_bytes([*a, *b]),
        jt: *jt,
        jf: *jf,
        k: u32::from_ne_bytes([*e, *f, *g, *h]),
    };
    let program: BpfProgram = whole.iter().map(one).collect();
    apply_filter(&program).map_err(|error| format!("system calls can't be restricted: {error}"))
}

fn compiled(arch: TargetArch, sockets: bool) -> Result<BpfProgram, String> {
    let wrong = |error: seccompiler::Error| format!("the list of system calls can't be used: {error}");
    let text = list(arch, sockets).to_string();
    let mut all = compile_from_json(text.as_bytes(), arch).map_err(wrong)?;
    all.remove(NAME).ok_or_else(|| "the list of system calls is empty".to_owned())
}

fn list(arch: TargetArch, sockets: bool) -> Value {
    let older: &[&str] = if arch == TargetArch::x86_64 { OLDER } else { &[] };
    let mut rules: Vec<Value> = ALLOWED.iter().chain(older).map(|name| json!({ "syscall": name })).collect();
    rules.extend(FAMILIES.iter().map(|family| when("socket", &[(0, json!("eq"), *family)])));
    if sockets {
        rules.push(when("socket", &[(0, json!("eq"), UNIX), (1, json!({ "masked_eq": KIND }), STREAM)]));
    }
    // Two ends that are tied to one another; a datagram's end could be sent anywhere from.
    rules.extend(
        TIED.iter().map(|kind| {
            when("socketpair", &[(0, json!("eq"), UNIX), (1, json!({ "masked_eq": KIND }), *kind)])
        }),
    );
    // Threads and processes, but no namespaces. The newer call has its flags where no filter sees them; without it, libraries
    // take this one.
    rules.push(when("clone", &[(0, json!({ "masked_eq": NAMESPACES }), 0)]));
    rules.extend([0, ASKED].map(|persona| when("personality", &[(0, json!("eq"), persona)])));
    // Nobody types for somebody else.
    rules.push(when("ioctl", &[(1, json!("ne"), TYPE_AHEAD), (1, json!("ne"), CONSOLE)]));
    json!({ NAME: { "mismatch_action": { "errno": NO_SUCH_CALL }, "match_action": "allow", "filter": rules } })
}

fn when(call: &str, conditions: &[(u8, Value, u64)]) -> Value {
    let one = |(index, op, value): &(u8, Value, u64)| json!({ "index": index, "type": "dword", "op": op, "val": value });
    json!({ "syscall": call, "args": conditions.iter().map(one).collect::<Vec<_>>() })
}

const NAME: &str = "program";
/// Instructions of one filter (`BPF_MAXINSNS`).
const LONGEST: usize = 4096;
/// `ENOSYS`: libraries know what to do without a call that is not there.
const NO_SUCH_CALL: u32 = 38;
/// `AF_INET`, `AF_INET6`, `AF_NETLINK`; the network that they are of has nothing in it but the relay.
const FAMILIES: &[u64] = &[2, 10, 16];
/// `AF_UNIX`, and of a socket's kind the bits that are no flags: `SOCK_STREAM` and `SOCK_SEQPACKET`.
const UNIX: u64 = 1;
const KIND: u64 = 0xf;
const STREAM: u64 = 1;
const TIED: &[u64] = &[STREAM, 5];
/// `CLONE_NEWTIME`, `NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`.
const NAMESPACES: u64 =
    0x80 | 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
/// `personality(2)` that changes nothing.
const ASKED: u64 = 0xffff_ffff;
/// `TIOCSTI`
const TYPE_AHEAD: u64 = 0x5412;
/// `TIOCLINUX`
const CONSOLE: u64 = 0x541c;

/// Calls of every architecture.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "accept", "accept4", "bind", "brk", "cachestat", "capget", "capset", "chdir", "clock_getres",
    "clock_gettime", "clock_nanosleep", "close", "close_range", "connect", "copy_file_range", "dup", "dup3",
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "eventfd2", "execve", "execveat", "exit",
    "exit_group", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat",
    "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock",
    "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync", "ftruncate", "futex", "futex_requeue",
    "futex_wait", "futex_waitv", "futex_wake", "get_mempolicy", "get_robust_list", "getcpu", "getcwd",
    "getdents64", "getegid", "geteuid", "getgid", "getgroups", "getitimer", "getpeername", "getpgid",
    "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage",
    "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getxattr",
    "inotify_add_watch", "inotify_init1", "inotify_rm_watch", "ioprio_get", "ioprio_set", "kill",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lgetxattr", "linkat",
    "listen", "listxattr", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lsm_get_self_attr",
    "lsm_list_modules", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "mincore", "mkdirat",
    "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mprotect", "mremap", "mseal", "msgctl", "msgget",
    "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "nanosleep", "newfstatat", "openat",
    "openat2", "pidfd_open", "pidfd_send_signal", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect",
    "ppoll", "prctl", "pread64", "preadv", "preadv2", "prlimit64", "pselect6", "pwrite64", "pwritev",
    "pwritev2", "read", "readahead", "readlinkat", "readv", "recvfrom", "recvmmsg", "recvmsg",
    "removexattr", "renameat", "renameat2", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "rt_tgsigqueueinfo", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
    "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity",
    "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp", "semctl", "semget",
    "semop", "semtimedop", "sendfile", "sendmmsg", "sendmsg", "sendto", "set_mempolicy", "set_robust_list",
    "set_tid_address", "setfsgid", "setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setpriority",
    "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setsid", "setsockopt", "setuid",
    "setxattr", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd4", "splice", "statfs", "statx", "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "tee",
    "tgkill", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime",
    "timerfd_create", "timerfd_gettime", "timerfd_settime", "times", "tkill", "truncate", "umask", "uname",
    "unlinkat", "utimensat", "vmsplice", "wait4", "waitid", "write", "writev",
];

/// Calls that only older architectures have.
#[rustfmt::skip]
const OLDER: &[&str] = &[
    "access", "alarm", "arch_prctl", "chmod", "chown", "creat", "dup2", "epoll_create", "epoll_wait",
    "eventfd", "fork", "futimesat", "get_thread_area", "getdents", "getpgrp", "inotify_init", "lchown",
    "link", "lstat", "mkdir", "mknod", "open", "pause", "pipe", "poll", "readlink", "rename", "rmdir",
    "select", "set_thread_area", "signalfd", "stat", "symlink", "time", "unlink", "utime", "utimes",
    "vfork",
];

#[cfg(test)]
mod tests;
