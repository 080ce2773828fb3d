#!/usr/bin/env bash
# Runs the real binary against a KMS that we did not write (moto), and as a KMS (`kmx serve`)
# against clients that we did not write (the AWS CLI, boto3, the AWS Encryption SDK).
#
#   tests/peers/run.sh [KMX [TEST…]]
#
# KMX is the binary, target/debug/kmx if left out. TEST is a class of moto.py, serve.py or
# serve_errors.py, or a Class.test; all of them run if none is named. The Python environment is made once, under
# target/ or in $KMX_PEERS_DIR. Everything listens on loopback, on ports that the system picks.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
kmx=$(realpath -m "${1:-$target/debug/kmx}")
peers=${KMX_PEERS_DIR:-$target/peers}
environment=$peers/venv
installed=$environment/installed.txt

if [ ! -x "$kmx" ]; then
    echo "peer tests: no binary at $kmx; build it with \`cargo build\`" >&2
    exit 2
fi

if ! cmp -s "$here/requirements.txt" "$installed"; then
    echo "peer tests: installing the peers into $environment"
    rm -rf "$environment"
    mkdir -p "$peers"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$installed"
fi

scratch=$(mktemp -d)
running=()
clean_up() {
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

suites=(moto serve serve_errors)
# The tests of a suite among those that were named, all of them where none was.
named=("${@:2}")
tests_of() {
    for test in "${named[@]}"; do
        if grep -q "^class ${test%%.*}[(:]" "$here/$1.py"; then
            echo "$test"
        fi
    done
}
files=("${suites[@]/%/.py}")
files=("${files[@]/#/$here/}")
for test in "${named[@]}"; do
    if ! grep -q "^class ${test%%.*}[(:]" "${files[@]}"; then
        echo "peer tests: no class ${test%%.*} in ${suites[*]/%/.py}" >&2
        exit 2
    fi
done

start_moto() {
    local log=$scratch/moto.log moto port='' deadline=$((SECONDS + 60))
    PYTHONUNBUFFERED=1 "$environment/bin/moto_server" --host 127.0.0.1 --port 0 >"$log" 2>&1 &
    moto=$!
    running+=("$moto")
    until [ -n "$port" ] && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        if ! kill -0 "$moto" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            echo "peer tests: moto did not start:" >&2
            cat "$log" >&2
            exit 2
        fi
        port=$(sed -n 's|.*Running on http://127\.0\.0\.1:\([0-9]*\).*|\1|p' "$log" | head -n 1)
        sleep 0.1
    done
    endpoint=http://127.0.0.1:$port
}

export PYTHONDONTWRITEBYTECODE=1
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
failed=()
for suite in "${suites[@]}"; do
    mapfile -t tests < <(tests_of "$suite")
    if [ "${#named[@]}" -gt 0 ] && [ "${#tests[@]}" -eq 0 ]; then
        continue
    fi
    options=(--kmx "$kmx" --aws "$environment/bin/aws")
    if [ "$suite" = moto ]; then
        start_moto
        options+=(--endpoint "$endpoint")
    fi
    # In the background, since a signal waits for whatever runs in the foreground.
    "$environment/bin/python" "$here/$suite.py" "${options[@]}" "${tests[@]}" &
    running+=("$!")
    wait "$!" || failed+=("$suite.py")
done
if [ "${#failed[@]}" -gt 0 ]; then
    echo "peer tests: failed: ${failed[*]}" >&2
    exit 1
fi
