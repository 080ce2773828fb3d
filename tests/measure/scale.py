#!/usr/bin/env python3
"""Measures the explorer at full scale, with the real binary. Figures for a report, no test.

    cargo build --release
    python3 -m venv venv && venv/bin/pip install pyte      # a terminal in Python
    venv/bin/python tests/measure/scale.py target/release/kmx [--keys 100000] [--describe-rate 0]

It serves a local KMS of so many made-up keys that takes 20 ms to answer and answers DescribeKey 2,000
times a second, starts the explorer on it in a pseudo-terminal of 200 by 60, and tells: exec to the first
frame, to the first rows, to the states of all rows on the screen, to all states; the peak of resident
memory; CPU and wake-ups while idle; and the same at the second start, from the remembered catalog.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time

import pyte

COLUMNS, ROWS = 200, 60
LATENCY = "20ms"
RATE = "DescribeKey=2000"


class Explorer:
    """The explorer in a terminal, and what stands on it."""

    def __init__(self, kmx, arguments, environment):
        self.began = time.perf_counter()
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execve(kmx, [kmx, *arguments], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)

    def wait(self, holds, limit):
        """Milliseconds from exec until the screen holds it."""
        while True:
            elapsed = time.perf_counter() - self.began
            if holds(self.screen.display):
                return elapsed * 1000
            if elapsed > limit:
                raise SystemExit("not within %d s:\n%s" % (limit, "\n".join(self.screen.display)))
            self.read(0.2)

    def read(self, seconds):
        if select.select([self.terminal], [], [], seconds)[0]:
            self.stream.feed(os.read(self.terminal, 1 << 16))

    def status(self, name):
        with open(f"/proc/{self.child}/status", encoding="utf-8") as file:
            return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M).group(1))

    def ticks(self):
        with open(f"/proc/{self.child}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def switches(self):
        total = 0
        for task in os.listdir(f"/proc/{self.child}/task"):
            with open(f"/proc/{self.child}/task/{task}/status", encoding="utf-8") as file:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
        return total

    def idle(self, seconds):
        end = time.perf_counter() + seconds
        ticks, switches = self.ticks(), self.switches()
        while time.perf_counter() < end:
            self.read(0.1)
        return self.ticks() - ticks, self.switches() - switches

    def quit(self):
        os.write(self.terminal, b"q")
        try:
            while os.read(self.terminal, 1 << 16):
                pass
        except OSError:
            pass
        os.waitpid(self.child, 0)


def rows(display):
    return [line for line in display[3:-2] if re.search(r"[0-9a-f]{8}…", line)]


def has_rows(display):
    return bool(rows(display))


def has_states(display):
    shown = rows(display)
    return len(shown) > ROWS - 10 and not any("· ·" in line for line in shown)


def is_complete(keys):
    words = f"{keys:,} keys"
    return lambda display: words in display[0] and "of" not in display[0].split(words)[0][-12:]


def report(name, milliseconds):
    print(f"{name:44} {milliseconds:10,.0f} ms")


def run(kmx, arguments, environment, keys, limit):
    explorer = Explorer(kmx, arguments, environment)
    report("exec to the first frame", explorer.wait(lambda display: "Keys" in display[1], 10))
    report("exec to the first rows", explorer.wait(has_rows, 10))
    report("exec to the states of the rows on screen", explorer.wait(has_states, 20))
    complete = is_complete(keys)
    report("exec to all states", explorer.wait(complete, limit))
    print(f"{'peak resident memory':44} {explorer.status('VmHWM') / 1024:10.1f} MiB")
    print(f"{'resident memory when all is loaded':44} {explorer.status('VmRSS') / 1024:10.1f} MiB")
    explorer.idle(2)
    ticks, switches = explorer.idle(5)
    print(f"{'idle, 5 s: CPU ticks of 10 ms, wake-ups':44} {ticks:5} {switches:5}")
    explorer.quit()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kmx")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--describe-rate", default="0")
    parser.add_argument("--limit", type=int, default=900, help="seconds to wait for all states")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home,
            "TERM": "xterm-256color",
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        serve = [options.kmx, "serve", "--listen", "127.0.0.1:0", "--demo-store", f"{home}/keys.redb"]
        serve += ["--seed-keys", str(options.keys), "--latency", LATENCY, "--rate", RATE]
        server = subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            url = server.stdout.readline().decode().strip().rsplit("=", 1)[1]
            arguments = ["--endpoint-url", url, "--describe-rate", options.describe_rate]
            print(f"{options.keys:,} keys, {LATENCY} a call, {RATE} a second, --describe-rate {options.describe_rate}")
            run(options.kmx, arguments, environment, options.keys, options.limit)
            print("from the remembered catalog")
            second = Explorer(options.kmx, arguments, environment)
            report("exec to the first frame", second.wait(lambda display: "Keys" in display[1], 10))
            report("exec to the remembered rows", second.wait(has_states, 10))
            report("exec to all states read again", second.wait(is_complete(options.keys), options.limit))
            second.quit()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
