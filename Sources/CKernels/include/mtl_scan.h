#pragma once
#include <stddef.h>
#include <stdint.h>

#include "mtl_elementwise.h"
#include "mtl_isa.h"

// The selective scan of one sequence, or of a piece of one, for a group of channels at a time.
//
//     delta[t] = log(1 + exp(step[t])),                                X[t] = delta[t] * u[t] * B[t]
//     chain[t] = exp(delta[t] * A) * chain[t - 1] + X[t]
//     tree[v]  = X[v] + sum over children c of exp(delta[transition(c)] * A) * tree[c]
//     state[t] = chain_gain * chain[t] + tree_gain * tree[t]                    on the tree's tokens
//     state[t] = exp(delta[t] * A) * state[t - 1] + (chain_gain + tree_gain) * X[t]       after them
//     y[t]     = dot(C[t], state[t]) + D * u[t]
//     result   = y * z / (1 + exp(-z)), or y without a gate
//
// The state after the tree's last token is that of the chain plus that of the root, wherever the root is.
//
// The lanes of a vector are channels, and a block's states stay in registers or in the scratch
// memory, so nothing of the size length * inner * state exists.

enum {
    MTL_SCAN_BLOCK = 16,  // channels that are computed at once
    MTL_SCAN_GROUP = 64,  // channels that a call works on
    MTL_SCAN_CHUNK = 256, // tokens whose states and decays are kept at a time
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

// One sequence, or a piece of one with the state before it; the matrices start at its first row.
typedef struct {
    mtl_matrix u, step, z;      // [length, inner]; z.start is NULL without a gate
    mtl_matrix B, C;            // [length, state]
    mtl_matrix A;               // [state, inner], nowhere positive
    const float *D;             // [inner]
    size_t length, state;
    float chain_gain, tree_gain;
    const mtl_scan_step *steps; // children before parents, the root last
    const int32_t *first_steps; // by MTL_SCAN_CHUNK tokens: the first of a token or with its decay
    size_t tree_length;         // 0 for a plain chain
    size_t slots;               // the number of slots the steps use
    mtl_matrix initial_state;   // [state, inner]; start is NULL for zero
} mtl_scan;

// The gradients of one sequence, or of a piece of one; the matrices start at its first row.
typedef struct {
    mtl_matrix result;          // [length, inner]: the gradient by the result, given
    mtl_matrix u, step;         // [length, inner]: overwritten
    mtl_matrix z, gated;        // [length, inner]: overwritten, with a gate only; start may be NULL
    mtl_matrix state;           // [state, inner]: by the last state, replaced by that of the initial one
    float *BC;                  // [length, 2 * state]: the share of B's and C's
    bool adds;                  // whether the channels' is added to the share, which is overwritten otherwise
    mtl_matrix A;               // [state, inner]: added to; start is NULL if frozen
    float *D;                   // [inner]: added to; NULL if frozen
} mtl_scan_gradients;

// The number of floats of scratch that the two functions below need; the memory is aligned to 64 bytes.
size_t mtl_scan_scratch(const mtl_scan *scan);
size_t mtl_scan_backward_scratch(const mtl_scan *scan, size_t channels);

// Computes `channels` (at most MTL_SCAN_GROUP) columns of the result, [length, inner], from `channel` on,
// and of the state after the last token, [state, inner]; either may be absent, its start NULL. All operands
// but z are read before the result is written, and z row by row, so the result may be the memory of u, step
// or z, and the state that of the initial one.
void mtl_scan_forward(mtl_isa isa, const mtl_scan *scan, size_t channel, size_t channels,
                      mtl_matrix result, mtl_matrix final_state, float *scratch);

// Computes the gradients of the same columns. The length is at most MTL_SCAN_CHUNK, or that of the tree;
// of a longer sequence, the last piece comes first.
//
// The columns of all operands are read before those of any gradient are written, so a gradient, or
// `gated`, may be the same memory as one of u, step, z and the gradient by the result.
void mtl_scan_backward(mtl_isa isa, const mtl_scan *scan, size_t channel, size_t channels,
                       const mtl_scan_gradients *gradients, float *scratch);

// Adds up `count` matrices [rows, columns], `stride` floats apart, in order.
void mtl_scan_sum(mtl_isa isa, const float *parts, size_t count, size_t stride, size_t part_row,
                  mtl_matrix sum, size_t rows, size_t columns);

// A[n, d] = -exp(logarithm[d, n]) for some channels d.
void mtl_state_matrix(mtl_isa isa, mtl_matrix logarithm, size_t channel, size_t channels, size_t state,
                      mtl_matrix A);
