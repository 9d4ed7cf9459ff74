#!/usr/bin/env bash
# Makes the packages: a tarball that brings all libraries but glibc's and GCC's, and a .deb that uses the system's.
#
#   scripts/package.sh [build]     builds the programs and makes both, in out/package
#   scripts/package.sh test        runs the demonstration with each in bare systems, as root: Debian 12, and
#                                  Ubuntu's where debootstrap can fetch them (needs a network)
#
# Swift's libraries are within the programs; nothing of Swift is needed where they run. Build on Debian 12 or older,
# so that no newer glibc is asked for than Ubuntu 22.04 has; this is checked.
set -euo pipefail
cd "$(dirname "$0")/.."

output=out/package
build=.build-package
programs=(mtl-finetune mtl-eval mtl-chat)
# The newest glibc that may be asked for: Ubuntu 22.04's.
glibc_limit=2.35

say() { printf 'package: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}
size() { wc -c <"$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }

build_programs() {
    local program flags=(-c release --static-swift-stdlib --scratch-path "$build" -Xlinker --gc-sections
        -Xlinker --disable-new-dtags -Xlinker "-rpath=\$ORIGIN/../lib/mambatreel")
    for program in "${programs[@]}"; do swift build "${flags[@]}" --product "$program"; done
}

# Prints the libraries that programs load, each with its path, but for those of glibc.
libraries() {
    ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u |
        grep -Ev '^(libc|libm|libdl|librt|libpthread|libresolv|libutil|libanl)\.so' || true
}

# Those that a tarball brings: GCC's are in every system, since apt needs them, and Debian's asks for a newer glibc.
brought() { libraries "$@" | grep -Ev '^(libstdc\+\+|libgcc_s)\.so'; }

# The newest version of glibc that files ask for.
glibc_of() {
    objdump -T "$@" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1 | cut -d_ -f2
}

# The package that owns a library; of those that moved to /usr, dpkg knows the older place.
owner() {
    local file
    file=$(realpath "$1")
    { dpkg-query -S "$file" || dpkg-query -S "${file#/usr}" || true; } 2>/dev/null | head -n 1 | cut -d: -f1
}

# Lays out what both packages hold: programs, pages, completion, the demonstration, documents.
lay_out() {
    local root=$1
    mkdir -p "$root/bin" "$root/share/mambatreel" "$root/share/doc/mambatreel"
    for program in "${programs[@]}"; do
        install "$build/release/$program" "$root/bin"
        strip "$root/bin/$program"
    done
    python3 scripts/manual/make_pages.py "$root/share" "$root/bin" >/dev/null
    cp -R data/demo "$root/share/mambatreel/demo"
    install scripts/demo.sh "$root/share/mambatreel/demo.sh"
    cp -RL recipes "$root/share/mambatreel/recipes"
    cp README.md CHANGELOG.md LICENSE "$root/share/doc/mambatreel"
    cp docs/*.md "$root/share/doc/mambatreel"
}

make_tarball() {
    local name="mambatreel-$version-linux-x86_64" root licence soname path package
    root="$output/$name"
    lay_out "$root"
    mkdir -p "$root/lib/mambatreel"
    # RPATH, unlike RUNPATH, is also where the libraries of these libraries are looked for.
    while read -r soname path; do
        install -m 644 "$(realpath "$path")" "$root/lib/mambatreel/$soname"
        strip --strip-unneeded "$root/lib/mambatreel/$soname"
        package=$(owner "$path")
        licence="/usr/share/doc/$package/copyright"
        if [ -n "$package" ] && [ -f "$licence" ]; then
            mkdir -p "$root/share/doc/mambatreel/licenses"
            cp "$licence" "$root/share/doc/mambatreel/licenses/$package"
        fi
    done < <(brought "$root"/bin/*)
    newest=$(glibc_of "$root"/bin/* "$root"/lib/mambatreel/*)
    [ "$(printf '%s\n' "$newest" "$glibc_limit" | sort -V | tail -n 1)" = "$glibc_limit" ] ||
        fail "needs glibc $newest, expected at most $glibc_limit; build on Debian 12 or older"
    tar --sort=name --owner=0 --group=0 --numeric-owner -C "$output" -cf - "$name" | gzip -9n >"$output/$name.tar.gz"
    say "$output/$name.tar.gz: $(size "$output/$name.tar.gz"), unpacked $(du -sm "$root" | cut -f1) MB, glibc $newest or newer"
}

make_deb() {
    local root="$output/deb" needed path depends="libc6 (>= $newest)" package
    lay_out "$root/usr"
    gzip -9n "$root"/usr/share/man/man1/*.1 "$root/usr/share/doc/mambatreel/CHANGELOG.md"
    mv "$root/usr/share/doc/mambatreel/CHANGELOG.md.gz" "$root/usr/share/doc/mambatreel/changelog.gz"
    mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
    mv "$root/usr/share/doc/mambatreel/LICENSE" "$root/usr/share/doc/mambatreel/copyright"
    for needed in $(objdump -p "$root"/usr/bin/* | awk '$1 == "NEEDED" { print $2 }' | sort -u); do
        path=$(libraries "$root"/usr/bin/* | awk -v name="$needed" '$1 == name { print $2 }')
        [ -n "$path" ] || continue
        package=$(owner "$path")
        [ -n "$package" ] || fail "no package owns $path"
        depends+=", $package"
    done
    mkdir "$root/DEBIAN"
    cat >"$root/DEBIAN/control" <<END
Package: mambatreel
Version: $version
Architecture: amd64
Section: science
Priority: optional
Maintainer: MambaTreeL maintainers <maintainers@users.noreply.github.com>
Installed-Size: $(du -sk "$root" | cut -f1)
Depends: $(tr ',' '\n' <<<"$depends" | sed 's/^ *//' | sort -u | paste -sd, | sed 's/,/, /g')
Recommends: ca-certificates
Suggests: libopenblas0
Description: fine-tune, score and talk to Mamba language models
 LoRA adapters and the tree scan of MambaTree on an ordinary machine, without
 Python or a GPU: mtl-finetune trains, merges and exports, mtl-eval scores with
 the tasks of lm-evaluation-harness, mtl-chat talks.
END
    local file="$output/mambatreel_${version}_amd64.deb"
    dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
    say "$file: $(size "$file"), installed $(du -sm "$root" | cut -f1) MB"
}

# in_system NAME MIRROR SUITE: tries both packages in a bare system.
in_system() {
    # Not local: the trap needs it.
    system="$output/systems/$1"
    local tarball deb
    tarball=$(ls "$output"/mambatreel-*-linux-x86_64.tar.gz)
    deb=$(ls "$output"/mambatreel_*_amd64.deb)
    if [ ! -d "$system.bare" ]; then
        mkdir -p "$output/systems"
        # Ubuntu's releases all go by the script of its oldest; debootstrap need not know the newest by name.
        if ! debootstrap --variant=minbase ${4:+"$4"} "$3" "$system.part" "$2" \
            ${4:+/usr/share/debootstrap/scripts/gutsy} >"$system.log" 2>&1; then
            say "$1: cannot be fetched, skipped ($system.log)"
            rm -rf "$system.part"
            return 0
        fi
        mv "$system.part" "$system.bare"
    fi
    rm -rf "$system"
    cp -a "$system.bare" "$system"
    cp "$tarball" "$deb" "$system/root"
    # The loader finds out from /proc where a program is.
    mount -t proc proc "$system/proc"
    trap 'umount "$system/proc"' EXIT
    run() { chroot "$system" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
    ! run sh -c 'command -v swift || ls /usr/lib/*/libcurl.so.4' >/dev/null 2>&1 || fail "$1 is not bare"
    run sh -c 'cd /root && mkdir t && tar xzf *.tar.gz -C t --strip-components 1'
    run sh -c 'cd /root && t/share/mambatreel/demo.sh >demo.log 2>&1' || fail "$1: the tarball failed: $system/root/demo.log"
    say "$1: the tarball runs the demonstration ($(grep '^Right answers' "$system/root/demo.log"))"
    cp -L /etc/resolv.conf "$system/etc/resolv.conf" 2>/dev/null || true
    # What this machine's apt is told of the network holds there, too.
    if [ -n "${MTL_APT_CONFIGURATION:-}" ]; then cp "$MTL_APT_CONFIGURATION" "$system/etc/apt/apt.conf.d/"; fi
    run sh -c 'apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends /root/*.deb' \
        >"$system.log" 2>&1 || fail "$1: the .deb does not install: $system.log"
    run sh -c 'cd /root && /usr/share/mambatreel/demo.sh >demo.log 2>&1' || fail "$1: the .deb failed: $system/root/demo.log"
    for file in /usr/share/man/man1/mtl-chat.1.gz /usr/share/bash-completion/completions/mtl-eval \
        /usr/share/zsh/vendor-completions/_mtl-eval /usr/share/fish/vendor_completions.d/mtl-eval.fish; do
        # Systems made for containers leave manual pages out.
        [ -e "$system$file" ] || say "$1: $file is not there"
    done
    run dpkg --remove mambatreel >>"$system.log" 2>&1
    [ -z "$(find "$system/usr" -name '*mambatreel*' -o -name '*mtl-*')" ] || fail "$1: files are left after removal"
    say "$1: the .deb installs, runs the demonstration and removes ($(grep '^Right answers' "$system/root/demo.log"))"
    umount "$system/proc"
    trap - EXIT
    rm -rf "$system"
}

case "${1:-build}" in
build)
    for tool in objdump strip dpkg-deb python3; do
        command -v "$tool" >/dev/null || fail "$tool is missing; install binutils, dpkg and python3"
    done
    scripts/install-dependencies.sh
    [ -n "${MTL_PACKAGE_PREBUILT:-}" ] || build_programs
    version=$("$build/release/mtl-chat" --version | awk '{ print $NF }')
    rm -rf "$output"/mambatreel* "$output/deb"
    mkdir -p "$output"
    make_tarball
    make_deb
    rm -rf "$output/deb" "$output/mambatreel-$version-linux-x86_64"
    ;;
test)
    command -v debootstrap >/dev/null || fail "debootstrap is missing; install it"
    [ "$(id -u)" = 0 ] || fail "chroot needs root"
    in_system debian-12 "${MTL_DEBIAN_MIRROR:-http://deb.debian.org/debian}" bookworm
    for suite in jammy noble; do
        in_system "ubuntu-$suite" "${MTL_UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}" "$suite" \
            --components=main,universe
    done
    ;;
*) fail "'$1' is unknown, expected build or test" ;;
esac
