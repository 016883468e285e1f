"""Runs a command and kills it, with all its threads, just before its N-th call of the system that changes anything outside.

    killed_at.py N FILE COMMAND [ARGUMENT…]

FILE gets the number of such calls that were begun. Exit status 0: the command was killed; 3: it ended by itself before.
Source: ptrace(2). Calls are counted over all threads, so that every point of the whole program can be walked through.
"""

import ctypes
import os
import platform
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

PTRACE_TRACEME, PTRACE_SYSCALL, PTRACE_SETOPTIONS = 0, 24, 0x4200
PTRACE_GETEVENTMSG, PTRACE_GET_SYSCALL_INFO = 0x4201, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 16, 0x100000
WALL = 0x40000000
O_CREAT, O_TRUNC = 0o100, 0o1000

# Number of the call by machine; what is missing on a machine is not called there.
CALLS = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "sendto": 44, "sendmsg": 46, "fsync": 74, "fdatasync": 75,
        "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87, "chmod": 90,
        "fchmod": 91, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265,
        "fallocate": 285, "pwritev": 296, "sendmmsg": 307, "renameat2": 316, "pwritev2": 328, "open": 2,
        "connect": 42,
    },
    "aarch64": {
        "write": 64, "pwrite64": 68, "writev": 66, "sendto": 206, "sendmsg": 211, "fsync": 82, "fdatasync": 83,
        "ftruncate": 46, "fchmod": 52, "openat": 56, "mkdirat": 34, "unlinkat": 35, "renameat": 38,
        "linkat": 37, "fallocate": 47, "pwritev": 70, "sendmmsg": 269, "renameat2": 276, "pwritev2": 287,
        "connect": 203,
    },
}


class Info(ctypes.Structure):
    """`struct ptrace_syscall_info` of a stop at the entry of a call."""

    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
                ("ip", ctypes.c_uint64), ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64),
                ("args", ctypes.c_uint64 * 6)]


def changes_something(pid, names, info):
    """Whether a call changes anything that is still there when the process is gone."""
    name = names.get(info.nr)
    if name is None:
        return False
    if name == "openat":
        return bool(info.args[2] & (O_CREAT | O_TRUNC))
    if name == "open":
        return bool(info.args[1] & (O_CREAT | O_TRUNC))
    if name in ("write", "writev"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{info.args[0]}")
        except OSError:
            return True
        # Threads wake one another so, and the output has readers of its own.
        return not target.startswith(("anon_inode:", "pipe:", "/dev/"))
    return True


def traced(request, pid, address=0, data=0):
    done = libc.ptrace(request, pid, address, data)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def main():
    wanted, report, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    names = {number: name for name, number in CALLS[platform.machine()].items()}
    child = os.fork()
    if child == 0:
        if libc.ptrace(PTRACE_TRACEME, 0, 0, 0) < 0:
            os._exit(126)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execv(command[0], command)
    pid, status = os.waitpid(child, WALL)
    if not os.WIFSTOPPED(status):
        sys.exit("this machine lets no process be traced")
    traced(PTRACE_SETOPTIONS, child, 0, SYSGOOD | CLONE | FORK | VFORK | EXEC | EXITKILL)
    traced(PTRACE_SYSCALL, child)
    seen, killed, started, entered = 0, False, set([child]), set()
    while True:
        try:
            pid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if not os.WIFSTOPPED(status):
            continue
        sent, event = os.WSTOPSIG(status), status >> 16
        try:
            if sent == signal.SIGTRAP | 0x80:
                info = Info()
                traced(PTRACE_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
                if info.op == 1 and not killed and changes_something(pid, names, info):
                    seen += 1
                    if seen == wanted:
                        killed = True
                        os.kill(child, signal.SIGKILL)
                        continue
                traced(PTRACE_SYSCALL, pid)
            elif event or sent == signal.SIGSTOP and pid not in started:
                started.add(pid)
                traced(PTRACE_SYSCALL, pid)
            else:
                traced(PTRACE_SYSCALL, pid, 0, sent)
        except OSError:
            continue  # It is gone: killed with the others.
    with open(report, "w") as file:
        file.write(str(seen))
    sys.exit(0 if killed else 3)


main()
