#!/usr/bin/env python3
"""Measures what a person waits for, with the real binary. Figures for a report, no test.

    cargo build --release
    tests/measure/measure.py target/release/kmx                                   # in a terminal
    tests/measure/measure.py target/release/kmx --aws AWS --endpoint http://127.0.0.1:PORT

The first form starts the explorer in a pseudo-terminal, a store seeded before, and tells how long
it takes from exec to the first frame and to the demo's keys with their states, and from `q` to the
exit. The second compares whole processes, one data key each, on an endpoint that has
`alias/measure`: kmx against the AWS CLI.
"""

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import tempfile
import termios
import time

# The spec in one of the last rows of the demo, which is there once all states are.
LAST_ROW = "ECC_SECG_P256K1"


def start(kmx, arguments, environment):
    """Forks the program into a terminal of 200 by 60."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(kmx, [kmx, *arguments], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    return child, terminal


def read_until(terminal, marks, began, limit=10):
    """Reads the terminal; when each mark first appeared, in milliseconds since `began`."""
    seen, text = {}, b""
    while len(seen) < len(marks):
        if time.perf_counter() - began > limit:
            raise SystemExit(f"no {set(marks) - set(seen)} within {limit} s: {text[-400:]!r}")
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if not ready:
            continue
        text += os.read(terminal, 65536)
        now = (time.perf_counter() - began) * 1000
        for mark in marks:
            if mark not in seen and mark.encode() in text:
                seen[mark] = now
    return seen


def drain(terminal):
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def one_start(kmx, arguments, environment, marks):
    began = time.perf_counter()
    child, terminal = start(kmx, arguments, environment)
    seen = read_until(terminal, marks, began)
    quitting = time.perf_counter()
    os.write(terminal, b"q")
    drain(terminal)
    os.waitpid(child, 0)
    seen["q to exit"] = (time.perf_counter() - quitting) * 1000
    os.close(terminal)
    return seen


def report(name, runs):
    for mark in runs[0]:
        values = sorted(run[mark] for run in runs)
        p95 = values[int(len(values) * 0.95) - 1]
        print(f"{name:24} {mark:14} median {statistics.median(values):7.2f} ms   p95 {p95:7.2f} ms")


def explorer(kmx, count):
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "TERM": "xterm-256color", "AWS_EC2_METADATA_DISABLED": "true"}
        demo = ["--demo"]
        one_start(kmx, demo, environment, [LAST_ROW])
        report("demo", [one_start(kmx, demo, environment, ["Keys]", LAST_ROW]) for _ in range(count)])
        environment["AWS_REGION"] = "us-east-1"
        report("aws, no credentials", [one_start(kmx, [], environment, ["Keys]"]) for _ in range(count)])


def whole_process(command, environment):
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def generate(kmx, aws, endpoint, count):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ACCESS_KEY_ID": "measure",
        "AWS_SECRET_ACCESS_KEY": "measure",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    options = ["--key-id", "alias/measure", "--key-spec", "AES_256", "--endpoint-url", endpoint]
    operation = "generate-data-key-without-plaintext"
    commands = {"kmx": [kmx, operation, *options], "aws": [aws, "kms", operation, *options]}
    times = {name: [] for name in commands}
    for turn in range(count):
        for name, command in commands.items():
            took = whole_process(command, environment)
            if turn:
                times[name].append(took)
    for name, values in times.items():
        print(f"{name} {operation}: median {statistics.median(values):.1f} ms")
    print(f"ratio {statistics.median(times['aws']) / statistics.median(times['kmx']):.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kmx")
    parser.add_argument("--aws")
    parser.add_argument("--endpoint")
    parser.add_argument("--count", type=int, default=41)
    options = parser.parse_args()
    kmx = os.path.realpath(options.kmx)
    if options.aws and options.endpoint:
        generate(kmx, options.aws, options.endpoint, options.count)
    else:
        explorer(kmx, options.count)


main()
