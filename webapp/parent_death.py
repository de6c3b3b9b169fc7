"""Children that never outlive their parent, whatever kills it."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> Callable[[], None]:
    """A `preexec_fn` for Popen: the kernel kills the child when the thread that started it ends.

    Start children from the main thread, since the signal follows the thread and not the process. Only Linux has this;
    elsewhere a child lives on after a kill -9 of its parent, except for trainers, which watch their standard input.
    """
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # It died between the fork and the call.
            os._exit(1)

    return ask_the_kernel
