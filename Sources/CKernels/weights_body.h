// Weights from one format to another, for one instruction set.
#define expand VARIANT(expand)

#include "formats_body.h"

static void VARIANT(expand_row)(const void *from, mtl_format format, float scale, size_t columns,
                                float *target) {
    const size_t size = element_size(format), whole = columns / 16 * 16;
    const char *bytes = from;
    size_t n = 0;
#define EXPAND(format) \
    for (; n < whole; n += 16) *(v16 *)(target + n) = expand(bytes + n * size, format, scale);
    switch (format) {
    case MTL_BFLOAT16: EXPAND(MTL_BFLOAT16) break;
    case MTL_INT8: EXPAND(MTL_INT8) break;
    default: EXPAND(MTL_FLOAT32)
    }
#undef EXPAND
    if (n == columns) return;
    char edge[64] = {0};
    memcpy(edge, bytes + n * size, (columns - n) * size);
    store(target + n, expand(edge, format, scale), columns - n);
}

// The upper halves of 16 floats, rounded.
ALWAYS_INLINE any_u16x16 VARIANT(upper_halves)(v16 x) {
    const i16 bits = (i16)x, up = bits + 0x7fff + ((bits >> 16) & 1);
    // What is no number stays none: its upper half alone might be infinity, or zero if it was rounded up.
    const i16 is_number = (bits & 0x7fffffff) <= 0x7f800000;
    return __builtin_convertvector(
        (i16)choose(is_number, (v16)up, (v16)(bits | 0x00400000)) >> 16, any_u16x16);
}

static void VARIANT(round_bfloat16)(const float *row, size_t columns, uint16_t *target) {
    size_t n = 0;
    for (; n + 16 <= columns; n += 16) {
        *(any_u16x16 *)(target + n) = VARIANT(upper_halves)(*(const v16 *)(row + n));
    }
    if (n == columns) return;
    const any_u16x16 edge = VARIANT(upper_halves)(load(row + n, columns - n));
    memcpy(target + n, &edge, (columns - n) * sizeof(uint16_t));
}

static void VARIANT(round_int8)(const float *row, size_t columns, int8_t *target, float *scale) {
    const v16 zero = splat(0.0f);
    v16 most = zero;
    for (size_t n = 0; n < columns; n += 16) {
        v16 x = load(row + n, columns - n);
        most = larger(most, larger(x, zero - x));
    }
    *scale = max_lanes(most) / 127;
    const v16 unit = splat(*scale);
    for (size_t n = 0; n < columns; n += 16) {
        // Where all are so small that their scale is zero, the quotient is no number or too large.
        v16 x = load(row + n, columns - n) / unit;
        x = smaller(larger(choose(x == x, x, zero), splat(-127.0f)), splat(127.0f));
        // Adding 1.5 * 2^23 leaves no room for a fraction: the sum is rounded, to even if halfway.
        const i16 whole = (i16)(x + splat(12582912.0f)) - 0x4b400000;
        const any_i8x16 rounded = __builtin_convertvector(whole, any_i8x16);
        memcpy(target + n, &rounded, smallest(16, columns - n));
    }
}

#undef expand
