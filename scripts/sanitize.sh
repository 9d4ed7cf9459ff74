#!/usr/bin/env bash
# Runs tests with the sanitizers of the compiler, each in a build of its own below .build/sanitize, in debug.
#
#   scripts/sanitize.sh                  all parts, an hour
#   scripts/sanitize.sh PART [FILTER]    one part; FILTER takes fewer tests, as for `swift test`
#
# Parts:
#
#   address      every test, for memory that is used wrongly
#   thread       the pool, the trainer and the chat, for threads that use memory at the same time
#   undefined    the kernels in C, for what the language leaves undefined
set -euo pipefail
cd "$(dirname "$0")/.."

# A crash is reported by the sanitizer; the reporter of Swift would only wait beside it.
export SWIFT_BACKTRACE=enable=no
# Swift's own library keeps what it allocates at the start until the end.
export ASAN_OPTIONS=detect_leaks=0
export TSAN_OPTIONS=halt_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1

sanitize() { # part, filter
    local flags=(--scratch-path ".build/sanitize/$1" -Xcc -O2)
    local filter="${2:-}"
    case "$1" in
    address) flags+=(--sanitize=address) ;;
    thread)
        flags+=(--sanitize=thread)
        filter="${filter:-ThreadPoolTests|TrainerTests|ChatTests}"
        ;;
    undefined)
        # Only the C of this package is checked; the linker is told, so that it takes the runtime.
        flags+=(
            -Xcc -fsanitize=undefined -Xcc -fno-sanitize=vptr,function
            -Xcc -fno-sanitize-recover=undefined
            -Xswiftc -Xclang-linker -Xswiftc -fsanitize=undefined)
        filter="${filter:-KernelsTests}"
        ;;
    *)
        echo "sanitize: part is '$1', expected address, thread or undefined" >&2
        exit 64
        ;;
    esac
    echo "sanitize: $1, ${filter:-all tests} ($SECONDS s since the start)" >&2
    swift build --build-tests "${flags[@]}"
    swift test --skip-build "${flags[@]}" ${filter:+--filter "$filter"}
}

if [[ $# -gt 0 ]]; then
    sanitize "$@"
else
    for part in address thread undefined; do sanitize "$part"; done
fi
