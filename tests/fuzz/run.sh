#!/usr/bin/env bash
# Builds the fuzz target over request bodies and runs it: coverage-guided, on stable Rust.
#
#   tests/fuzz/run.sh [SECONDS]    from the seeds and what earlier runs found; 60 s if left out
#   tests/fuzz/run.sh INPUT…       only these inputs: to repeat a finding
#
# What it learns stays under target/fuzz, or below $KMX_FUZZ_DIR. It needs a C++ compiler, for
# libFuzzer itself.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
kept=${KMX_FUZZ_DIR:-$target/fuzz}
binary=$target/debug/kmx-fuzz-request

inputs=()
seconds=60
if [ "$#" -gt 0 ] && [ -e "$1" ]; then
    inputs=("$@")
elif [ "$#" -gt 0 ]; then
    seconds=$1
fi
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
    echo "fuzz: \`$seconds\` is neither a number of seconds nor an input's file" >&2
    exit 2
}

# Half of a run is opening a store: what does that is optimised.
optimised=()
for package in libfuzzer-sys redb toml toml_parser winnow; do
    optimised+=(--config "profile.dev.package.$package.opt-level=3")
done
RUSTC_WORKSPACE_WRAPPER=$here/instrumented.sh cargo build --locked \
    --manifest-path "$root/Cargo.toml" --target-dir "$target" --package kmx-fuzz "${optimised[@]}"

rm -rf "$kept/large"
mkdir -p "$kept"/{corpus,large,findings}
options=(
    "-artifact_prefix=$kept/findings/" "-dict=$here/kms.dict"
    -timeout=25 -rss_limit_mb=2048
)

fuzz() {
    local what=$1 code=0
    shift
    "$binary" "${options[@]}" "$@" >"$kept/log" 2>&1 || code=$?
    # Runs, edges reached, edges and values told apart, inputs kept.
    grep 'cov: ' "$kept/log" | tail -n 1 || true
    [ "$code" -eq 0 ] && return
    tail -n 40 "$kept/log" >&2
    printf '\nfuzz: a finding (%s); repeat it with `tests/fuzz/run.sh INPUT`, INPUT is named above\n' \
        "$what" >&2
    exit 1
}

if [ "${#inputs[@]}" -gt 0 ]; then
    fuzz "the inputs given" "${inputs[@]}"
    echo "fuzz: no finding"
    exit
fi

# Bodies as long as a socket takes: far too deep, one long name, one long value, very many members.
repeat() { yes "$1" 2>/dev/null | head -n "$2" | tr -d '\n' || true; }
{ printf 'ListKeys {"Limit":'; repeat '[' 1000000; } >"$kept/large/deep"
{ printf 'CreateKey '; repeat '{"a":' 200000; } >"$kept/large/nested"
{ printf 'DescribeKey {"KeyId":"'; repeat a 1000000; printf '"}'; } >"$kept/large/value"
{ printf 'Encrypt {"KeyId":"alias/a","Plaintext":"'; repeat AAAA 250000; printf '"}'; } >"$kept/large/blob"
{ printf 'Decrypt {"EncryptionContext":{'; repeat '"a":"1",' 120000; printf '"b":"2"}}'; } \
    >"$kept/large/context"
{ printf 'UntagResource {"TagKeys":['; repeat '"a",' 250000; printf '"b"]}'; } >"$kept/large/list"

echo "fuzz: $seconds s of bodies up to 4 KiB"
fuzz "bodies up to 4 KiB" -max_total_time="$seconds" -max_len=4096 "$kept/corpus" "$here/seeds"
echo "fuzz: bodies up to 1 MiB"
fuzz "bodies up to 1 MiB" -runs=500 -max_total_time="$seconds" -max_len=1048576 -len_control=0 \
    "$kept/large"
echo "fuzz: no finding"
