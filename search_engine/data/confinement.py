"""What this process gives up before it touches what a stranger sent: memory, time, files, and the network."""

import ctypes
import platform
import resource
import struct
import sys

_SECCOMP_FILTER = {"x86_64": (0xC000003E, (41, 42, 59, 322)), "aarch64": (0xC00000B7, (198, 203, 221, 281))}
# Per machine: the number of its architecture, and those of socket, connect, execve and execveat.
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # _REFUSE: the call fails with "not permitted".
_FOREIGN_CALLS = 0x40000000  # On x86_64, calls from here on are another numbering of the same ones.


def confine(memory: int, seconds: int, file_bytes: int) -> bool:
    """Limit this process for ever; returns whether it also lost the network and the start of programs.

    memory: bytes of address space; seconds: of processor time, after which it is killed; file_bytes: of any file.
    """
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        _, hard = resource.getrlimit(limit)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (allowed, allowed))
    return sys.platform == "linux" and _without_network(platform.machine())


def _without_network(machine: str) -> bool:
    """Let the kernel refuse to make or connect sockets and to start programs (seccomp); False where it cannot."""
    if machine not in _SECCOMP_FILTER:
        return False
    program = _filter(*_SECCOMP_FILTER[machine])
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    described = Program(len(program) // 8, ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(described), 0, 0) == 0)


def _filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """A program of the kernel's packet filter: 8 bytes an instruction (code, jump if true, jump if false, value).

    It refuses `calls`, kills what calls by another architecture's numbers, and allows the rest.
    """
    lines = [
        (_LOAD, 0, 0, 4),  # The architecture of the call.
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # Its number.
        (_JUMP_IF_AT_LEAST, len(calls) + 1, 0, _FOREIGN_CALLS),
    ]
    lines += [(_JUMP_IF_EQUAL, len(calls) - index, 0, call) for index, call in enumerate(calls)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
