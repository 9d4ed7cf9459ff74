#pragma once
#include <stddef.h>
#include <stdint.h>

#include "mtl_elementwise.h"
#include "mtl_isa.h"

// The factors of the state inputs X[t] = log(1 + exp(step[t])) * u[t] * B[t] of a batch, and memory for what
// all pairs of rows share.
typedef struct {
    mtl_matrix u, step, B;
    size_t inner, state;
    float *input;       // [tokens, inner]: log(1 + exp(step)) * u
    float *reciprocals; // [tokens, 2]: 1 / norm of the input and of B; 0 for a zero vector
} mtl_state_inputs;

// Fills `input` and `reciprocals` for a row.
void mtl_form_state_input(mtl_isa isa, const mtl_state_inputs *inputs, size_t row);

// The cosines of X of `count` pairs of rows that have been filled.
void mtl_state_input_cosines(mtl_isa isa, const mtl_state_inputs *inputs, const int32_t *pairs,
                             size_t count, float *cosines);
