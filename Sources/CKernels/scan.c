// The selective scan.
//
// While a kernel runs, results too small for a normal float become zero: a state that nothing feeds
// decays into the subnormal range and would stay there, at a hundred times the cost.
#include "mtl_scan.h"

#include <stdbool.h>
#include <string.h>

// The number of tokens whose decays and states the backward pass keeps at a time.
static size_t chunk_length(const mtl_scan *x) {
    return x->length < MTL_SCAN_CHUNK ? x->length : MTL_SCAN_CHUNK;
}

enum {
    BLOCKS = MTL_SCAN_GROUP / MTL_SCAN_BLOCK,
    KEPT_EVERY = 8,
    ROWS_AHEAD = 8,
};

// The distance of two packed columns of `count` vectors: odd, so that they do not fall on one set of the cache.
static size_t apart(size_t count) { return count | 1; }

// The number of states that the backward pass keeps of a chunk.
static size_t kept_states(size_t chunk) { return (chunk + KEPT_EVERY - 1) / KEPT_EVERY; }

// A matrix from one of its rows and columns on; NULL stays NULL.
static mtl_matrix part(mtl_matrix matrix, size_t row, size_t column) {
    if (matrix.start) matrix.start += (ptrdiff_t)row * matrix.row + (ptrdiff_t)column;
    return matrix;
}

static float *at(mtl_matrix matrix, size_t row) { return matrix.start + (ptrdiff_t)row * matrix.row; }

// Only the loops over a state of known size can be unrolled.
#pragma clang diagnostic ignored "-Wpass-failed"
#define BODY "scan_body.h"
#include "variants.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

static unsigned flush_subnormals(void) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}

static void restore_subnormals(unsigned before) { _mm_setcsr(before); }
#else
static unsigned flush_subnormals(void) { return 0; }
static void restore_subnormals(unsigned before) { (void)before; }
#endif

// Of each block u, delta and y; four vectors of [state], the slots, the decays of a chunk of the tree's tokens.
size_t mtl_scan_scratch(const mtl_scan *x) {
    size_t decays = x->tree_length < MTL_SCAN_CHUNK ? x->tree_length : MTL_SCAN_CHUNK;
    size_t states = 4 + x->slots + decays;
    return (3 * BLOCKS * apart(x->length) + states * x->state) * MTL_SCAN_BLOCK;
}

// Of each block eight columns; six vectors of [state]; of a chunk the decays, and states for KEPT_EVERY tokens,
// twice those that are kept; the tree's states, the marks.
size_t mtl_scan_backward_scratch(const mtl_scan *x, size_t channels) {
    size_t blocks = (channels + MTL_SCAN_BLOCK - 1) / MTL_SCAN_BLOCK;
    size_t chunk = chunk_length(x), marks = x->tree_length / chunk + 1;
    size_t states = 6 + chunk + KEPT_EVERY + 2 * kept_states(chunk) + x->tree_length + marks;
    return (8 * blocks * apart(x->length) + states * x->state) * MTL_SCAN_BLOCK;
}

// Asks for parameters and states of the next group of channels. With few tokens most of the time would go to
// waiting for them: each row lies on a page of its own, where the processor does not look ahead. Into the
// second-level cache, for in the first one so many rows often fall on one set.
static void fetch_ahead(const mtl_scan *x, size_t channel, mtl_matrix final_state) {
    const size_t column = channel + MTL_SCAN_GROUP;
    for (size_t n = 0; n < x->state; n++) {
        for (size_t c = column; c < column + MTL_SCAN_GROUP; c += 16) {
            __builtin_prefetch(at(x->A, n) + c, 0, 2);
            if (x->initial_state.start) __builtin_prefetch(at(x->initial_state, n) + c, 0, 2);
            if (final_state.start) __builtin_prefetch(at(final_state, n) + c, 1, 2);
        }
    }
}

void mtl_scan_forward(mtl_isa isa, const mtl_scan *x, size_t channel, size_t channels, mtl_matrix result,
                      mtl_matrix final_state, float *scratch) {
    if (x->length < ROWS_AHEAD) fetch_ahead(x, channel, final_state);
    unsigned mode = flush_subnormals();
    DISPATCH(isa, forward_any, (x, channel, channels, result, final_state, scratch))
    restore_subnormals(mode);
}

void mtl_scan_backward(mtl_isa isa, const mtl_scan *x, size_t channel, size_t channels,
                       const mtl_scan_gradients *gradients, float *scratch) {
    unsigned mode = flush_subnormals();
    DISPATCH(isa, backward_any, (x, channel, channels, gradients, scratch))
    restore_subnormals(mode);
}

void mtl_scan_sum(mtl_isa isa, const float *parts, size_t count, size_t stride, size_t part_row,
                  mtl_matrix sum, size_t rows, size_t columns) {
    DISPATCH(isa, sum_parts, (parts, count, stride, part_row, sum, rows, columns))
}

void mtl_state_matrix(mtl_isa isa, mtl_matrix logarithm, size_t channel, size_t channels, size_t state,
                      mtl_matrix A) {
    DISPATCH(isa, state_matrix, (logarithm, channel, channels, state, A))
}
