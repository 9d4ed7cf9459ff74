#!/usr/bin/env bash
# Exchanges files with the programs that they are for, and prints a row for each exchange.
#
#   scripts/interop.sh
#
# Makes a Python environment in .venv-interop, once; MTL_INTEROP_PYTHON names an interpreter to use instead.
# The commands must be built (make build). Exit status 1 if a row says FAIL.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(gguf==0.19.0 xllamacpp==2026.10.11549 numpy==2.4.6 safetensors==0.8.0 pyarrow==26.0.1 huggingface_hub==2.4.0)
python="${MTL_INTEROP_PYTHON:-}"
if [[ -z "$python" ]]; then
    folder="$PWD/.venv-interop"
    python="$folder/bin/python"
    # The mark holds the package list: a change of pins, or a broken first try, builds anew.
    if [[ "$(cat "$folder/packages" 2>/dev/null)" != "${packages[*]}" ]]; then
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet "${packages[@]}"
        echo "${packages[*]}" >"$folder/packages"
    fi
fi
status=0
for exchange in gguf hub; do
    "$python" "scripts/interop/${exchange}_exchange.py" --bin "${MTL_BIN:-.build/release}" || status=1
done
exit "$status"
