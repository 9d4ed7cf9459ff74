#!/usr/bin/env bash
# Runs the commands that README.md shows under "Quick start", `make demo` excepted, whose output they
# need, and compares what they print with what the page shows. An ellipsis (…) there stands for
# anything. Fails at the first command that fails or prints something else.
set -euo pipefail
cd "$(dirname "$0")/.."

# What an earlier check wrote; commands write over nothing.
rm -rf out/mine out/merged

# check COMMAND SHOWN: runs a command and compares its output, errors included.
check() {
    local output pattern
    printf '$ %s\n' "$1"
    output=$(bash -c "$1" </dev/null 2>&1) || {
        printf '%s\ncheck-readme: the command failed\n' "$output" >&2
        exit 1
    }
    printf '%s\n' "$output"
    # A glob of the text: its special characters quoted, then ellipses as stars.
    pattern=$(printf '%s' "$2" | sed 's/[][*?\\]/\\&/g; s/…/*/g')
    # shellcheck disable=SC2053
    if [[ "$output" != $pattern ]]; then
        printf 'check-readme: README.md shows this instead:\n%s\n' "$2" >&2
        exit 1
    fi
}

command='' shown=''
finish() {
    # `make demo` and what it shows of its own commands are left out.
    case "$command" in
    .build/*) check "$command" "$shown" ;;
    esac
    command='' shown=''
}

while IFS= read -r line; do
    case "$line" in
    '$ '*)
        finish
        command=${line#'$ '}
        ;;
    '```'*) finish ;;
    *) [ -z "$command" ] || shown+="${shown:+$'\n'}$line" ;;
    esac
done < <(awk '/^## /{inside = /^## Quick start/} inside' README.md)
finish
