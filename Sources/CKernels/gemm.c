// Matrix products: b is packed, panel by panel, into the order the inner loop reads it in.
//
// A panel is PANEL columns wide and up to BLOCK deep, [depth, PANEL], so it stays in the second-level
// cache while all rows of the tile pass over it. The inner loop keeps a block of c in registers
// (12 x 32 with AVX-512, 6 x 16 with AVX2) and walks the depth in stretches, each summed from zero and then
// added to c: rounding grows with the length of a stretch and the number of them, not with the depth.
#include "mtl_gemm.h"

#include <string.h>

enum { PANEL = 32, BLOCK = 4096, STRETCH = 128, ROWS = 12 };

static size_t minimum(size_t a, size_t b) { return a < b ? a : b; }

size_t mtl_gemm_scratch(const mtl_gemm *p) {
    size_t depth = minimum(p->depth, BLOCK);
    size_t packed_rows = p->a_column == 1 ? 0 : (MTL_GEMM_TILE_ROWS + ROWS) * depth;
    return depth * PANEL + packed_rows;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define AVX2 __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline))
#endif

// ---------------------------------------------------------------- packing

// Copies columns [column, column + width) of b at depths [from, from + depth) into panel[depth][PANEL],
// the rest of each row zero.
static void pack_rows(const mtl_gemm *p, size_t from, size_t depth, size_t column, size_t width,
                      float *panel) {
    const float *source = p->b + (ptrdiff_t)from * p->b_row + (ptrdiff_t)column;
    for (size_t k = 0; k < depth; k++, source += p->b_row, panel += PANEL) {
        memcpy(panel, source, width * sizeof(float));
        if (width < PANEL) memset(panel + width, 0, (PANEL - width) * sizeof(float));
    }
}

static void pack_columns(const mtl_gemm *p, size_t from, size_t depth, size_t column, size_t width,
                         float *panel) {
    if (width < PANEL) memset(panel, 0, depth * PANEL * sizeof(float));
    for (size_t n = 0; n < width; n++) {
        const float *source = p->b + (ptrdiff_t)(column + n) * p->b_column + (ptrdiff_t)from;
        for (size_t k = 0; k < depth; k++) panel[k * PANEL + n] = source[k];
    }
}

#if defined(__x86_64__)
// Transposes 16 rows of 16 floats, row stride `from`, into columns of a panel.
AVX512 INLINE void transpose16(const float *source, ptrdiff_t from, float *target) {
    __m512 r[16], t[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_ps(source + i * from);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
        r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
        r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
        r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        _mm512_store_ps(target + (i) * PANEL, _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
        _mm512_store_ps(target + (i + 8) * PANEL, _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
        _mm512_store_ps(target + (i + 4) * PANEL, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88));
        _mm512_store_ps(target + (i + 12) * PANEL, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd));
    }
}

AVX512 static void pack_columns_avx512(const mtl_gemm *p, size_t from, size_t depth, size_t column,
                                       size_t width, float *panel) {
    size_t whole = width == PANEL ? depth / 16 * 16 : 0;
    const float *source = p->b + (ptrdiff_t)column * p->b_column + (ptrdiff_t)from;
    for (size_t k = 0; k < whole; k += 16) {
        transpose16(source + k, p->b_column, panel + k * PANEL);
        transpose16(source + 16 * p->b_column + k, p->b_column, panel + k * PANEL + 16);
    }
    if (whole < depth) {
        pack_columns(p, from + whole, depth - whole, column, width, panel + whole * PANEL);
    }
}
#endif

// Copies rows [row, row + count) of a into blocks of ROWS rows, [block][depth][ROWS].
static void pack_left(const mtl_gemm *p, size_t row, size_t count, size_t from, size_t depth,
                      float *packed) {
    for (size_t m = 0; m < count; m += ROWS, packed += depth * ROWS) {
        size_t height = minimum(ROWS, count - m);
        const float *source =
            p->a + (ptrdiff_t)(row + m) * p->a_row + (ptrdiff_t)from * p->a_column;
        for (size_t k = 0; k < depth; k++, source += p->a_column) {
            for (size_t i = 0; i < height; i++) packed[k * ROWS + i] = source[(ptrdiff_t)i * p->a_row];
        }
    }
}

