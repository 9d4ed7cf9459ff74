#pragma once
#include <stddef.h>
#include <stdint.h>

#include "mtl_elementwise.h"
#include "mtl_isa.h"

// The selective scan of one sequence, for a group of channels at a time.
//
//     chain[t] = exp(delta[t] * A) * chain[t - 1] + X[t],            X[t] = delta[t] * u[t] * B[t]
//     tree[v]  = X[v] + sum over children c of exp(delta[transition(c)] * A) * tree[c]
//     state[t] = chain_gain * chain[t] + tree_gain * tree[t]                    on the tree's tokens
//     state[t] = exp(delta[t] * A) * state[t - 1] + (chain_gain + tree_gain) * X[t]       after them
//     y[t]     = dot(C[t], state[t]) + D * u[t]
//
// The lanes of a vector are channels, and a block's states stay in registers or in the scratch
// memory, so nothing of the size length * inner * state exists.

enum {
    MTL_SCAN_BLOCK = 16,  // channels that are computed at once
    MTL_SCAN_GROUP = 64,  // channels that a call works on
    MTL_SCAN_CHUNK = 256, // tokens whose states the backward pass keeps at a time
};

// What happens at one vertex of the tree, on the way from the leaves to the root.
typedef struct {
    int32_t vertex;
    int32_t parent;     // -1 at the root
    int32_t transition; // the token whose decay weighs the edge to the parent
    int32_t source;     // the slot where the children left their sum; -1 at a leaf
    int32_t target;     // the slot of the parent's sum; -1 at the root
    int32_t opens;      // 1 if no other child has written to `target` before
} mtl_scan_step;

// One sequence; the pointers are to its first row, and a `row` is the distance of two rows.
typedef struct {
    const float *u, *delta, *B, *C;
    ptrdiff_t u_row, delta_row, B_row, C_row;
    const float *A, *D; // [inner, state], [inner]
    ptrdiff_t A_row;
    size_t length, state;
    float chain_gain, tree_gain;
    const mtl_scan_step *steps; // children before parents
    size_t tree_length;         // 0 for a plain chain
    size_t slots;               // the number of slots the steps use
    const float *initial_state; // [inner, state] or NULL
    ptrdiff_t initial_row;
} mtl_scan;

// The gradients of one sequence; the pointers are to its first row.
typedef struct {
    const float *y;
    ptrdiff_t y_row;
    float *u, *delta;   // overwritten
    ptrdiff_t u_row, delta_row;
    float *BC;          // [length, 2 * state]: the group's share of B's and C's, added to
    float *A, *D;       // [inner, state], [inner]: added to; NULL if frozen
    ptrdiff_t A_row;
} mtl_scan_gradients;

// The number of floats of scratch that the two functions below need; the memory is aligned to 64 bytes.
size_t mtl_scan_scratch(const mtl_scan *scan);
size_t mtl_scan_backward_scratch(const mtl_scan *scan);

// Computes `channels` (at most MTL_SCAN_GROUP) columns of y, [length, inner], from `channel` on, and the
// state after the last token, [inner, state], unless its start is NULL.
void mtl_scan_forward(mtl_isa isa, const mtl_scan *scan, size_t channel, size_t channels, mtl_matrix y,
                      mtl_matrix final_state, float *scratch);

// Computes the gradients of the same columns; the states are computed again, chunk by chunk. The steps'
// slots are not used.
void mtl_scan_backward(mtl_isa isa, const mtl_scan *scan, size_t channel, size_t channels,
                       const mtl_scan_gradients *gradients, float *scratch);

// Adds up `count` matrices [rows, columns], `stride` floats apart, in order.
void mtl_scan_sum(mtl_isa isa, const float *parts, size_t count, size_t stride, size_t part_row,
                  mtl_matrix sum, size_t rows, size_t columns);

// decay[d, n] = exp(delta[d] * A[d, n]) for a whole token.
void mtl_scan_decay(mtl_isa isa, const float *delta, mtl_matrix A, size_t inner, size_t state,
                    float *decay);

// The factors of the state inputs X[t] = delta[t] * u[t] * B[t] of a batch, and memory for what all pairs
// of rows share.
typedef struct {
    mtl_matrix u, delta, B;
    size_t inner, state;
    float *input;       // [tokens, inner]: delta * u
    float *reciprocals; // [tokens, 2]: 1 / norm of delta * u and of B; 0 for a zero vector
} mtl_state_inputs;

// Fills `input` and `reciprocals` for `count` rows.
void mtl_form_state_inputs(mtl_isa isa, const mtl_state_inputs *inputs, size_t first, size_t count);

// The cosines of X of `count` pairs of rows that have been filled.
void mtl_state_input_cosines(mtl_isa isa, const mtl_state_inputs *inputs, const int32_t *pairs,
                             size_t count, float *cosines);
