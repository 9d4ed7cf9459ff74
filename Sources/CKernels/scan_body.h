// The bodies of mtl_scan.h; see variants.h.
#include "scan_block_body.h"
#include "scan_forward_body.h"
#include "scan_backward_body.h"

#ifndef MTL_SCAN_TRANSPOSE
#define MTL_SCAN_TRANSPOSE
#define LOW8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#endif

static void VARIANT(sum_parts)(const float *parts, size_t count, size_t stride, size_t part_row,
                               mtl_matrix sum, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, parts += part_row) {
        for (size_t column = 0; column < columns; column += LANES) {
            v16 total = splat(0);
            for (size_t part = 0; part < count; part++) {
                total += load(parts + part * stride + column, columns - column);
            }
            store(sum.start + (ptrdiff_t)row * sum.row + column, total, columns - column);
        }
    }
}

// Transposes 16 vectors: on entry lane n of x[d], on return lane d of x[n].
ALWAYS_INLINE void VARIANT(transpose)(v16 x[LANES]) {
#define EXCHANGE(s, low, high)                                                            \
    for (size_t i = 0; i < LANES; i++) {                                                  \
        if (i & s) continue;                                                              \
        v16 a = x[i], b = x[i + s];                                                       \
        x[i] = __builtin_shufflevector(a, b, low);                                        \
        x[i + s] = __builtin_shufflevector(a, b, high);                                   \
    }
#pragma clang loop unroll(full)
    EXCHANGE(8, LOW8, HIGH8)
#pragma clang loop unroll(full)
    EXCHANGE(4, LOW4, HIGH4)
#pragma clang loop unroll(full)
    EXCHANGE(2, LOW2, HIGH2)
#pragma clang loop unroll(full)
    EXCHANGE(1, LOW1, HIGH1)
#undef EXCHANGE
}

static void VARIANT(state_matrix)(mtl_matrix logarithm, size_t channel, size_t channels, size_t state,
                                  mtl_matrix A) {
    for (size_t c = channel; c < channel + channels; c += LANES) {
        size_t lanes = channel + channels - c < LANES ? channel + channels - c : LANES;
        for (size_t n = 0; n < state; n += LANES) {
            v16 x[LANES];
            for (size_t d = 0; d < LANES; d++) {
                x[d] = d < lanes ? -vector_exp(load(at(logarithm, c + d) + n, state - n)) : splat(0);
            }
            VARIANT(transpose)(x);
            for (size_t i = 0; i < LANES && n + i < state; i++) store(at(A, n + i) + c, x[i], lanes);
        }
    }
}
