#!/usr/bin/env bash
# Makes a Python environment for the references and the peers, once, and prints its interpreter.
#
#   environment.sh            torch, transformers, peft, mambapy in .venv-peers
#   environment.sh peft015    in .venv-peft015 peft 0.15.2, the last to accept out_proj on Mamba by
#                             itself, and a transformers of its time
#
# MTL_PEERS_PYTHON or MTL_PEFT015_PYTHON names an interpreter to use instead.
#
# The versions are pinned, because the fixtures and the published figures were made with them.
set -euo pipefail

case "${1:-peers}" in
peers)
    given="${MTL_PEERS_PYTHON:-}"
    packages=(transformers==5.23.0 peft==0.21.2 mambapy==1.2.0 accelerate==1.15.0)
    ;;
peft015)
    given="${MTL_PEFT015_PYTHON:-}"
    packages=(transformers==4.51.3 peft==0.15.2)
    ;;
*)
    echo "environment.sh: unknown environment '$1', expected peers or peft015" >&2
    exit 64
    ;;
esac
if [[ -n "$given" ]]; then
    echo "$given"
    exit
fi

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
folder="$root/.venv-${1:-peers}"
# The mark holds the package list: a change of pins, or a broken first try, builds anew.
mark="$folder/packages"
if [[ "$(cat "$mark" 2>/dev/null)" != "${packages[*]}" ]]; then
    {
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet torch==2.13.0+cpu ||
            "$folder/bin/pip" install --quiet torch==2.13.0
        "$folder/bin/pip" install --quiet "${packages[@]}" numpy==2.4.6 safetensors==0.8.0
        echo "${packages[*]}" >"$mark"
    } >&2
fi
echo "$folder/bin/python"
