#pragma once

// The instruction sets that kernels are compiled for, in rising order.
typedef enum {
    MTL_PORTABLE = 0, // what the compiler emits for the baseline target
    MTL_AVX2 = 1,     // AVX2 and FMA
    MTL_AVX512 = 2,   // AVX-512 F, BW, DQ and VL
} mtl_isa;

// The highest instruction set that this processor runs.
mtl_isa mtl_best_isa(void);
