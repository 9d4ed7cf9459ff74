#pragma once
#include <stddef.h>

#include "mtl_isa.h"

// How the elements of a matrix are stored.
typedef enum {
    MTL_FLOAT32,
    MTL_BFLOAT16,  // the upper half of a float
    MTL_INT8,      // to be multiplied by the scale of the row
} mtl_format;

// A row-major matrix in any format.
typedef struct {
    const void *values;
    ptrdiff_t row;        // from one row to the next, in elements
    mtl_format format;
    const float *scales;  // one a row, if the format has them
} mtl_weights;

// Copies `columns` elements of a row, from `column` on, as floats.
void mtl_expand(mtl_isa isa, const mtl_weights *weights, size_t row, size_t column, size_t columns,
                float *target);

// Rounds a row of floats to a format, the nearest value of it, of two equally near the even one.
//
// For int8, where all must be finite, the scale is the greatest magnitude over 127, so that no value is cut off;
// for bfloat16, values beyond the greatest finite one become infinite. `scale` is written if the format has
// scales.
void mtl_round(mtl_isa isa, const float *row, size_t columns, mtl_format format, void *target,
               float *scale);
