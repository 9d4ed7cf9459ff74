// Matrix products: packing and the inner loop, for one instruction set.
//
// Before it is included, gemm.c declares what the variants share. VARIANT(HEIGHT) rows times
// VARIANT(VECTORS) vectors of c are kept in registers. Depths are counted in lanes: of one element each, or with
// PAIRS of two in bfloat16, with INTEGERS of two whole numbers of 16 bits, which are multiplied and added up by one
// instruction or two.

#define expand VARIANT(expand)
#define widen VARIANT(widen)
#define transpose VARIANT(transpose)
#define read_columns VARIANT(read_columns)
#define read_edge VARIANT(read_edge)
#define fetch_ahead VARIANT(fetch_ahead)
#define pack_transposed VARIANT(pack_transposed)
#define pack_straight VARIANT(pack_straight)
#define multiply_rows VARIANT(multiply_rows)
#define multiply_few VARIANT(multiply_few)
#define multiply_few_rows VARIANT(multiply_few_rows)
#define add_up VARIANT(add_up)
#define multiply_add VARIANT(multiply_add)
#define pack_pair_rows VARIANT(pack_pair_rows)
#define widen_bytes VARIANT(widen_bytes)
#define sum_sixteen VARIANT(sum_sixteen)
#define scaled VARIANT(scaled)

// sum + left * right, for every lane.
ALWAYS_INLINE v16 multiply_add(v16 sum, v16 left, v16 right) {
#if PAIRS
    return _mm512_dpbf16_ps(sum, (__m512bh)right, (__m512bh)left);
#elif INTEGERS
    return (v16)ADD_PRODUCTS_OF_PAIRS((i16)sum, (i16)left, (i16)right);
#else
    return sum + left * right;
#endif
}

// ---------------------------------------------------------------- packing

#include "formats_body.h"

// The values in one part of each lane: a float, one of two bfloat16 or of four int8.
ALWAYS_INLINE v16 widen(i16 lanes, mtl_format format, int part) {
    switch (format) {
    case MTL_BFLOAT16: return (v16)(part == 0 ? lanes << 16 : lanes & (int32_t)0xffff0000);
    case MTL_INT8: return __builtin_convertvector(lanes << (24 - 8 * part) >> 24, v16);
    default: return (v16)lanes;
    }
}

// Lane i of the result's vector j is lane j of row i: four lanes of 16 rows, `row` bytes apart, read
// where they lie. A quarter of a vector comes from memory at no cost of a shuffle.
ALWAYS_INLINE void transpose(const char *from, ptrdiff_t row, i16 result[4]) {
    i16 q[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) {
        const any_i4 a = *(const any_i4 *)(from + j * row), b = *(const any_i4 *)(from + (4 + j) * row);
        const any_i4 c = *(const any_i4 *)(from + (8 + j) * row), d = *(const any_i4 *)(from + (12 + j) * row);
        q[j] = __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7),
                                       __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7),
                                       0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }
    // Now each quarter is a matrix of 4 x 4.
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIR(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIR(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
    i16 a = LOW(q[0], q[1]), b = LOW(q[2], q[3]), c = HIGH(q[0], q[1]), d = HIGH(q[2], q[3]);
    result[0] = LOW_PAIR(a, b);
    result[1] = HIGH_PAIR(a, b);
    result[2] = LOW_PAIR(c, d);
    result[3] = HIGH_PAIR(c, d);
#undef LOW
#undef HIGH
#undef LOW_PAIR
#undef HIGH_PAIR
}

// Asks for a line of each of 16 rows that are read after those at hand, 32 rows on. In float and with
// 768 columns that is 96 KiB ahead: memory is far away, and the second-level cache has room.
ALWAYS_INLINE void fetch_ahead(const char *from, ptrdiff_t row) {
#pragma clang loop unroll(full)
    for (int i = 32; i < 48; i++) __builtin_prefetch(from + i * row, 0, 2);
}

// The columns of a block of 16 rows, `row` bytes apart, and 16 bytes: 4, 8 or 16 of them.
ALWAYS_INLINE void read_columns(const char *from, ptrdiff_t row, mtl_format format, v16 scale,
                                v16 columns[16]) {
    const int parts = 4 / (int)element_size(format);
    i16 lanes[4];
    transpose(from, row, lanes);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4 * parts; i++) {
        columns[i] = widen(lanes[i / parts], format, i % parts);
        if (format == MTL_INT8) columns[i] *= scale;
    }
}

// The same at an edge, where fewer rows and columns are left: what is missing is zero.
ALWAYS_INLINE void read_edge(const char *from, ptrdiff_t row, mtl_format format, v16 scale, size_t rows,
                             size_t count, v16 columns[16]) {
    char edge[16][16] = {{0}};
    for (size_t i = 0; i < rows; i++) {
        memcpy(edge[i], from + (ptrdiff_t)i * row, count * element_size(format));
    }
    read_columns(edge[0], sizeof edge[0], format, scale, columns);
}

