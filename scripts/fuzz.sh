#!/usr/bin/env bash
# Gives made-up and changed files to every reader of files from outside, with libFuzzer and the address
# sanitizer, and fails when one of them ends the program, takes 10 s or takes 2 GiB.
#
#   scripts/fuzz.sh [TARGET ...]
#
# Targets are the folders of Fuzz/Seeds, all by default. What each run learns is kept below
# out/fuzz/TARGET/corpus and is where the next one begins; what ended the program is put beside it, and
#
#   MTL_FUZZ_TARGET=TARGET Fuzz/.build/release/fuzz FILE
#
# gives it to the reader again.
#
# Environment: FUZZ_SECONDS, how long each target runs (60); FUZZ_LENGTH, the longest input in bytes (4096).
set -euo pipefail
cd "$(dirname "$0")/.."

# A crash is reported by the sanitizer; the reporter of Swift would only wait beside it.
export SWIFT_BACKTRACE=enable=no

# Coverage and checks for every module, C and Swift.
swift build --package-path Fuzz -c release -Xswiftc -enable-testing \
    -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address,fuzzer-no-link --product fuzz

if [[ $# -eq 0 ]]; then
    set -- Fuzz/Seeds/*
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=()
for target in "$@"; do
    target="${target#Fuzz/Seeds/}"
    if [[ ! -d "Fuzz/Seeds/$target" ]]; then
        echo "fuzz: unknown target '$target', expected one of $(ls -x -w 0 Fuzz/Seeds)" >&2
        exit 64
    fi
    found="out/fuzz/$target"
    mkdir -p "$found/corpus"
    log="$found/log.txt"
    status=0
    TMPDIR="$work" MTL_FUZZ_TARGET="$target" Fuzz/.build/release/fuzz \
        -max_total_time="${FUZZ_SECONDS:-60}" -max_len="${FUZZ_LENGTH:-4096}" \
        -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$found/" \
        "$found/corpus" "Fuzz/Seeds/$target" >"$log" 2>&1 </dev/null || status=$?
    executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    # A run that ends while it reads its seeds has no figure yet.
    coverage="$(grep -o 'cov: [0-9]*' "$log" | tail -1 || true)"
    if [[ $status -eq 0 ]]; then
        echo "fuzz: $target: ${executions:-no} executions, ${coverage:-cov: 0}, nothing found"
    else
        echo "fuzz: $target: found something after ${executions:-?} executions; see $log" >&2
        failed+=("$target")
    fi
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "fuzz: failed: ${failed[*]}" >&2
    exit 1
fi
