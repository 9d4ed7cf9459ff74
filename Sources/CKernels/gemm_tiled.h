// Products on matrix tiles: how they are divided, packed and walked; gemm_tiles.h has the inner loops.
#include "gemm_tiles.h"

enum {
    TILED_FEW = 16,     // up to so many rows b is not packed
    TILED_BLOCK = 384,  // the most lanes of a panel that are worked on at once
};

static bool is_tiled(mtl_isa isa, const mtl_gemm *p) { return isa == MTL_AMX && p->a_is_paired && p->a_scales == NULL; }

// Whether b is read as it lies, being the left factor.
static bool is_few(const mtl_gemm *p) { return p->rows <= TILED_FEW && p->b_is_transposed; }

// Divides a product among threads. It takes so little time there that packing b costs as much as some 100 rows
// more. A panel over one block stays in the first-level cache, the rows of a pass in the second.
static mtl_gemm_plan divide_tiled(const mtl_gemm *p, size_t threads) {
    mtl_gemm_plan plan = {.rows = 1, .columns = PANEL};
    if (p->rows == 0 || p->columns == 0) return plan;
    const bool few = is_few(p), packs = !few && p->packed == NULL;
    const size_t padded = rounded_up(lanes(p), 16), blocks = (padded + TILED_BLOCK - 1) / TILED_BLOCK;
    size_t best = SIZE_MAX;
    for (size_t columns = PANEL; columns <= 256; columns += PANEL) {
        size_t across = (p->columns + columns - 1) / columns;
        for (size_t parts = (p->rows + MOST_ROWS - 1) / MOST_ROWS;; parts++) {
            size_t rows = rounded_up((p->rows + parts - 1) / parts, TILED_ROWS);
            size_t tiles = across * ((p->rows + rows - 1) / rows);
            size_t cost = (tiles + threads - 1) / threads * (rows + (packs ? 100 : 0)) * (columns + 16);
            if (cost < best) {
                best = cost;
                plan.rows = rows;
                plan.columns = columns;
                plan.tiles = tiles;
            }
            if (rows <= TILED_ROWS || tiles >= 4 * threads) break;
        }
        if (columns >= p->columns) break;
    }
    plan.block = blocks == 0 ? 0 : rounded_up((padded + blocks - 1) / blocks, 16);
    plan.group = plan.columns;
    plan.pass = smallest(plan.rows, 256);
    plan.scratch = few ? padded * p->rows : packs ? plan.group * plan.block : 0;
    return plan;
}

// One block of c over `depth` lanes. Given are the factors, their rows' distances and the block's size.
static void multiply_tiled_block(const tiles *tiles, const mtl_gemm *p, block *x, size_t row, size_t column,
                                 bool is_first) {
    float sums[TILED_ROWS * PANEL];
    const size_t height = x->height, width = x->width;
    const ptrdiff_t c_row = p->c_row, c_column = p->c_column;
    float *c = p->c + (ptrdiff_t)row * c_row + (ptrdiff_t)column * c_column;
    const bool starts_anew = is_first && p->addend == NULL && p->bias == NULL;
    // Registers are stored whole.
    const bool is_whole = height % 16 == 0 && width % 16 == 0 && c_column == 1;
    const float *start = is_first ? p->addend : c;
    const ptrdiff_t start_row = is_first ? p->addend_row : c_row;
    if (is_first && start != NULL) start += (ptrdiff_t)row * start_row + (ptrdiff_t)column * c_column;
    const float *bias = is_first && p->bias != NULL ? p->bias + column : NULL;
    x->start = starts_anew ? NULL : start;
    x->start_row = start_row;
    if (!starts_anew && (!is_whole || bias != NULL)) {
        for (size_t m = 0; m < height; m++) {
            for (size_t n = 0; n < width; n++) {
                float value = start == NULL ? 0 : start[(ptrdiff_t)m * start_row + (ptrdiff_t)n * c_column];
                sums[m * PANEL + n] = bias == NULL ? value : value + bias[n];
            }
        }
        x->start = sums;
        x->start_row = PANEL;
    }
    x->c = is_whole ? c : sums;
    x->c_row = is_whole ? c_row : PANEL;
    tiles->multiply(x);
    if (is_whole) return;
    for (size_t m = 0; m < height; m++) {
        for (size_t n = 0; n < width; n++) {
            c[(ptrdiff_t)m * c_row + (ptrdiff_t)n * c_column] = sums[m * PANEL + n];
        }
    }
}

// Packs b's lanes [from, from + depth) as pack_pairs does; `padded` lanes are filled, with zeros at the end.
static void pack_padded(pack_function pack, const mtl_gemm *p, size_t from, size_t depth, size_t padded, size_t column,
                        size_t width, float *panel) {
    pack(&p->b, p->b_is_transposed, from, depth, column, width, panel);
    memset(panel + depth * PANEL, 0, (padded - depth) * PANEL * sizeof(float));
}

size_t mtl_gemm_packed_size(mtl_isa isa, const mtl_gemm *p) {
    return !is_tiled(isa, p) || is_few(p) ? 0 : rounded_up(p->columns, PANEL) * rounded_up(lanes(p), 16);
}

