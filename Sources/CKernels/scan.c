// The selective scan.
//
// While a kernel runs, results too small for a normal float become zero: a state that nothing feeds
// decays into the subnormal range and would stay there, at a hundred times the cost.
#include "mtl_scan.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static size_t chunks(size_t length) { return (length + MTL_SCAN_CHUNK - 1) / MTL_SCAN_CHUNK; }

static size_t blocks(size_t channels) { return (channels + MTL_SCAN_BLOCK - 1) / MTL_SCAN_BLOCK; }

static float reciprocal_root(float square) { return square == 0 ? 0 : 1 / sqrtf(square); }

// Reads the rows of some channels of a matrix [inner, state] as [state][MTL_SCAN_BLOCK], other lanes zero.
static void gather(const float *matrix, ptrdiff_t row, size_t channels, size_t state, float *target) {
    memset(target, 0, state * MTL_SCAN_BLOCK * sizeof(float));
    for (size_t lane = 0; lane < channels; lane++, matrix += row) {
        for (size_t n = 0; n < state; n++) target[n * MTL_SCAN_BLOCK + lane] = matrix[n];
    }
}

// Writes [state][MTL_SCAN_BLOCK] to the rows of some channels of a matrix [inner, state].
static void scatter(const float *source, size_t channels, size_t state, float *matrix, ptrdiff_t row) {
    for (size_t lane = 0; lane < channels; lane++, matrix += row) {
        for (size_t n = 0; n < state; n++) matrix[n] = source[n * MTL_SCAN_BLOCK + lane];
    }
}

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

// Of each block: u, delta and y. Then A2, bounded, the state and a slot for each pending sum.
size_t mtl_scan_scratch(const mtl_scan *x) {
    size_t rows = 3 * x->length * blocks(MTL_SCAN_GROUP);
    return (rows + (3 + x->slots) * x->state) * MTL_SCAN_BLOCK;
}

// Of each block: u, delta and three gradients. Then six vectors of [state], a chunk's states and decays, the
// tree's states, the marks.
size_t mtl_scan_backward_scratch(const mtl_scan *x) {
    size_t rows = 5 * x->length * blocks(MTL_SCAN_GROUP);
    size_t marks = chunks(x->tree_length) + chunks(x->length - x->tree_length);
    size_t states = 6 + 2 * MTL_SCAN_CHUNK + x->tree_length + marks;
    return (rows + states * x->state) * MTL_SCAN_BLOCK;
}

void mtl_scan_forward(mtl_isa isa, const mtl_scan *x, size_t channel, size_t channels, mtl_matrix y,
                      mtl_matrix final_state, float *scratch) {
    unsigned mode = flush_subnormals();
    DISPATCH(isa, forward_any, (x, channel, channels, y, final_state, scratch))
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

void mtl_scan_decay(mtl_isa isa, const float *delta, mtl_matrix A, size_t inner, size_t state,
                    float *decay) {
    DISPATCH(isa, decay, (delta, A, inner, state, decay))
}

void mtl_form_state_inputs(mtl_isa isa, const mtl_state_inputs *x, size_t first, size_t count) {
    DISPATCH(isa, form_inputs, (x, first, count))
}

void mtl_state_input_cosines(mtl_isa isa, const mtl_state_inputs *x, const int32_t *pairs, size_t count,
                             float *cosines) {
    DISPATCH(isa, input_cosines, (x, pairs, count, cosines))
}
