// Matrix products on matrix tiles (Intel's AMX), for real or emulated.
//
// A tile register holds 16 rows of 64 bytes. One instruction adds to 16 x 16 sums the products of 16 rows of a
// and 16 columns of b over 16 lanes, each a pair of bfloat16: first the lower and the upper elements of the lanes
// are summed on their own, from zero and in rising order, then both sums are added, then that to what was there.
// Every element of c starts as addend + bias and goes through its lanes sixteen by sixteen: its bits
// depend neither on its neighbours nor on how the product is divided. Whoever reads c transposed, with b's rows as
// the left factor, gets the same bits.
//
// Before it is included, REGISTERS declares the eight registers; LOAD, STORE, ZERO and MULTIPLY work on them by
// their numbers, with the distance of rows in lanes.

// Lanes [0, depth) of `height` rows and `width` columns of c, then those of low rank; depths are multiples of 16.
// 0 to 3 are the sums, 4 and 5 rows of a, 6 and 7 columns of b.
static void VARIANT(multiply_tiles)(const block *x) {
    REGISTERS
    const ptrdiff_t a_row = x->a_row, start_row = x->start_row, c_row = x->c_row;
    const bool is_tall = x->height > 16, is_wide = x->width > 16;
    const float *start = x->start;
    if (start == NULL) {
        ZERO(0); ZERO(1); ZERO(2); ZERO(3);
    } else {
        LOAD(0, start, start_row);
        if (is_wide) LOAD(1, start + 16, start_row);
        if (is_tall) LOAD(2, start + 16 * start_row, start_row);
        if (is_tall && is_wide) LOAD(3, start + 16 * start_row + 16, start_row);
    }
    const float *a = x->a, *b = (const float *)x->b, *end = a + x->depth;
    for (int factor = 0; factor < 2; factor++) {
        if (is_tall && is_wide) {
            for (; a < end; a += 16, b += 16 * PANEL) {
                // The rows of the next block: a load of a register waits for all of its lines.
                for (int i = 32; i < 64; i++) __builtin_prefetch(a + i * a_row, 0, 3);
                LOAD(6, b, PANEL);
                LOAD(4, a, a_row);
                LOAD(7, b + 16, PANEL);
                LOAD(5, a + 16 * a_row, a_row);
                MULTIPLY(0, 4, 6);
                MULTIPLY(1, 4, 7);
                MULTIPLY(2, 5, 6);
                MULTIPLY(3, 5, 7);
            }
        } else if (is_tall) {
            for (; a < end; a += 16, b += 16 * PANEL) {
                LOAD(6, b, PANEL);
                LOAD(4, a, a_row);
                LOAD(5, a + 16 * a_row, a_row);
                MULTIPLY(0, 4, 6);
                MULTIPLY(2, 5, 6);
            }
        } else {
            for (; a < end; a += 16, b += 16 * PANEL) {
                LOAD(4, a, a_row);
                LOAD(6, b, PANEL);
                MULTIPLY(0, 4, 6);
                if (is_wide) {
                    LOAD(7, b + 16, PANEL);
                    MULTIPLY(1, 4, 7);
                }
            }
        }
        b = x->low_rank;
        end = a + x->low_rank_depth;
    }
    float *c = x->c;
    STORE(0, c, c_row);
    if (is_wide) STORE(1, c + 16, c_row);
    if (is_tall) STORE(2, c + 16 * c_row, c_row);
    if (is_tall && is_wide) STORE(3, c + 16 * c_row + 16, c_row);
}

// Columns [first, end) of c where rows are few: rows of b, as they lie in memory, are the left factor, and the
// right one is a, transposed, [lane][row]. `depth`, a multiple of 16, is what a has; b has `whole` of these lanes.
static void VARIANT(multiply_few_tiles)(const mtl_gemm *p, size_t first, size_t end, const float *a,
                                        size_t whole) {
    REGISTERS
    const size_t rows = p->rows;
    const ptrdiff_t b_row = p->b.row / 2, width = (ptrdiff_t)rows;
    for (size_t n = first; n < end; n += 32) {
        const size_t columns = smallest(32, end - n);
        const float *b = (const float *)((const uint16_t *)p->b.values + (ptrdiff_t)n * p->b.row);
        float sums[32 * 16];
        if (p->addend == NULL && p->bias == NULL) {
            ZERO(0); ZERO(1);
        } else {
            for (size_t j = 0; j < 32; j++) {
                for (size_t m = 0; m < rows; m++) {
                    const bool is_inside = j < columns;
                    float value = p->addend == NULL || !is_inside
                        ? 0 : p->addend[(ptrdiff_t)m * p->addend_row + (ptrdiff_t)(n + j) * p->c_column];
                    sums[j * rows + m] = p->bias == NULL || !is_inside ? value : value + p->bias[n + j];
                }
            }
            LOAD(0, sums, width);
            LOAD(1, sums + 16 * rows, width);
        }
        size_t k = 0;
        if (columns == 32) {
            for (; k + 16 <= whole; k += 16) {
                // What the next columns need: memory is far away, and the second-level cache has room.
                for (int i = 32; i < 64; i++) __builtin_prefetch(b + i * b_row + k, 0, 2);
                LOAD(6, a + k * rows, width);
                LOAD(4, b + k, b_row);
                LOAD(5, b + 16 * b_row + k, b_row);
                MULTIPLY(0, 4, 6);
                MULTIPLY(1, 5, 6);
            }
        }
        for (; k < whole; k += 16) {
            float edge[32 * 16] = {0};
            for (size_t j = 0; j < columns; j++) {
                memcpy(edge + 16 * j, b + (ptrdiff_t)j * b_row + k, smallest(16, whole - k) * sizeof(float));
            }
            LOAD(6, a + k * rows, width);
            LOAD(4, edge, 16);
            LOAD(5, edge + 16 * 16, 16);
            MULTIPLY(0, 4, 6);
            MULTIPLY(1, 5, 6);
        }
        STORE(0, sums, width);
        STORE(1, sums + 16 * rows, width);
        for (size_t m = 0; m < rows; m++) {
            float *c = p->c + (ptrdiff_t)m * p->c_row + (ptrdiff_t)n * p->c_column;
            for (size_t j = 0; j < columns; j++) c[(ptrdiff_t)j * p->c_column] = sums[j * rows + m];
        }
    }
}
