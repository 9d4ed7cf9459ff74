// Matrix products: b is packed, panel by panel, into the order the inner loop reads it in.
//
// A panel is PANEL columns wide, [depth, PANEL]. The inner loop keeps a block of c in registers (12 x 32
// with AVX-512, 6 x 16 with AVX2) and walks the depth in stretches, each summed from zero and then added
// to c: rounding grows with the length of a stretch and the number of them, not with the depth.
//
// A tile takes as many rows of c as it can, so that parts of b are seldom packed twice. With few rows packing
// is nearly all there is to do: a panel is then packed one stretch at a time, which stays in the
// first-level cache, and b goes through the processor once, at the speed of memory.
#include "mtl_gemm.h"

#include "formats.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

enum {
    PANEL = 32, STRETCH = 128, ROWS = 12, LANE_COUNT = 16, IN_PLACE = 6,
    TILED_ROWS = 32,  // of a block on matrix tiles
    // The most elements of b, and of a, that are worked on at once: both stay in a second-level cache of
    // 1 MiB and more.
    PASSED = 96 * 1024,
    // The most rows of a tile. Tiles that follow one another read the same rows of a, which should then be in
    // the last-level cache still; packing b for every so many rows costs a hundredth of the product.
    MOST_ROWS = 2048,
};

// The rows and vectors of c that are kept in registers; FEW are the rows where b is not packed.
enum {
    HEIGHT_portable = 2, VECTORS_portable = 1, FEW_portable = 1,
    HEIGHT_avx2 = 6, VECTORS_avx2 = 1, FEW_avx2 = 3,
    HEIGHT_avx512 = 12, VECTORS_avx512 = 2, FEW_avx512 = 6,
    HEIGHT_pairs = 12, VECTORS_pairs = 2, FEW_pairs = 6,
    HEIGHT_integers_portable = 2, VECTORS_integers_portable = 1, FEW_integers_portable = 1,
    HEIGHT_integers_avx2 = 6, VECTORS_integers_avx2 = 1, FEW_integers_avx2 = 1,
    HEIGHT_integers_avx512 = 12, VECTORS_integers_avx512 = 2, FEW_integers_avx512 = 4,
    HEIGHT_integers_vnni = 12, VECTORS_integers_vnni = 2, FEW_integers_vnni = 4,
};

// `height` rows (at most ROWS, or TILED_ROWS) times `width` columns (at most PANEL) of c, over one stretch.
typedef struct {
    const float *a;
    ptrdiff_t a_row, a_column;
    const char *b;              // a panel, or rows of b as they lie in memory
    ptrdiff_t b_row, b_stretch; // from one row, and one stretch, to the next, in bytes
    mtl_format format;          // of rows of b, with their scales
    const float *scales;
    const float *a_scales;      // of rows of a, where both factors are whole numbers
    ptrdiff_t a_scales_row;
    bool fetches;               // whether rows of b that follow are to be fetched ahead
    const float *start, *bias;  // what the sum is added to; NULL for none
    ptrdiff_t start_row;
    float *c;
    ptrdiff_t c_row;
    size_t depth, height, width;
    const float *low_rank;      // on matrix tiles, what follows b's lanes
    size_t low_rank_depth;
} block;

static size_t smallest(size_t a, size_t b) { return a < b ? a : b; }
static size_t rounded_up(size_t x, size_t unit) { return (x + unit - 1) / unit * unit; }

#include "gemm_integers.h"

#define PAIRS 0
#define INTEGERS 0
#define BODY "gemm_body.h"
#include "variants.h"

#if defined(__x86_64__)
#undef PAIRS
#define PAIRS 1
#define VARIANT(name) name##_pairs
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT
#undef PAIRS
#define PAIRS 0
#endif

#undef INTEGERS
#define INTEGERS 1
#undef MTL_HAS_AVX512
#define MTL_HAS_AVX512 0
#define VARIANT(name) name##_integers_portable
#define ADD_PRODUCTS_OF_PAIRS(sum, a, b) add_products_of_pairs(sum, a, b)
#include "vector_math.h"
#include BODY
#undef VARIANT
#undef ADD_PRODUCTS_OF_PAIRS

#if defined(__x86_64__)
#define VARIANT(name) name##_integers_avx2
#define ADD_PRODUCTS_OF_PAIRS(sum, a, b) add_products_of_pairs_avx2(sum, a, b)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT
#undef ADD_PRODUCTS_OF_PAIRS

#undef MTL_HAS_AVX512
#define MTL_HAS_AVX512 1
#define VARIANT(name) name##_integers_avx512
#define ADD_PRODUCTS_OF_PAIRS(sum, a, b) ((sum) + (i16)_mm512_madd_epi16((__m512i)(a), (__m512i)(b)))
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT
#undef ADD_PRODUCTS_OF_PAIRS

