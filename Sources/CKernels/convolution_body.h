// The bodies of mtl_convolution.h; see variants.h. The width W is a constant for the usual convolution.
#ifndef MTL_CONVOLUTION_NAMES
#define MTL_CONVOLUTION_NAMES

enum { COLUMNS = MTL_CONVOLUTION_COLUMNS, WIDTH = MTL_CONVOLUTION_WIDTH, ROWS_AHEAD = 8 };

static float *at(mtl_matrix matrix, ptrdiff_t row) { return matrix.start + row * matrix.row; }

// The rows of x that token t reads, by tap.
static void find_rows(const mtl_convolution *c, size_t t, size_t width, const float *zeros, const float **rows) {
    for (size_t k = 0; k < width; k++) {
        ptrdiff_t row = (ptrdiff_t)(t + k) - (ptrdiff_t)(width - 1);
        if (row >= 0) {
            rows[k] = at(c->x, row);
        } else {
            rows[k] = c->before.start ? at(c->before, row + (ptrdiff_t)(width - 1)) : zeros;
        }
    }
}

#define EVERY_FOURTH(first) first, first + 4, first + 8, first + 12, first + 16, first + 20, first + 24, first + 28
#endif

// The weights by tap, [width][COLUMNS], the rest zero.
ALWAYS_INLINE void VARIANT(load_taps)(const mtl_convolution *c, float *taps, size_t W) {
    size_t channel = 0;
    memset(taps, 0, W * COLUMNS * sizeof(float));
    for (; W == 4 && channel + LANES <= c->channels; channel += LANES) {
        const v16 *w = (const v16 *)(c->weight + channel * W);
#define TAP(k)                                                                                              \
    *(v16 *)(taps + k * COLUMNS + channel) = __builtin_shufflevector(                                      \
        __builtin_shufflevector(w[0], w[1], EVERY_FOURTH(k)),                                               \
        __builtin_shufflevector(w[2], w[3], EVERY_FOURTH(k)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, \
        14, 15)
        TAP(0);
        TAP(1);
        TAP(2);
        TAP(3);
#undef TAP
    }
    for (; channel < c->channels; channel++) {
        for (size_t k = 0; k < W; k++) taps[k * COLUMNS + channel] = c->weight[channel * W + k];
    }
}

// The convolution's sum at the channels from `d` on.
ALWAYS_INLINE v16 VARIANT(preactivation)(const mtl_convolution *c, const float *const *rows,
                                         const float *taps, size_t d, size_t W) {
    size_t count = c->channels - d;
    v16 pre = c->bias == NULL ? splat(0.0f) : load(c->bias + d, count);
#pragma clang loop unroll(full)
    for (size_t k = 0; k < W; k++) pre += load(rows[k] + d, count) * load(taps + k * COLUMNS + d, LANES);
    return pre;
}

ALWAYS_INLINE void VARIANT(convolve)(const mtl_convolution *c, mtl_matrix u, size_t W) {
    float taps[WIDTH * COLUMNS], zeros[COLUMNS] = {0};
    VARIANT(load_taps)(c, taps, W);
    for (size_t t = 0; t < c->length; t++) {
        const float *rows[WIDTH];
        find_rows(c, t, W, zeros, rows);
        float *out = at(u, (ptrdiff_t)t);
        for (size_t d = 0; d < c->channels; d += LANES) {
            // The next rows lie on other pages, where the processor does not look ahead.
            __builtin_prefetch(rows[W - 1] + ROWS_AHEAD * c->x.row + d);
            __builtin_prefetch(out + ROWS_AHEAD * u.row + d, 1);
            v16 pre = VARIANT(preactivation)(c, rows, taps, d, W);
            store(out + d, pre * vector_sigmoid(pre), c->channels - d);
        }
    }
}

static void VARIANT(convolve_any)(const mtl_convolution *c, mtl_matrix u) {
    if (c->width == 4) {
        VARIANT(convolve)(c, u, 4);
    } else {
        VARIANT(convolve)(c, u, c->width);
    }
}

// Adds a token's share to the gradients of weight and bias, [width + 1][COLUMNS].
ALWAYS_INLINE void VARIANT(add_weights)(const float *const *rows, size_t d, size_t count, v16 by_pre, float *sums,
                                        size_t W) {
    for (size_t k = 0; k < W; k++) {
        float *sum = sums + k * COLUMNS + d;
        store(sum, load(sum, LANES) + by_pre * load(rows[k] + d, count), LANES);
    }
    store(sums + W * COLUMNS + d, load(sums + W * COLUMNS + d, LANES) + by_pre, LANES);
}

ALWAYS_INLINE void VARIANT(convolve_backward)(const mtl_convolution *c, mtl_matrix gradient, mtl_matrix grad_x,
                                              float *grad_weight, float *grad_bias, size_t W) {
    // Of the gradients by `pre`, a row each, those of the last W tokens are kept, token t in row t % W.
    float taps[WIDTH * COLUMNS], zeros[COLUMNS] = {0}, sums[(WIDTH + 1) * COLUMNS], by_pre[WIDTH * COLUMNS];
    bool trains = grad_weight != NULL || grad_bias != NULL;
    VARIANT(load_taps)(c, taps, W);
    memset(by_pre, 0, W * COLUMNS * sizeof(float));
    if (trains) memset(sums, 0, (W + 1) * COLUMNS * sizeof(float));
    for (size_t t = c->length; t-- > 0;) {
        const float *rows[WIDTH], *up = at(gradient, (ptrdiff_t)t);
        find_rows(c, t, W, zeros, rows);
        float *out = at(grad_x, (ptrdiff_t)t), *own = by_pre + t % W * COLUMNS;
        for (size_t d = 0; d < c->channels; d += LANES) {
            size_t count = c->channels - d;
            __builtin_prefetch(rows[0] - ROWS_AHEAD * c->x.row + d);
            __builtin_prefetch(up - ROWS_AHEAD * gradient.row + d);
            v16 pre = VARIANT(preactivation)(c, rows, taps, d, W), sigmoid = vector_sigmoid(pre);
            v16 slope = sigmoid * (splat(1.0f) + pre * (splat(1.0f) - sigmoid));
            v16 given = load(up + d, count) * slope, sum = given * load(taps + (W - 1) * COLUMNS + d, LANES);
            store(own + d, given, LANES);
            if (trains) VARIANT(add_weights)(rows, d, count, given, sums, W);
#pragma clang loop unroll(full)
            for (size_t ahead = 1; ahead < W; ahead++) {
                const float *later = by_pre + (t + ahead) % W * COLUMNS;
                sum += load(later + d, LANES) * load(taps + (W - 1 - ahead) * COLUMNS + d, LANES);
            }
            store(out + d, sum, count);
        }
    }
    for (size_t channel = 0; channel < c->channels; channel++) {
        for (size_t k = 0; grad_weight && k < W; k++) {
            grad_weight[channel * W + k] += sums[k * COLUMNS + channel];
        }
        if (grad_bias) grad_bias[channel] += sums[W * COLUMNS + channel];
    }
}

static void VARIANT(convolve_backward_any)(const mtl_convolution *c, mtl_matrix gradient, mtl_matrix grad_x,
                                           float *grad_weight, float *grad_bias) {
    if (c->width == 4) {
        VARIANT(convolve_backward)(c, gradient, grad_x, grad_weight, grad_bias, 4);
    } else {
        VARIANT(convolve_backward)(c, gradient, grad_x, grad_weight, grad_bias, c->width);
    }
}