// Packs `width` rows of `depth` elements, `row` bytes apart, as columns of a panel.
ALWAYS_INLINE void pack_transposed(const char *source, ptrdiff_t row, mtl_format format,
                                   const float *scales, size_t depth, size_t width, float *panel) {
    const size_t size = element_size(format), deep = 16 / size, line = 64 / size;
    v16 columns[16];
    for (size_t n = 0; n < width; n += 16) {
        const char *from = source + (ptrdiff_t)n * row;
        const size_t rows = smallest(16, width - n), whole = rows == 16 ? depth / deep * deep : 0;
        const v16 scale = format == MTL_INT8 ? load(scales + n, rows) : splat(1.0f);
        float *to = panel + n;
        for (size_t k = 0; k < whole; k += deep, to += deep * PANEL) {
            if (k % line == 0) fetch_ahead(from + k * size, row);
            read_columns(from + k * size, row, format, scale, columns);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < deep; i++) *(v16 *)(to + i * PANEL) = columns[i];
        }
        for (size_t k = whole; k < depth; k += deep, to += deep * PANEL) {
            const size_t count = smallest(deep, depth - k);
            read_edge(from + k * size, row, format, scale, rows, count, columns);
            for (size_t i = 0; i < count; i++) *(v16 *)(to + i * PANEL) = columns[i];
        }
    }
}

// Packs the elements of `depth` rows, `row` bytes apart, as rows of a panel.
ALWAYS_INLINE void pack_straight(const char *source, ptrdiff_t row, mtl_format format,
                                 const float *scales, size_t depth, size_t width, float *panel) {
    const size_t size = element_size(format);
    for (size_t k = 0; k < depth; k++, source += row, panel += PANEL) {
        // A row is so short and the next so far away that the processor does not see where this leads.
        for (size_t n = 0; n < width * size; n += 64) __builtin_prefetch(source + 24 * row + n, 0, 2);
        for (size_t n = 0; n < width; n += 16) {
            const char *from = source + n * size;
            char edge[64];
            if (width - n < 16) {
                memset(edge, 0, sizeof edge);
                memcpy(edge, from, (width - n) * size);
                from = edge;
            }
            const v16 value = expand(from, format, format == MTL_INT8 ? scales[k] : 1.0f);
            *(v16 *)(panel + n) = value;
        }
    }
}

#if !PAIRS && !INTEGERS
// Packs the elements of pairs of rows, `row` bytes apart, as rows of a panel; a pair shares a lane.
ALWAYS_INLINE void pack_pair_rows(const char *source, ptrdiff_t row, size_t depth, size_t width,
                                  float *panel) {
    for (size_t k = 0; k < depth; k++, source += 2 * row, panel += PANEL) {
        for (size_t n = 0; n < width; n += 32) {
            __builtin_prefetch(source + 24 * row + 2 * n, 0, 2);
            __builtin_prefetch(source + 25 * row + 2 * n, 0, 2);
        }
        for (size_t n = 0; n < width; n += 16) {
            any_u16x16 lower = {0}, upper = {0};
            if (width - n >= 16) {
                lower = *(const any_u16x16 *)(source + 2 * n);
                upper = *(const any_u16x16 *)(source + row + 2 * n);
            } else {
                memcpy(&lower, source + 2 * n, (width - n) * 2);
                memcpy(&upper, source + row + 2 * n, (width - n) * 2);
            }
            *(i16 *)(panel + n) = __builtin_convertvector(lower, i16) | __builtin_convertvector(upper, i16) << 16;
        }
    }
}

// The same as VARIANT(pack) for depths in pairs of bfloat16; not every variant is used.
__attribute__((unused)) static void VARIANT(pack_pairs)(const mtl_weights *b, bool is_transposed, size_t first, size_t depth,
                          size_t column, size_t width, float *panel) {
    const ptrdiff_t row = b->row * 2;
    const char *from = b->values;
    if (is_transposed) {
        // A pair of bfloat16 is moved as a float would be.
        from += (ptrdiff_t)column * row + (ptrdiff_t)first * 4;
        pack_transposed(from, row, MTL_FLOAT32, NULL, depth, width, panel);
    } else {
        from += (ptrdiff_t)(2 * first) * row + (ptrdiff_t)column * 2;
        pack_pair_rows(from, row, depth, width, panel);
    }
}

#define FORMATS(function, ...)                                            \
    switch (b->format) {                                                  \
    case MTL_BFLOAT16: function(from, row, MTL_BFLOAT16, __VA_ARGS__); break; \
    case MTL_INT8: function(from, row, MTL_INT8, __VA_ARGS__); break;     \
    default: function(from, row, MTL_FLOAT32, __VA_ARGS__); break;        \
    }

