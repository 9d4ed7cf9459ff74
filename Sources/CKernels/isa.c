#include "mtl_isa.h"

bool mtl_runs(mtl_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    switch (isa) {
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
    if (mtl_runs(MTL_AVX512_BF16) && __builtin_cpu_is("amd")) return MTL_AVX512_BF16;
#endif
    return mtl_runs(MTL_AVX512) ? MTL_AVX512 : mtl_runs(MTL_AVX2) ? MTL_AVX2 : MTL_PORTABLE;
}
