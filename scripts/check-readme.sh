#!/usr/bin/env bash
# Runs the commands that README.md shows under "Quick start" (but `make demo`, whose output they need).
# Fails at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# What an earlier check wrote; commands write over nothing.
rm -rf out/mine

awk '/^## /{inside = /^## Quick start/} inside && /^\$ \.build/{print substr($0, 3)}' README.md |
    while read -r command; do
        printf '$ %s\n' "$command"
        bash -c "$command" </dev/null
    done
