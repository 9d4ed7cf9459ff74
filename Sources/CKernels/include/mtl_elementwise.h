#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mtl_isa.h"

// Operations on rows of floats. A matrix is its first element and the distance between its rows, in
// floats; every row is contiguous. Divide rows (or columns, where a sum runs over rows) between
// threads in parts that do not depend on their number.
typedef struct {
    float *start;
    ptrdiff_t row;
} mtl_matrix;

// y = weight * x / sqrt(mean(x * x) + epsilon), by row.
void mtl_rms_norm(mtl_isa isa, mtl_matrix x, const float *weight, float epsilon, mtl_matrix y, size_t rows,
                  size_t columns);
// grad_x = addend + the gradient of mtl_rms_norm; no addend if its start is NULL. grad_x may be any operand.
void mtl_rms_norm_backward(mtl_isa isa, mtl_matrix x, const float *weight, float epsilon,
                           mtl_matrix gradient, mtl_matrix addend, mtl_matrix grad_x, size_t rows,
                           size_t columns);
// inverse = 1 / sqrt(mean(x * x) + epsilon), one value per row.
void mtl_rms_inverse(mtl_isa isa, mtl_matrix x, float epsilon, float *inverse, size_t rows, size_t columns);
// grad_weight += sum over rows of gradient * x * inverse, for the columns given.
void mtl_rms_norm_weight(mtl_isa isa, mtl_matrix x, const float *inverse, mtl_matrix gradient,
                         float *grad_weight, size_t rows, size_t columns);

// sums += sum over rows of x.
void mtl_column_sums(mtl_isa isa, mtl_matrix x, float *sums, size_t rows, size_t columns);
// y = y + factor * x.
void mtl_add_scaled(mtl_isa isa, mtl_matrix x, float factor, mtl_matrix y, size_t rows, size_t columns);
// x = x * factor.
void mtl_scale(mtl_isa isa, mtl_matrix x, float factor, size_t rows, size_t columns);
// The sum of the squares, added in double precision block by block.
double mtl_sum_of_squares(mtl_isa isa, const float *x, size_t count);

typedef struct {
    double log_probability;  // of the target
    int32_t best;            // the first index of the largest logit
} mtl_row_score;

// Scores one row of logits. If `gradient_weight` is not zero, the row is replaced by the gradient of
// -gradient_weight * log_probability.
mtl_row_score mtl_cross_entropy(mtl_isa isa, float *logits, size_t count, int32_t target,
                                float gradient_weight);

// One step of AdamW on `count` elements.
typedef struct {
    float gradient_scale, decay, beta1, beta2, step_size, root_correction, epsilon;
} mtl_adamw;

// parameter = parameter * decay - step_size * m / (sqrt(v) / root_correction + epsilon)
void mtl_adamw_step(mtl_isa isa, const mtl_adamw *step, float *parameter, const float *gradient, float *m,
                    float *v, size_t count);

// The functions of one variable that the kernels use; vector_math.h tells how exact they are.
typedef enum {
    MTL_EXP,      // exp(x)
    MTL_EXP2,     // 2 to the power of x, for x <= 0
    MTL_SOFTPLUS, // log(1 + exp(x))
    MTL_SIGMOID,  // 1 / (1 + exp(-x))
    MTL_SILU,     // x / (1 + exp(-x))
} mtl_function;

// result = function(x); result may be x.
void mtl_apply(mtl_isa isa, mtl_function function, const float *x, float *result, size_t count);
