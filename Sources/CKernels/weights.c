#include "mtl_weights.h"

#include "formats.h"

#include <string.h>

static size_t smallest(size_t a, size_t b) { return a < b ? a : b; }

#define BODY "weights_body.h"
#include "variants.h"

void mtl_expand(mtl_isa isa, const mtl_weights *x, size_t row, size_t column, size_t columns,
                float *target) {
    const char *from = (const char *)x->values
        + ((ptrdiff_t)row * x->row + (ptrdiff_t)column) * (ptrdiff_t)element_size(x->format);
    const float scale = x->format == MTL_INT8 ? x->scales[row] : 1.0f;
    DISPATCH(isa, expand_row, (from, x->format, scale, columns, target))
}

void mtl_round(mtl_isa isa, const float *row, size_t columns, mtl_format format, void *target,
               float *scale) {
    switch (format) {
    case MTL_BFLOAT16: DISPATCH(isa, round_bfloat16, (row, columns, target)) break;
    case MTL_INT8: DISPATCH(isa, round_int8, (row, columns, target, scale)) break;
    default: memcpy(target, row, columns * sizeof(float));
    }
}
