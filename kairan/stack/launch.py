"""Becomes the command given as arguments, after asking the kernel to kill it when its parent dies.

Run as a file (`python -I -S launch.py PARENT_PID COMMAND…`), so that nothing of the project is imported. A `preexec_fn`
would do the same but forks the whole parent, which Python forbids to a process that has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