#define VARIANT(name) name##_integers_vnni
#define ADD_PRODUCTS_OF_PAIRS(sum, a, b) ((i16)_mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#include "vector_math.h"
#include BODY
#pragma clang attribute pop
#undef VARIANT
#undef ADD_PRODUCTS_OF_PAIRS
#endif

// ---------------------------------------------------------------- dividing the work

// Whether rows of a are first brought together: not where it is transposed and so narrow that its lines hold all of
// them, as the hidden rows of an adapter are.
static bool packs_left(const mtl_gemm *p) {
    return p->a_column != 1 && !(p->a_row == 1 && p->rows <= ROWS && p->a_column <= 2 * LANE_COUNT);
}

// The depth in lanes, each one element or a pair of them.
static size_t lanes(const mtl_gemm *p) { return p->a_is_paired ? p->depth / 2 : p->depth; }

#include "gemm_tiled.h"

// Whether the rows of b can be read where they are: nothing would be read from a panel twice.
static bool reads_in_place(const mtl_gemm *p) {
    return p->rows <= ROWS && !p->b_is_transposed && p->b.format == MTL_FLOAT32;
}

mtl_gemm_plan mtl_gemm_divide(mtl_isa isa, const mtl_gemm *p, size_t threads) {
    if (is_tiled(isa, p)) return divide_tiled(p, threads);
    const bool few = p->rows <= ROWS;
    // The time of a tile grows with rows and columns; packing b costs about as much as 20 rows more, reading
    // a about as much as 8 columns more. With few rows memory is all there is to wait for: tiles are as small as
    // they can be, so that threads that get different shares of it end together.
    const size_t most = packs_left(p) || lanes(p) > 4096 ? 384 : few ? PANEL : 128;
    const size_t unit = few || p->columns <= 16 ? 16 : PANEL;
    const size_t fewest = (p->rows + MOST_ROWS - 1) / MOST_ROWS;
    size_t best = SIZE_MAX;
    mtl_gemm_plan plan = {.rows = 1, .columns = unit};
    if (p->rows == 0 || p->columns == 0) return plan;
    for (size_t columns = unit; columns <= most; columns += unit) {
        size_t across = (p->columns + columns - 1) / columns;
        for (size_t parts = fewest;; parts++) {
            size_t rows = rounded_up((p->rows + parts - 1) / parts, ROWS);
            size_t tiles = across * ((p->rows + rows - 1) / rows);
            size_t cost = (tiles + threads - 1) / threads * (rows + 20) * (columns + 8);
            if (cost < best) {
                best = cost;
                plan.rows = rows;
                plan.columns = columns;
                plan.tiles = tiles;
            }
            if (rows <= ROWS || parts >= fewest - 1 + threads || tiles >= 4 * threads) break;
        }
        if (columns >= p->columns) break;
    }
    plan.group = few ? PANEL : plan.columns;
    plan.block = few ? STRETCH : smallest(8 * STRETCH, 2 * PASSED / plan.group / STRETCH * STRETCH);
    if (lanes(p) > 0) plan.block = smallest(plan.block, rounded_up(lanes(p), STRETCH));
    plan.pass = smallest(smallest(plan.rows, 192), PASSED / plan.block / ROWS * ROWS);
    if (!packs_left(p) && p->rows * lanes(p) <= 2 * PASSED) {
        // All of a fits at once: nothing is gained by more than one panel.
        plan.pass = plan.rows;
        plan.group = PANEL;
    }
    size_t floats = rounded_up(plan.group, PANEL) * plan.block;
    if (packs_left(p)) floats += plan.pass * plan.block;
    plan.scratch = floats;
    return plan;
}

// ---------------------------------------------------------------- whole numbers

size_t mtl_gemm_scales(size_t depth) { return (depth + 2 * STRETCH - 1) / (2 * STRETCH); }

void mtl_gemm_round_left(mtl_isa isa, const float *row, size_t depth, float *lanes, float *scales) {
    DISPATCH(isa, round_left, (row, depth, (int16_t *)lanes, scales))
}

// ---------------------------------------------------------------- a tile

typedef struct {
    pack_function *pack;
    void (*multiply)(const block *x);
    void (*multiply_in_place)(const block *x);
} kernel;

