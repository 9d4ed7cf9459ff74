// Compiles the kernel body BODY once for each instruction set.
//
// In the body, VARIANT(name) is the function's name for that set; DISPATCH(isa, name, arguments) calls
// the right one afterwards. Included once by a kernel's source file, after `#define BODY "…"`.
#include <stddef.h>
#include <stdint.h>

#include "mtl_isa.h"

#define MTL_HAS_AVX512 0
#define VARIANT(name) name##_portable
#include "vector_math.h"
#include BODY
#undef VARIANT

#if defined(__x86_64__)

#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT

#undef MTL_HAS_AVX512
#define MTL_HAS_AVX512 1
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT

#define DISPATCH(isa, name, arguments)                 \
    switch (isa) {                                     \
    case MTL_AMX:                                      \
    case MTL_AVX512_BF16:                              \
    case MTL_AVX512: name##_avx512 arguments; break;   \
    case MTL_AVX2: name##_avx2 arguments; break;       \
    default: name##_portable arguments; break;         \
    }

#else

#define DISPATCH(isa, name, arguments) ((void)(isa), name##_portable arguments)

#endif
