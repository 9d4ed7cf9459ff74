#pragma once
#include <stddef.h>

#include "mtl_elementwise.h"
#include "mtl_isa.h"

enum {
    MTL_CONVOLUTION_COLUMNS = 128, // channels that a call works on
    MTL_CONVOLUTION_WIDTH = 64,    // the widest convolution
};

// A depthwise causal convolution followed by SiLU, over one sequence and at most
// MTL_CONVOLUTION_COLUMNS channels:
//
//     pre[t] = bias + sum over k of weight[k] * x[t - width + 1 + k];   u = pre / (1 + exp(-pre))
typedef struct {
    mtl_matrix x;          // [length, channels]
    mtl_matrix before;     // the width - 1 rows before the sequence; start is NULL for zeros
    const float *weight;   // [channels, width]
    const float *bias;     // [channels], or NULL
    size_t length, channels, width;  // width at most MTL_CONVOLUTION_WIDTH
} mtl_convolution;

void mtl_convolve(mtl_isa isa, const mtl_convolution *c, mtl_matrix u);

// Overwrites grad_x, given the gradient by u; adds to grad_weight and grad_bias, which may be NULL. Tokens
// are walked backwards, and a row of x is not read after that of grad_x is written, so grad_x may be the
// same memory as x or as the gradient.
void mtl_convolve_backward(mtl_isa isa, const mtl_convolution *c, mtl_matrix gradient, mtl_matrix grad_x,
                           float *grad_weight, float *grad_bias);
