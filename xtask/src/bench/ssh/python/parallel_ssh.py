"""parallel-ssh doing what squall does. As that library has it, host keys are
not verified.

parallel_ssh.py cold|warm|flood|copy HOSTS PORT USER KEY FANOUT [ARGUMENT...]
"""

import json
import os
import resource
import sys
import time

from gevent import joinall
from pssh.clients import ParallelSSHClient


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def run(client, command, each):
    outputs = client.run_command(command, stop_on_errors=True)
    for host in outputs:
        for line in host.stdout:
            each(host.host, line)
    client.join(outputs)
    wrong = [host.host for host in outputs if host.exit_code != 0]
    if wrong:
        sys.exit(f"failed on {wrong[:3]}")


def warm(client, hosts, rounds):
    before = rss_kib()
    begun = time.monotonic()
    run(client, "true", lambda *_: None)
    connect_s = time.monotonic() - begun
    rounds_ms, cpu_before = [], cpu_s()
    for _ in range(rounds):
        begun = time.monotonic()
        run(client, "true", lambda *_: None)
        rounds_ms.append((time.monotonic() - begun) * 1e3)
    cpu_us = (cpu_s() - cpu_before) * 1e6 / rounds / len(hosts)
    print(
        json.dumps(
            {
                "connect_s": connect_s,
                "rounds_ms": rounds_ms,
                "cpu_us_per_command": cpu_us,
                "kib_per_session": (rss_kib() - before) / len(hosts),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def main():
    mode, file, port, user, key, fanout = sys.argv[1:7]
    rest = sys.argv[7:]
    with open(file) as lines:
        hosts = lines.read().split()
    client = ParallelSSHClient(
        hosts, user=user, port=int(port), pkey=key, pool_size=int(fanout), num_retries=1
    )
    if mode == "warm":
        warm(client, hosts, int(rest[0]))
    elif mode == "copy":
        joinall(client.copy_file(rest[0], rest[1]), raise_error=True)
    else:
        # The host goes before its line, as every tool here has it.
        write = sys.stdout.write
        run(client, rest[0], lambda host, line: write(f"{host}: {line}\n"))


main()