// ---------------------------------------------------------------- inner loops

// One block of c: `height` rows (at most ROWS) times `width` columns (at most PANEL) of one panel.
typedef struct {
    const float *a;
    ptrdiff_t a_row, a_column;
    const float *panel;
    float *c;
    ptrdiff_t c_row;
    size_t depth, height, width;
    bool accumulate;
} block;

static void block_portable(const block *x) {
    for (size_t m = 0; m < x->height; m++) {
        float *c = x->c + (ptrdiff_t)m * x->c_row;
        const float *a = x->a + (ptrdiff_t)m * x->a_row;
        float sum[PANEL] = {0};
        for (size_t k = 0; k < x->depth; k++) {
            float left = a[(ptrdiff_t)k * x->a_column];
            const float *right = x->panel + k * PANEL;
            for (size_t n = 0; n < PANEL; n++) sum[n] += left * right[n];
        }
        for (size_t n = 0; n < x->width; n++) c[n] = x->accumulate ? c[n] + sum[n] : sum[n];
    }
}

#if defined(__x86_64__)
AVX512 INLINE void rows_avx512(const block *x, int height, int vectors) {
    __m512 sum[ROWS][2];
    __mmask16 mask[2] = {
        (__mmask16)(x->width >= 16 ? 0xffff : (1u << x->width) - 1),
        (__mmask16)(x->width >= 32 ? 0xffff : x->width <= 16 ? 0 : (1u << (x->width - 16)) - 1),
    };
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[m][v] = _mm512_setzero_ps();
    }
    const float *a = x->a, *panel = x->panel;
    const ptrdiff_t a_row = x->a_row, a_column = x->a_column;
    for (size_t k = x->depth; k > 0; k--, panel += PANEL, a += a_column) {
        __m512 right[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) right[v] = _mm512_load_ps(panel + 16 * v);
#pragma clang loop unroll(full)
        for (int m = 0; m < height; m++) {
            __m512 left = _mm512_set1_ps(a[m * a_row]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sum[m][v] = _mm512_fmadd_ps(left, right[v], sum[m][v]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            float *c = x->c + m * x->c_row + 16 * v;
            if (x->accumulate) sum[m][v] += _mm512_maskz_loadu_ps(mask[v], c);
            _mm512_mask_storeu_ps(c, mask[v], sum[m][v]);
        }
    }
}

#define CASES(function, vectors)            \
    switch (x->height) {                    \
    case 1: function(x, 1, vectors); break; \
    case 2: function(x, 2, vectors); break; \
    case 3: function(x, 3, vectors); break; \
    case 4: function(x, 4, vectors); break; \
    case 5: function(x, 5, vectors); break; \
    case 6: function(x, 6, vectors); break; \
    case 7: function(x, 7, vectors); break; \
    case 8: function(x, 8, vectors); break; \
    case 9: function(x, 9, vectors); break; \
    case 10: function(x, 10, vectors); break; \
    case 11: function(x, 11, vectors); break; \
    default: function(x, 12, vectors); break; \
    }

AVX512 static void block_avx512(const block *x) {
    if (x->width > 16) {
        CASES(rows_avx512, 2)
    } else {
        CASES(rows_avx512, 1)
    }
}

// Up to 6 rows times 16 columns; `column` is where they start in the panel.
AVX2 INLINE void rows_avx2(const block *x, int first, int height, size_t column) {
    __m256 sum[6][2];
    float edge[16];
    size_t width = minimum(16, x->width - column);
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
    const float *a = x->a + first * x->a_row, *panel = x->panel + column;
    const ptrdiff_t a_row = x->a_row, a_column = x->a_column;
    for (size_t k = x->depth; k > 0; k--, panel += PANEL, a += a_column) {
        __m256 low = _mm256_load_ps(panel), high = _mm256_load_ps(panel + 8);
#pragma clang loop unroll(full)
        for (int m = 0; m < height; m++) {
            __m256 left = _mm256_set1_ps(a[m * a_row]);
            sum[m][0] = _mm256_fmadd_ps(left, low, sum[m][0]);
            sum[m][1] = _mm256_fmadd_ps(left, high, sum[m][1]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < height; m++) {
        float *c = x->c + (first + m) * x->c_row + column;
        _mm256_storeu_ps(edge, sum[m][0]);
        _mm256_storeu_ps(edge + 8, sum[m][1]);
        if (width < 16) {
            for (size_t n = 0; n < width; n++) c[n] = x->accumulate ? c[n] + edge[n] : edge[n];
        } else if (x->accumulate) {
            _mm256_storeu_ps(c, _mm256_add_ps(_mm256_loadu_ps(c), sum[m][0]));
            _mm256_storeu_ps(c + 8, _mm256_add_ps(_mm256_loadu_ps(c + 8), sum[m][1]));
        } else {
            _mm256_storeu_ps(c, sum[m][0]);
            _mm256_storeu_ps(c + 8, sum[m][1]);
        }
    }
}

AVX2 static void block_avx2(const block *x) {
    for (size_t column = 0; column < x->width; column += 16) {
        for (size_t first = 0; first < x->height; first += 6) {
            switch (minimum(6, x->height - first)) {
            case 1: rows_avx2(x, (int)first, 1, column); break;
            case 2: rows_avx2(x, (int)first, 2, column); break;
            case 3: rows_avx2(x, (int)first, 3, column); break;
            case 4: rows_avx2(x, (int)first, 4, column); break;
            case 5: rows_avx2(x, (int)first, 5, column); break;
            default: rows_avx2(x, (int)first, 6, column); break;
            }
        }
    }
}
#endif

static void multiply_block(mtl_isa isa, const block *x) {
    switch (isa) {
#if defined(__x86_64__)
    case MTL_AVX512: block_avx512(x); break;
    case MTL_AVX2: block_avx2(x); break;
#endif
    default: block_portable(x); break;
    }
}

// ---------------------------------------------------------------- a tile

void mtl_gemm_tile(mtl_isa isa, const mtl_gemm *p, size_t row, size_t column, float *scratch) {
    size_t rows = minimum(MTL_GEMM_TILE_ROWS, p->rows - row);
    size_t columns = minimum(MTL_GEMM_TILE_COLUMNS, p->columns - column);
    if (p->depth == 0) {
        for (size_t m = 0; m < rows && !p->accumulate; m++) {
            memset(p->c + (ptrdiff_t)(row + m) * p->c_row + column, 0, columns * sizeof(float));
        }
        return;
    }
    bool packs_left = p->a_column != 1;
    for (size_t from = 0; from < p->depth; from += BLOCK) {
        size_t depth = minimum(BLOCK, p->depth - from);
        float *panel = scratch, *packed = scratch + depth * PANEL;
        if (packs_left) pack_left(p, row, rows, from, depth, packed);
        for (size_t n = 0; n < columns; n += PANEL) {
            size_t width = minimum(PANEL, columns - n);
            if (p->b_column == 1) {
                pack_rows(p, from, depth, column + n, width, panel);
            } else {
#if defined(__x86_64__)
                if (isa == MTL_AVX512) {
                    pack_columns_avx512(p, from, depth, column + n, width, panel);
                } else
#endif
                    pack_columns(p, from, depth, column + n, width, panel);
            }
            for (size_t m = 0; m < rows; m += ROWS) {
                const float *a = packs_left
                    ? packed + m * depth
                    : p->a + (ptrdiff_t)(row + m) * p->a_row + (ptrdiff_t)from;
                block x = {
                    .a_row = packs_left ? 1 : p->a_row,
                    .a_column = packs_left ? ROWS : 1,
                    .c = p->c + (ptrdiff_t)(row + m) * p->c_row + (ptrdiff_t)(column + n),
                    .c_row = p->c_row,
                    .height = minimum(ROWS, rows - m),
                    .width = width,
                };
                for (size_t k = 0; k < depth; k += STRETCH) {
                    x.a = a + (ptrdiff_t)k * x.a_column;
                    x.panel = panel + k * PANEL;
                    x.depth = minimum(STRETCH, depth - k);
                    x.accumulate = p->accumulate || from + k > 0;
                    multiply_block(isa, &x);
                }
            }
        }
    }
}