static kernel kernel_for(mtl_isa isa, const mtl_gemm *p) {
    if (p->a_scales != NULL) {
        switch (isa) {
#if defined(__x86_64__)
        case MTL_AMX:
        case MTL_AVX512_BF16:
        case MTL_AVX512:
            return __builtin_cpu_supports("avx512vnni")
                ? (kernel){pack_integers_vnni, multiply_integers_vnni, multiply_in_place_integers_vnni}
                : (kernel){pack_integers_avx512, multiply_integers_avx512, multiply_in_place_integers_avx512};
        case MTL_AVX2: return (kernel){pack_integers_avx2, multiply_integers_avx2, multiply_in_place_integers_avx2};
#endif
        default:
            return (kernel){pack_integers_portable, multiply_integers_portable, multiply_in_place_integers_portable};
        }
    }
#if defined(__x86_64__)
    if (p->a_is_paired) return (kernel){pack_pairs_avx512, multiply_pairs, multiply_in_place_pairs};
#endif
    switch (isa) {
#if defined(__x86_64__)
    case MTL_AMX:
    case MTL_AVX512_BF16:
    case MTL_AVX512: return (kernel){pack_avx512, multiply_avx512, multiply_in_place_avx512};
    case MTL_AVX2: return (kernel){pack_avx2, multiply_avx2, multiply_in_place_avx2};
#endif
    default: return (kernel){pack_portable, multiply_portable, multiply_in_place_portable};
    }
}

// Copies rows [row, row + count) of a into blocks of ROWS rows, [block][depth][ROWS].
static void pack_left(const mtl_gemm *p, size_t row, size_t count, size_t from, size_t depth,
                      float *packed) {
    for (size_t m = 0; m < count; m += ROWS, packed += depth * ROWS) {
        size_t height = smallest(ROWS, count - m);
        const float *source =
            p->a + (ptrdiff_t)(row + m) * p->a_row + (ptrdiff_t)from * p->a_column;
        for (size_t k = 0; k < depth; k++, source += p->a_column) {
            if (height == ROWS && p->a_row == 1) {
                memcpy(packed + k * ROWS, source, ROWS * sizeof(float));
                continue;
            }
            for (size_t i = 0; i < height; i++) packed[k * ROWS + i] = source[(ptrdiff_t)i * p->a_row];
        }
    }
}

// One block of c over `depth` of the sum, in stretches. Sums between stretches are kept in a small buffer:
// c's rows may lie so far apart that they displace each other in the first-level cache. Given
// are the factors and the block's size; the rest of `x` is written, its factors are moved on.
static void multiply_block(void multiply(const block *), const mtl_gemm *p, block *x, size_t depth,
                           size_t row, size_t column, bool is_first) {
    float sums[ROWS * PANEL];
    const size_t width = x->width;
    const ptrdiff_t c_column = p->c_column;
    float *c = p->c + (ptrdiff_t)row * p->c_row + (ptrdiff_t)column * c_column;
    const float *start = c;
    ptrdiff_t start_row = p->c_row;
    const float *bias = NULL;
    if (is_first) {
        start = p->addend == NULL
            ? NULL : p->addend + (ptrdiff_t)row * p->addend_row + (ptrdiff_t)column * c_column;
        start_row = p->addend_row;
        bias = p->bias == NULL ? NULL : p->bias + column;
    }
    // The inner loop takes whole vectors only.
    const bool is_whole = width % LANE_COUNT == 0 && c_column == 1;
    if (is_whole) {
        x->start = start;
        x->start_row = start_row;
        x->bias = bias;
        // The sums are stored at the end, all at once: by then their lines should be at hand.
        for (size_t m = 0; m < x->height && depth > STRETCH; m++) {
            for (size_t n = 0; n < width; n += 16) __builtin_prefetch(c + (ptrdiff_t)m * p->c_row + n, 1, 3);
        }
    } else {
        x->start = start == NULL && bias == NULL ? NULL : sums;
        x->start_row = PANEL;
        x->bias = NULL;
        for (size_t m = 0; m < x->height && x->start != NULL; m++) {
            for (size_t n = 0; n < width; n++) {
                float value =
                    start == NULL ? 0 : start[(ptrdiff_t)m * start_row + (ptrdiff_t)n * c_column];
                sums[m * PANEL + n] = bias == NULL ? value : value + bias[n];
            }
        }
    }
    for (size_t k = 0; k == 0 || k < depth; k += STRETCH) {
        const bool is_last = k + STRETCH >= depth;
        x->depth = is_last ? depth - k : STRETCH;
        x->c = is_last && is_whole ? c : sums;
        x->c_row = is_last && is_whole ? p->c_row : PANEL;
        multiply(x);
        x->a += STRETCH * x->a_column;
        if (x->a_scales != NULL) x->a_scales++;
        x->b += x->b_stretch;
        x->start = sums;
        x->start_row = PANEL;
        x->bias = NULL;
    }
    if (is_whole) return;
    for (size_t m = 0; m < x->height; m++) {
        for (size_t n = 0; n < width; n++) {
            c[(ptrdiff_t)m * p->c_row + (ptrdiff_t)n * c_column] = sums[m * PANEL + n];
        }
    }
}

