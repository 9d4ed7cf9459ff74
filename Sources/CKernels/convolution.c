#include "mtl_convolution.h"

#include <stdbool.h>
#include <string.h>

// Only the loops over a known width can be unrolled.
#pragma clang diagnostic ignored "-Wpass-failed"
#define BODY "convolution_body.h"
#include "variants.h"

void mtl_convolve(mtl_isa isa, const mtl_convolution *c, mtl_matrix u) {
    DISPATCH(isa, convolve_any, (c, u))
}

void mtl_convolve_backward(mtl_isa isa, const mtl_convolution *c, mtl_matrix gradient, mtl_matrix grad_x,
                           float *grad_weight, float *grad_bias) {
    DISPATCH(isa, convolve_backward_any, (c, gradient, grad_x, grad_weight, grad_bias))
}