void mtl_gemm_pack(const mtl_gemm *p, size_t panel, float *packed) {
    const size_t depth = lanes(p), padded = rounded_up(depth, 16), column = panel * PANEL;
    pack_padded(tiles_of_this_processor().pack, p, 0, depth, padded, column, smallest(PANEL, p->columns - column),
                packed + column * padded);
}

// The nearest bfloat16, of two equally near the even one; the operand is finite.
static uint32_t nearest_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// The patterns of a value's two halves.
typedef struct { uint32_t high, low; } halves;

static halves split(float x) {
    const uint32_t high = nearest_bfloat16(x), bits = high << 16;
    float rounded;
    memcpy(&rounded, &bits, sizeof rounded);
    return (halves){high, nearest_bfloat16(x - rounded)};
}

size_t mtl_gemm_low_rank_lanes(size_t rank) { return rounded_up((3 * rank + 1) / 2, 16); }

void mtl_gemm_split_left(const float *left, size_t rank, float *lanes) {
    uint16_t *to = (uint16_t *)lanes;
    memset(to, 0, mtl_gemm_low_rank_lanes(rank) * sizeof(float));
    for (size_t k = 0; k < rank; k++) {
        const halves x = split(left[k]);
        to[k] = to[rank + k] = (uint16_t)x.high;
        to[2 * rank + k] = (uint16_t)x.low;
    }
}

void mtl_gemm_pack_right(const float *right, ptrdiff_t row, bool is_transposed, size_t rank, size_t columns,
                         size_t panel, float *packed) {
    const size_t first = panel * PANEL, width = smallest(PANEL, columns - first), lanes = mtl_gemm_low_rank_lanes(rank);
    packed += panel * PANEL * lanes;
    memset(packed, 0, PANEL * lanes * sizeof(float));
    // The element of two of a lane, and of a row of lanes, that a row k of pairs of halves goes to.
    uint16_t *to = (uint16_t *)packed;
#define PLACE(k, n) to[((k) / 2 * PANEL + (n)) * 2 + (k) % 2]
    for (size_t k = 0; k < rank; k++) {
        for (size_t n = 0; n < width; n++) {
            const ptrdiff_t column = (ptrdiff_t)(first + n);
            const halves x = split(is_transposed ? right[column * row + (ptrdiff_t)k] : right[(ptrdiff_t)k * row + column]);
            PLACE(k, n) = PLACE(2 * rank + k, n) = (uint16_t)x.high;
            PLACE(rank + k, n) = (uint16_t)x.low;
        }
    }
#undef PLACE
}

static void tiled(const mtl_gemm *p, const mtl_gemm_plan *plan, size_t tile, float *scratch) {
    const size_t across = (p->columns + plan->columns - 1) / plan->columns;
    const size_t first_row = tile / across * plan->rows, first = tile % across * plan->columns;
    const size_t end_row = smallest(p->rows, first_row + plan->rows);
    const size_t end = smallest(p->columns, first + plan->columns);
    const tiles tiles = tiles_of_this_processor();
    if (is_few(p)) {
        const size_t depth = lanes(p);
        for (size_t k = 0; k < rounded_up(depth, 16); k++) {
            for (size_t m = 0; m < p->rows; m++) {
                scratch[k * p->rows + m] = k < depth ? p->a[(ptrdiff_t)m * p->a_row + (ptrdiff_t)k] : 0;
            }
        }
        tiles.begin(p->rows);
        tiles.multiply_few(p, first, end, scratch, depth);
        tiles.end();
        return;
    }
    tiles.begin(16);
    for (size_t from = 0; from == 0 || from < lanes(p); from += plan->block) {
        const size_t depth = smallest(plan->block, lanes(p) - from), padded = rounded_up(depth, 16);
        const float *panels = p->packed == NULL
            ? scratch : p->packed + first * rounded_up(lanes(p), 16) + from * PANEL;
        const size_t panel = PANEL * (p->packed == NULL ? padded : rounded_up(lanes(p), 16));
        const size_t low_rank = from + depth == lanes(p) ? p->low_rank_lanes : 0;
        for (size_t n = first; n < end && p->packed == NULL; n += PANEL) {
            pack_padded(tiles.pack, p, from, depth, padded, n, smallest(PANEL, end - n),
                        scratch + (n - first) * padded);
        }
        for (size_t pass = first_row; pass < end_row; pass += plan->pass) {
            const size_t pass_end = smallest(end_row, pass + plan->pass);
            for (size_t n = first; n < end; n += PANEL) {
                for (size_t m = pass; m < pass_end; m += TILED_ROWS) {
                    block x = {
                        .a = p->a + (ptrdiff_t)m * p->a_row + (ptrdiff_t)from, .a_row = p->a_row,
                        .b = (const char *)(panels + (n - first) / PANEL * panel), .depth = padded,
                        .height = smallest(TILED_ROWS, pass_end - m), .width = smallest(PANEL, end - n),
                        .low_rank_depth = low_rank,
                    };
                    if (low_rank > 0) x.low_rank = p->low_rank + n * low_rank;
                    multiply_tiled_block(&tiles, p, &x, m, n, from == 0);
                }
            }
        }
    }
    tiles.end();
}
