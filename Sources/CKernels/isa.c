#include "mtl_isa.h"

#include <stddef.h>

#if defined(__linux__) && defined(__x86_64__)
#include <cpuid.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool may_use_tiles;

// Asks the system for the state of matrix tiles, which a process has to, once; it covers all threads.
static void ask_for_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18 };
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, TILE_STATE = 3 << 17, OSXSAVE = 1 << 27 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & OSXSAVE) == 0) return;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & AMX_BF16) == 0 || (d & AMX_TILE) == 0) return;
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    may_use_tiles = (low & TILE_STATE) == TILE_STATE && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}

static bool has_tiles(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ask_for_tiles);
    return may_use_tiles;
}
#else
static bool has_tiles(void) { return false; }
#endif

bool mtl_runs(mtl_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    switch (isa) {
    case MTL_AMX: return has_avx512 && has_tiles();
    case MTL_AVX512_BF16: return has_avx512 && __builtin_cpu_supports("avx512bf16");
    case MTL_AVX512: return has_avx512;
    case MTL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case MTL_PORTABLE: return true;
    }
#endif
    return isa == MTL_PORTABLE;
}

mtl_isa mtl_best_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (mtl_runs(MTL_AMX)) return MTL_AMX;
    if (mtl_runs(MTL_AVX512_BF16) && __builtin_cpu_is("amd")) return MTL_AVX512_BF16;
#endif
    return mtl_runs(MTL_AVX512) ? MTL_AVX512 : mtl_runs(MTL_AVX2) ? MTL_AVX2 : MTL_PORTABLE;
}
