#!/usr/bin/env bash
# Installs the system libraries that MambaTreeL links or opens, and nothing that is there already.
#
#   scripts/install-dependencies.sh
#
# Needs no answers, may be run any number of times, and prints nothing when there is nothing to do.
# Debian 12 and its relatives are installed by apt-get, as root or through sudo; elsewhere it tells
# what is missing. Swift itself is not installed, only looked for.
set -euo pipefail

# Each library's pkg-config name, and the Debian package that brings it.
modules=(openblas libzstd zlib sentencepiece libcurl libcrypto libpcre2-8 libedit yaml-0.1)
package_of() {
    case "$1" in
    openblas) echo libopenblas-dev ;;
    libzstd) echo libzstd-dev ;;
    zlib) echo zlib1g-dev ;;
    sentencepiece) echo libsentencepiece-dev ;;
    libcurl) echo libcurl4-openssl-dev ;;
    libcrypto) echo libssl-dev ;;
    libpcre2-8) echo libpcre2-dev ;;
    libedit) echo libedit-dev ;;
    yaml-0.1) echo libyaml-dev ;;
    esac
}

say() { printf 'install-dependencies: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

has swift || fail "swift is not in PATH; install Swift 6.3 or newer from https://www.swift.org/install/linux"

missing=()
has pkg-config || missing+=(pkg-config)
for module in "${modules[@]}"; do
    if ! has pkg-config || ! pkg-config --exists "$module"; then
        missing+=("$(package_of "$module")")
    fi
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if ! has apt-get; then
    fail "missing: ${missing[*]} (Debian's names), and this system has no apt-get;" \
        "install the development packages of OpenBLAS, zstd, zlib, SentencePiece, libcurl, OpenSSL, PCRE2, libedit and libyaml, and pkg-config," \
        "so that 'pkg-config --exists ${modules[*]}' succeeds"
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! has sudo || ! sudo -n true 2>/dev/null; then
        fail "missing: ${missing[*]}, and installing needs root;" \
            "run: sudo apt-get update && sudo apt-get install -y ${missing[*]}"
    fi
    as_root=(sudo -n)
fi

apt() { ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >&2; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }

say "installing ${missing[*]}"
# The package lists are refreshed only when they do not know a package or know it by an address
# that is gone.
if ! apt-get install --simulate "${missing[@]}" >/dev/null 2>&1 || ! install; then
    apt update || fail "apt-get update failed; check the network and /etc/apt/sources.list"
    install || fail "apt-get could not install ${missing[*]}; see its message above"
fi

for module in "${modules[@]}"; do
    pkg-config --exists "$module" ||
        fail "$(package_of "$module") is installed, but pkg-config does not find '$module';" \
            "check PKG_CONFIG_PATH and 'update-alternatives --display libopenblas.so-x86_64-linux-gnu'"
done
