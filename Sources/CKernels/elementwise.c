#include "mtl_elementwise.h"

#include <math.h>

#define BODY "elementwise_body.h"
#include "variants.h"

void mtl_rms_norm(mtl_isa isa, mtl_matrix x, const float *weight, float epsilon, mtl_matrix y, size_t rows,
                  size_t columns) {
    DISPATCH(isa, rms_norm, (x, weight, epsilon, y, rows, columns))
}

void mtl_rms_norm_backward(mtl_isa isa, mtl_matrix x, const float *weight, float epsilon, mtl_matrix g,
                           mtl_matrix addend, mtl_matrix grad_x, size_t rows, size_t columns) {
    DISPATCH(isa, rms_norm_backward, (x, weight, epsilon, g, addend, grad_x, rows, columns))
}

void mtl_rms_inverse(mtl_isa isa, mtl_matrix x, float epsilon, float *inverse, size_t rows, size_t columns) {
    DISPATCH(isa, rms_inverse, (x, epsilon, inverse, rows, columns))
}

void mtl_rms_norm_weight(mtl_isa isa, mtl_matrix x, const float *inverse, mtl_matrix g, float *grad_weight,
                         size_t rows, size_t columns) {
    DISPATCH(isa, rms_norm_weight, (x, inverse, g, grad_weight, rows, columns))
}

void mtl_column_sums(mtl_isa isa, mtl_matrix x, float *sums, size_t rows, size_t columns) {
    DISPATCH(isa, column_sums, (x, sums, rows, columns))
}

void mtl_add_scaled(mtl_isa isa, mtl_matrix x, float factor, mtl_matrix y, size_t rows, size_t columns) {
    DISPATCH(isa, add_scaled, (x, factor, y, rows, columns))
}

void mtl_scale(mtl_isa isa, mtl_matrix x, float factor, size_t rows, size_t columns) {
    DISPATCH(isa, scale, (x, factor, rows, columns))
}

double mtl_sum_of_squares(mtl_isa isa, const float *x, size_t count) {
    double result;
    DISPATCH(isa, sum_of_squares, (x, count, &result))
    return result;
}

mtl_row_score mtl_cross_entropy(mtl_isa isa, float *logits, size_t count, int32_t target,
                                float gradient_weight) {
    mtl_row_score score;
    DISPATCH(isa, cross_entropy, (logits, count, target, gradient_weight, &score))
    return score;
}

void mtl_adamw_step(mtl_isa isa, const mtl_adamw *step, float *parameter, const float *gradient, float *m,
                    float *v, size_t count) {
    DISPATCH(isa, adamw_step, (step, parameter, gradient, m, v, count))
}

void mtl_apply(mtl_isa isa, mtl_function function, const float *x, float *result, size_t count) {
    DISPATCH(isa, apply, (function, x, result, count))
}