static void VARIANT(pack)(const mtl_weights *b, bool is_transposed, size_t first, size_t depth,
                          size_t column, size_t width, float *panel) {
    const ptrdiff_t size = (ptrdiff_t)element_size(b->format), row = b->row * size;
    const size_t line = is_transposed ? column : first, place = is_transposed ? first : column;
    const char *from = (const char *)b->values + (ptrdiff_t)line * row + (ptrdiff_t)place * size;
    const float *scales = b->scales == NULL ? NULL : b->scales + line;
    if (is_transposed) {
        FORMATS(pack_transposed, scales, depth, width, panel)
    } else {
        FORMATS(pack_straight, scales, depth, width, panel)
    }
}
#undef FORMATS

// See mtl_gemm_round_left.
static void VARIANT(round_left)(const float *row, size_t depth, int16_t *to, float *scales) {
    typedef int16_t any_i16x16 __attribute__((vector_size(32), aligned(2)));
    const v16 zero = splat(0.0f);
    for (size_t first = 0; first < depth; first += 2 * STRETCH, scales++) {
        const size_t end = smallest(depth, first + 2 * STRETCH);
        v16 most = zero, nothing = zero;
        for (size_t n = first; n < end; n += 16) {
            const v16 x = load(row + n, end - n);
            most = larger(most, larger(x, zero - x));
            nothing += x - x;  // unless x is not finite
        }
        *scales = max_lanes(most) / 32767 + sum_lanes(nothing);
        const v16 unit = splat(*scales);
        for (size_t n = first; n < end; n += 16, to += 16) {
            // As in rounding to int8, weights_body.h.
            v16 x = load(row + n, end - n) / unit;
            x = smaller(larger(choose(x == x, x, zero), splat(-32767.0f)), splat(32767.0f));
            *(any_i16x16 *)to = __builtin_convertvector((i16)(x + splat(12582912.0f)) - 0x4b400000, any_i16x16);
        }
    }
    // Up to a multiple of 32.
    if ((depth + 15) / 16 % 2 == 1) *(any_i16x16 *)to = (any_i16x16){0};
}
#endif

// ---------------------------------------------------------------- the inner loop

#if INTEGERS
// A sum of whole numbers times both scales. It is never fused with what it is added to: where the compiler could do
// so, and whether it does, is not the same on every way to a result.
ALWAYS_INLINE v16 scaled(i16 sum, v16 a_scale, v16 b_scale) {
#pragma clang fp contract(off)
    return __builtin_convertvector(sum, v16) * (a_scale * b_scale);
}
#endif

// Stores sums of `height` rows and `vectors` vectors, added to what the block starts from.
ALWAYS_INLINE void add_up(const block *x, size_t first, size_t column, int height, int vectors,
                          v16 sum[][VARIANT(VECTORS)]) {
    // Copies: as far as the compiler knows, a store of sums might change the block.
    const ptrdiff_t start_row = x->start_row, c_row = x->c_row;
    float *c = x->c + (ptrdiff_t)first * c_row + column;
    const float *start = x->start, *bias = x->bias;
    if (start != NULL) start += (ptrdiff_t)first * start_row + column;
    if (bias != NULL) bias += column;
#if INTEGERS
    v16 scales[VARIANT(VECTORS)];
    for (int v = 0; v < vectors; v++) scales[v] = load(x->scales + column + 16 * v, x->width - column - 16 * (size_t)v);
#endif
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
#if INTEGERS
            v16 value = scaled((i16)sum[m][v], splat(x->a_scales[((ptrdiff_t)first + m) * x->a_scales_row]), scales[v]);
#else
            v16 value = sum[m][v];
#endif
            if (start != NULL) {
                v16 from = *(const v16 *)(start + m * start_row + 16 * v);
                value = (bias == NULL ? from : from + *(const v16 *)(bias + 16 * v)) + value;
            } else if (bias != NULL) {
                value = *(const v16 *)(bias + 16 * v) + value;
            }
            *(v16 *)(c + m * c_row + 16 * v) = value;
        }
    }
}

// `height` rows times `vectors` vectors of a block, from (`first`, `column`) on.
ALWAYS_INLINE void multiply_rows(const block *x, size_t first, size_t column, int height, int vectors) {
    v16 sum[VARIANT(HEIGHT)][VARIANT(VECTORS)];
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[m][v] = splat(0.0f);
    }
    // A pointer for every three rows: what lies one or two rows further needs no arithmetic to reach.
    const ptrdiff_t a_row = x->a_row, a_column = x->a_column, b_row = x->b_row;
    const float *a[(VARIANT(HEIGHT) + 2) / 3];
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m += 3) a[m / 3] = x->a + ((ptrdiff_t)first + m) * a_row;
    const char *b = x->b + column * sizeof(float);
    for (size_t k = x->depth; k > 0; k--, b += b_row) {
        v16 right[VARIANT(VECTORS)];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) right[v] = *(const v16 *)(b + 64 * v);