// Columns [first, end) of c where rows are few and b is transposed: no element of b is used from a panel
// more often than it would be written.
static void multiply_few(const kernel *kernel, const mtl_gemm *p, size_t first, size_t end) {
    const ptrdiff_t size = (ptrdiff_t)element_size(p->b.format), row = p->b.row * size;
    const ptrdiff_t lane = p->a_is_paired ? 2 * size : size;  // what a lane of a is multiplied by
    for (size_t n = first; n < end; n += LANE_COUNT) {
        block x = {
            .a = p->a, .a_row = p->a_row, .a_column = 1,
            .b = (const char *)p->b.values + (ptrdiff_t)n * row, .b_row = row, .b_stretch = STRETCH * lane,
            .format = p->b.format, .scales = p->b.scales == NULL ? NULL : p->b.scales + n,
            .a_scales = p->a_scales, .a_scales_row = p->a_scales_row,
            .fetches = n + 3 * LANE_COUNT <= p->columns, // the next tile too: threads take them in order
            .height = p->rows, .width = smallest(LANE_COUNT, end - n),
        };
        multiply_block(kernel->multiply_in_place, p, &x, lanes(p), 0, n, true);
    }
}

// Rows [pass, end) times one panel of columns, over one block of the depth.
static void multiply_panel(const kernel *kernel, const mtl_gemm *p, const float *left, const char *b,
                           ptrdiff_t b_row, size_t from, size_t depth, size_t pass, size_t end, size_t column,
                           size_t width) {
    block x = {
        .a_row = packs_left(p) ? 1 : p->a_row,
        .a_column = packs_left(p) ? ROWS : p->a_column,
        .b_row = b_row,
        .b_stretch = STRETCH * b_row,
    };
    for (size_t m = pass; m < end; m += ROWS) {
        x.a = packs_left(p) ? left + (m - pass) * depth
                            : p->a + (ptrdiff_t)m * p->a_row + (ptrdiff_t)from * p->a_column;
        x.b = b;
        x.height = smallest(ROWS, end - m);
        x.width = width;
        if (p->a_scales != NULL) {
            x.scales = p->b.scales + column;
            x.a_scales = p->a_scales + (ptrdiff_t)m * p->a_scales_row + (ptrdiff_t)(from / STRETCH);
            x.a_scales_row = p->a_scales_row;
        }
        multiply_block(kernel->multiply, p, &x, depth, m, column, from == 0);
    }
}

// ---------------------------------------------------------------- a tile of the work

void mtl_gemm_tile(mtl_isa isa, const mtl_gemm *p, const mtl_gemm_plan *plan, size_t tile,
                   float *scratch) {
    if (is_tiled(isa, p)) {
        tiled(p, plan, tile, scratch);
        return;
    }
    const kernel kernel = kernel_for(isa, p);
    const size_t across = (p->columns + plan->columns - 1) / plan->columns;
    const size_t first_row = tile / across * plan->rows, first = tile % across * plan->columns;
    const size_t end_row = smallest(p->rows, first_row + plan->rows);
    const size_t end = smallest(p->columns, first + plan->columns);
    if (p->rows <= (p->a_scales == NULL ? IN_PLACE : ROWS) && p->b_is_transposed && p->a_column == 1) {
        multiply_few(&kernel, p, first, end);
        return;
    }
    const bool in_place = reads_in_place(p);
    float *panels = scratch, *left = panels + rounded_up(plan->group, PANEL) * plan->block;
    for (size_t group = first; group < end; group += plan->group) {
        const size_t group_end = smallest(end, group + plan->group);
        for (size_t from = 0; from == 0 || from < lanes(p); from += plan->block) {
            const size_t depth = smallest(plan->block, lanes(p) - from);
            for (size_t n = group; n < group_end; n += PANEL) {
                size_t width = smallest(PANEL, group_end - n);
                if (in_place && width % LANE_COUNT == 0) continue;
                kernel.pack(&p->b, p->b_is_transposed, from, depth, n, width, panels + (n - group) * depth);
            }
            for (size_t pass = first_row; pass < end_row; pass += plan->pass) {
                const size_t pass_end = smallest(end_row, pass + plan->pass);
                if (packs_left(p)) pack_left(p, pass, pass_end - pass, from, depth, left);
                for (size_t n = group; n < group_end; n += PANEL) {
                    const size_t width = smallest(PANEL, group_end - n);
                    const float *b = panels + (n - group) * depth;
                    ptrdiff_t row = PANEL;
                    if (in_place && width % LANE_COUNT == 0) {
                        b = (const float *)p->b.values + (ptrdiff_t)from * p->b.row + n;
                        row = p->b.row;
                    }
                    multiply_panel(&kernel, p, left, (const char *)b, row * (ptrdiff_t)sizeof(float), from, depth,
                                   pass, pass_end, n, width);
                }
            }
        }
    }
}
