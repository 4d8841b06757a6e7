"""Runs a command and prints what it cost as JSON: wall time, processor time of
it and everything it waited for, and the memory of the whole tree.

measure.py TIMEOUT_S LINES|NULL COMMAND...

LINES counts the lines of its output, NULL throws the output away.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

SAMPLE_S = 0.03
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def peak_kib(pid):
    """The root's own peak: it may fall between two samples."""
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def now_kib(pid):
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE_KIB if len(fields) > 1 else 0


def below(pid):
    found = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        for child in read(f"/proc/{pid}/task/{thread}/children").split():
            found.append(child)
            found.extend(below(child))
    return found


class Sampler(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak_kib, self.done = pid, 0, threading.Event()

    def run(self):
        while not self.done.is_set():
            now = peak_kib(self.pid) + sum(now_kib(pid) for pid in below(self.pid))
            self.peak_kib = max(self.peak_kib, now)
            self.done.wait(SAMPLE_S)


def main():
    limit_s, mode, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    errors = tempfile.TemporaryFile()
    output = tempfile.TemporaryFile() if mode == "LINES" else subprocess.DEVNULL
    begun = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )
    sampler = Sampler(child.pid)
    sampler.start()
    late = threading.Event()

    def end():
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    clock = threading.Timer(limit_s, end)
    clock.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall_s = time.monotonic() - begun
    clock.cancel()
    sampler.done.set()
    sampler.join()
    lines = 0
    if mode == "LINES":
        output.seek(0)
        lines = sum(1 for _ in output)
    errors.seek(0)
    print(
        json.dumps(
            {
                "wall_s": wall_s,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "peak_mib": sampler.peak_kib / 1024,
                "code": os.waitstatus_to_exitcode(status),
                "timed_out": late.is_set(),
                "lines": lines,
                "errors": errors.read().decode(errors="replace")[-2000:],
            }
        )
    )


main()
