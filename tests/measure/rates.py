#!/usr/bin/env python3
"""Data keys a second: the local KMS in its own process, `kmx serve`, and moto, in one run.

    tests/measure/rates.py KMX LOAD MOTO_SERVER [SECONDS]

KMX is an optimised binary; LOAD is the bench `load` (`cargo bench --bench load --no-run` says
where it is); MOTO_SERVER is that of the peer tests' Python environment. A server runs on the first
core, its client on the second; the local KMS in LOAD's own process on the first. Each figure is the
median of three rounds, which alternate between the servers.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

ROUNDS = 3
CONNECTIONS = 4
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=00"
)


def on_core(core, command):
    return ["taskset", "-c", str(core), *command]


def start(command, pattern):
    """A server on the first core, and the address that it says it listens on."""
    server = subprocess.Popen(
        on_core(0, command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    for line in server.stdout:
        found = re.search(pattern, line)
        if found:
            # What it logs from here on must not fill the pipe.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            return server, found.group(1)
    sys.exit(f"{command[0]} did not start")


def call(address, operation, body):
    request = urllib.request.Request(
        f"http://{address}/",
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{operation}",
            "Authorization": SIGNED,
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def load(core, *arguments):
    """What LOAD measures, by name."""
    lines = subprocess.check_output(on_core(core, [LOAD, *map(str, arguments)]), text=True)
    return {name: float(rate) for name, rate in (line.split() for line in lines.splitlines())}


def main():
    kmx, kmx_address = start(
        [KMX, "serve", "--listen", "127.0.0.1:0", "--ephemeral"], r"on http://(\S+?):? export"
    )
    moto, moto_address = start(
        [MOTO, "--host", "127.0.0.1", "--port", "0"], r"Running on http://(\S+)"
    )
    try:
        time.sleep(1)  # moto says so a little before it does
        moto_key = call(moto_address, "CreateKey", {})["KeyMetadata"]["KeyId"]
        figures = {}
        for _ in range(ROUNDS):
            for name, rate in load(0, "in-process", SECONDS).items():
                figures.setdefault(f"in-process, {name}", []).append(rate)
            for name, address, key in [
                ("kmx serve", kmx_address, "alias/demo/orders"),
                ("moto", moto_address, moto_key),
            ]:
                rate = load(1, address, key, SECONDS, CONNECTIONS)["http"]
                figures.setdefault(f"loopback, {name}", []).append(rate)
    finally:
        for server in (kmx, moto):
            server.terminate()
            server.wait()
    medians = {name: statistics.median(rates) for name, rates in figures.items()}
    for name, median in medians.items():
        rounds = ", ".join(f"{rate:.0f}" for rate in figures[name])
        print(f"{name:22} {median:9.0f} data keys a second   ({rounds})")
    ratio = medians["loopback, kmx serve"] / medians["loopback, moto"]
    print(f"kmx serve answers {ratio:.0f} times as many as moto")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    KMX, LOAD, MOTO = sys.argv[1:4]
    SECONDS = int(sys.argv[4]) if len(sys.argv) == 5 else 3
    main()
