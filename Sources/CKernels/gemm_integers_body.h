// Packing int8, and products of few rows, where both factors are whole numbers (gemm_integers.h).
//
// Included by gemm_body.h, whose names it uses.

// Packs `width` rows of int8 as columns of a panel, two elements a lane, each as 16 bits.
static void VARIANT(pack)(const mtl_weights *b, bool is_transposed, size_t first, size_t depth,
                          size_t column, size_t width, float *panel) {
    (void)is_transposed;  // it is
    const size_t whole = depth / 8 * 8;
    const char *source = (const char *)b->values + (ptrdiff_t)column * b->row + 2 * (ptrdiff_t)first;
    for (size_t n = 0; n < width; n += 16) {
        const char *from = source + (ptrdiff_t)n * b->row;
        const size_t rows = smallest(16, width - n);
        // Lanes of four bytes become two of two numbers.
        for (size_t k = 0; k < depth; k += 8) {
            i16 bytes[4];
            if (rows == 16 && k < whole) {
                if (k % 32 == 0) fetch_ahead(from + 2 * k, b->row);
                transpose(from + 2 * k, b->row, bytes);
            } else {
                char edge[16][16] = {{0}};
                for (size_t i = 0; i < rows; i++) {
                    memcpy(edge[i], from + (ptrdiff_t)i * b->row + 2 * k, smallest(16, 2 * (depth - k)));
                }
                transpose(edge[0], sizeof edge[0], bytes);
            }
            for (size_t i = 0; i < 8 && k + i < depth; i++) {
                const i16 x = i % 2 == 0 ? bytes[i / 2] << 16 : bytes[i / 2];
                *(i16 *)(panel + (k + i) * PANEL + n) = (x >> 24 << 16) | (x << 8 >> 24 & 0xffff);
            }
        }
    }
}

// 32 elements of a row of b as 16-bit integers.
ALWAYS_INLINE i16 widen_bytes(const char *from) {
    typedef int8_t any_i8x32 __attribute__((vector_size(32), aligned(1)));
    typedef int16_t i16x32 __attribute__((vector_size(64)));
    return (i16)__builtin_convertvector(*(const any_i8x32 *)from, i16x32);
}

// Lane i of the result is the sum of all lanes of vector i.
ALWAYS_INLINE v16 sum_sixteen(i16 x[16]) {
#pragma clang loop unroll(full)
    for (int count = 16; count > 1; count /= 2) {
#pragma clang loop unroll(full)
        for (int i = 0; i < count / 2; i++) {
            const i16 a = x[2 * i], b = x[2 * i + 1];
            x[i] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
                + __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        }
    }
    return (v16)x[0];
}

// Up to 16 columns of c for `height` rows of a, from rows of b as they lie in memory: four at a time, along them.
ALWAYS_INLINE void multiply_few(const block *x, size_t first, int height, mtl_format format) {
    (void)format;
    const size_t width = x->width;
    const ptrdiff_t row = x->b_row, a_row = x->a_row;
    const float *a = x->a + (ptrdiff_t)first * a_row;
    // What is left of a row may not fill a vector, and what follows may not be there to be read.
    const size_t whole = x->depth / 16 * 16, left = 2 * (x->depth - whole);
    v16 sum[VARIANT(FEW)][VARIANT(VECTORS)];
    i16 sums[VARIANT(FEW)][16];
    for (size_t n = 0; n < 16; n += 4) {
        const char *b[4];
        i16 part[VARIANT(FEW)][4];
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) {
            // Columns that are not wanted: any row will do.
            b[j] = x->b + (ptrdiff_t)smallest(n + (size_t)j, width - 1) * row;
#pragma clang loop unroll(full)
            for (int m = 0; m < height; m++) part[m][j] = (i16)splat(0.0f);
        }
        for (size_t k = 0; k < whole; k += 16) {
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                if (x->fetches && k % 32 == 0) __builtin_prefetch(b[j] + 32 * row + 2 * k, 0, 2);
                const i16 right = widen_bytes(b[j] + 2 * k);
#pragma clang loop unroll(full)
                for (int m = 0; m < height; m++) {
                    part[m][j] = ADD_PRODUCTS_OF_PAIRS(part[m][j], *(const i16 *)(a + m * a_row + (ptrdiff_t)k), right);
                }
            }
        }
        if (whole < x->depth) {
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                char edge[32] = {0};
                memcpy(edge, b[j] + 2 * whole, left);
                const i16 right = widen_bytes(edge);
#pragma clang loop unroll(full)
                for (int m = 0; m < height; m++) {
                    part[m][j] = ADD_PRODUCTS_OF_PAIRS(part[m][j], *(const i16 *)(a + m * a_row + (ptrdiff_t)whole), right);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < height; m++) {
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) sums[m][n + (size_t)j] = part[m][j];
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) sum[m][0] = sum_sixteen(sums[m]);
    add_up(x, first, 0, height, 1, sum);
}
