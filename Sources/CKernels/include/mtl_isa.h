#pragma once
#include <stdbool.h>

// The instruction sets that kernels are compiled for, in rising order.
typedef enum {
    MTL_PORTABLE = 0, // what the compiler emits for the baseline target
    MTL_AVX2 = 1,     // AVX2 and FMA
    MTL_AVX512 = 2,   // AVX-512 F, BW, DQ and VL
    MTL_AVX512_BF16 = 3, // the same with dot products of pairs of bfloat16
    MTL_AMX = 4, // AVX-512 with matrix tiles that multiply bfloat16
} mtl_isa;

// Whether this processor runs an instruction set. Products on matrix tiles run, emulated, on all.
bool mtl_runs(mtl_isa isa);

// The fastest instruction set that this processor runs.
//
// AMD's processors multiply pairs of bfloat16 as fast as single floats, Intel's without matrix tiles take twice
// as long for them, measured on Emerald Rapids: there AVX-512 alone is faster.
mtl_isa mtl_best_isa(void);
