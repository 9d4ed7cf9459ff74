#!/usr/bin/env bash
# Runs the commands that README.md shows under "Quick start" and compares what they print with what the
# page shows; for `make demo` runs its script, since all else is built. An ellipsis (…) there stands
# for anything. Fails at the first command that fails or prints something else.
set -euo pipefail
cd "$(dirname "$0")/.."

# What an earlier check wrote; commands write over nothing.
rm -rf out/mine out/merged

# check COMMAND SHOWN [RUN]: runs a command and compares its output, errors included.
check() {
    local output pattern
    printf '$ %s\n' "$1"
    output=$(bash -c "${3:-$1}" </dev/null 2>&1) || {
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
    case "$command" in
    'make demo') check "$command" "$shown" scripts/demo.sh ;;
    .build/*) check "$command" "$shown" ;;
    'sudo apt install '* | 'tar xzf '*) printf '$ %s\n(scripts/package.sh test runs it)\n' "$command" ;;
    ?*)
        printf 'check-readme: %s is no command of this page\n' "$command" >&2
        exit 1
        ;;
    esac
    command='' shown=''
}

while IFS= read -r line; do
    case "$line" in
    # What the demonstration shows of its own commands is part of its output.
    '$ mtl-'* | '$ printf '*) shown+="${shown:+$'\n'}$line" ;;
    '$ '*)
        finish
        command=${line#'$ '}
        ;;
    '```'*) finish ;;
    *) [ -z "$command" ] || shown+="${shown:+$'\n'}$line" ;;
    esac
done < <(awk '/^## /{inside = /^## Quick start/} inside' README.md)
finish
