// What kernels that read weights share.
#pragma once
#include "mtl_weights.h"

#include <stdint.h>

// Vectors of elements at any address.
typedef int32_t any_i4 __attribute__((vector_size(16), aligned(1)));
typedef uint16_t any_u16x16 __attribute__((vector_size(32), aligned(1)));
typedef int8_t any_i8x16 __attribute__((vector_size(16), aligned(1)));

static inline size_t element_size(mtl_format format) {
    return format == MTL_FLOAT32 ? 4 : format == MTL_BFLOAT16 ? 2 : 1;
}