#pragma clang loop unroll(full)
        for (int m = 0; m < height; m++) {
            v16 left = splat(a[m / 3][m % 3 * a_row]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sum[m][v] = multiply_add(sum[m][v], left, right[v]);
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < height; m += 3) {
            a[m / 3] += a_column;
            __asm__("" : "+r"(a[m / 3]));  // or the compiler makes one chain of additions of them all
        }
    }
    add_up(x, first, column, height, vectors, sum);
}

#define CASE(count) \
    case count: if (count <= VARIANT(HEIGHT)) multiply_rows(x, first, column, count, vectors); break;
#define CASES                                                                                   \
    switch (smallest(VARIANT(HEIGHT), x->height - first)) {                                     \
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) \
    }

static void VARIANT(multiply)(const block *x) {
    const size_t width = rounded_up(x->width, 16);
    for (size_t first = 0; first < x->height; first += VARIANT(HEIGHT)) {
        size_t column = 0;
        for (; column + 16 * VARIANT(VECTORS) <= width; column += 16 * VARIANT(VECTORS)) {
            enum { vectors = VARIANT(VECTORS) };
            CASES
        }
        for (; column < width; column += 16) {
            enum { vectors = 1 };
            CASES
        }
    }
}
#undef CASE
#undef CASES

// ---------------------------------------------------------------- few rows

#if INTEGERS
#include "gemm_integers_body.h"
#else
// Up to 16 columns of c for `height` rows of a, from rows of b as they lie in memory.
ALWAYS_INLINE void multiply_few(const block *x, size_t first, int height, mtl_format format) {
    const size_t size = element_size(format), deep = 16 / size, line = 64 / size;
    const size_t depth = x->depth, width = x->width, whole = width == 16 ? depth / deep * deep : 0;
    const ptrdiff_t row = x->b_row, a_row = x->a_row;
    const char *b = x->b;
    const bool fetches = x->fetches;
    const v16 scale = format == MTL_INT8 ? load(x->scales, width) : splat(1.0f);
    const float *a = x->a + (ptrdiff_t)first * a_row;
    v16 sum[VARIANT(FEW)][VARIANT(VECTORS)], columns[16];
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) sum[m][0] = splat(0.0f);
    for (size_t k = 0; k < whole; k += deep, a += deep) {
        if (fetches && k % line == 0) fetch_ahead(b + k * size, row);
        read_columns(b + k * size, row, format, scale, columns);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < deep; i++) {
#pragma clang loop unroll(full)
            for (int m = 0; m < height; m++) {
                sum[m][0] = multiply_add(sum[m][0], splat(a[m * a_row + (ptrdiff_t)i]), columns[i]);
            }
        }
    }
    for (size_t k = whole; k < depth; k += deep, a += deep) {
        const size_t count = smallest(deep, depth - k);
        read_edge(b + k * size, row, format, scale, width, count, columns);
        for (size_t i = 0; i < count; i++) {
#pragma clang loop unroll(full)
            for (int m = 0; m < height; m++) {
                sum[m][0] = multiply_add(sum[m][0], splat(a[m * a_row + (ptrdiff_t)i]), columns[i]);
            }
        }
    }
    add_up(x, first, 0, height, 1, sum);
}

#endif

#define CASE(count) \
    case count: if (count <= VARIANT(FEW)) multiply_few(x, first, count, format); break;

ALWAYS_INLINE void multiply_few_rows(const block *x, mtl_format format) {
    for (size_t first = 0; first < x->height; first += VARIANT(FEW)) {
        switch (smallest(VARIANT(FEW), x->height - first)) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
        }
    }
}
#undef CASE

static void VARIANT(multiply_in_place)(const block *x) {
    if (PAIRS || INTEGERS) return multiply_few_rows(x, INTEGERS ? MTL_INT8 : MTL_FLOAT32);
    switch (x->format) {
    case MTL_BFLOAT16: multiply_few_rows(x, MTL_BFLOAT16); break;
    case MTL_INT8: multiply_few_rows(x, MTL_INT8); break;
    default: multiply_few_rows(x, MTL_FLOAT32); break;
    }
}

#undef expand
#undef widen
#undef transpose
#undef read_columns
#undef read_edge
#undef fetch_ahead
#undef pack_transposed
#undef pack_straight
#undef add_up
#undef multiply_add
#undef pack_pair_rows
#undef widen_bytes
#undef sum_sixteen
#undef scaled
#undef multiply_rows
#undef multiply_few
#undef multiply_few_rows
