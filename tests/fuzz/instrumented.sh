#!/usr/bin/env bash
# Stands before rustc for this project's own crates (RUSTC_WORKSPACE_WRAPPER): what libFuzzer needs
# to see which code an input reached, and what it was compared with. Dependencies stay as they are,
# and so are shared with the ordinary build.
set -euo pipefail
exec "$@" \
    -Copt-level=1 \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
