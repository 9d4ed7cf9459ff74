// The bodies of mtl_elementwise.h; see variants.h.

static float VARIANT(inverse_rms)(const float *x, float epsilon, size_t columns) {
    v16 sum = splat(0.0f);
    for (size_t c = 0; c < columns; c += LANES) {
        v16 value = load(x + c, columns - c);
        sum += value * value;
    }
    return 1.0f / sqrtf(sum_lanes(sum) / (float)columns + epsilon);
}

static void VARIANT(rms_norm)(mtl_matrix x, const float *weight, float epsilon, mtl_matrix y, size_t rows,
                              size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        const float *xr = x.start + (ptrdiff_t)r * x.row;
        float *yr = y.start + (ptrdiff_t)r * y.row;
        v16 inverse = splat(VARIANT(inverse_rms)(xr, epsilon, columns));
        for (size_t c = 0; c < columns; c += LANES) {
            v16 value = load(xr + c, columns - c) * inverse;
            store(yr + c, load(weight + c, columns - c) * value, columns - c);
        }
    }
}

static void VARIANT(rms_inverse)(mtl_matrix x, float epsilon, float *inverse, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        inverse[r] = VARIANT(inverse_rms)(x.start + (ptrdiff_t)r * x.row, epsilon, columns);
    }
}

static void VARIANT(rms_norm_backward)(mtl_matrix x, const float *weight, float epsilon, mtl_matrix g,
                                       mtl_matrix addend, mtl_matrix grad_x, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        const float *xr = x.start + (ptrdiff_t)r * x.row, *gr = g.start + (ptrdiff_t)r * g.row;
        const float *ar = addend.start ? addend.start + (ptrdiff_t)r * addend.row : NULL;
        float *gx = grad_x.start + (ptrdiff_t)r * grad_x.row;
        const float inverse = VARIANT(inverse_rms)(xr, epsilon, columns);
        v16 dot = splat(0.0f);
        for (size_t c = 0; c < columns; c += LANES) {
            dot += load(weight + c, columns - c) * load(gr + c, columns - c) * load(xr + c, columns - c);
        }
        float cubed = inverse * inverse * inverse;
        v16 along = splat(sum_lanes(dot) / (float)columns * cubed), scale = splat(inverse);
        for (size_t c = 0; c < columns; c += LANES) {
            v16 gradient = scale * load(weight + c, columns - c) * load(gr + c, columns - c)
                - along * load(xr + c, columns - c);
            store(gx + c, ar ? load(ar + c, columns - c) + gradient : gradient, columns - c);
        }
    }
}

static void VARIANT(rms_norm_weight)(mtl_matrix x, const float *inverse, mtl_matrix g, float *grad_weight,
                                     size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c += LANES) {
        v16 sum = load(grad_weight + c, columns - c);
        for (size_t r = 0; r < rows; r++) {
            v16 value = load(x.start + (ptrdiff_t)r * x.row + c, columns - c) * splat(inverse[r]);
            sum += load(g.start + (ptrdiff_t)r * g.row + c, columns - c) * value;
        }
        store(grad_weight + c, sum, columns - c);
    }
}

static void VARIANT(column_sums)(mtl_matrix x, float *sums, size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c += LANES) {
        v16 sum = load(sums + c, columns - c);
        for (size_t r = 0; r < rows; r++) {
            sum += load(x.start + (ptrdiff_t)r * x.row + c, columns - c);
        }
        store(sums + c, sum, columns - c);
    }
}

static void VARIANT(add_scaled)(mtl_matrix x, float factor, mtl_matrix y, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        const float *xr = x.start + (ptrdiff_t)r * x.row;
        float *yr = y.start + (ptrdiff_t)r * y.row;
        for (size_t c = 0; c < columns; c += LANES) {
            v16 sum = load(yr + c, columns - c) + splat(factor) * load(xr + c, columns - c);
            store(yr + c, sum, columns - c);
        }
    }
}

static void VARIANT(scale)(mtl_matrix x, float factor, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        float *row = x.start + (ptrdiff_t)r * x.row;
        for (size_t c = 0; c < columns; c += LANES) {
            store(row + c, load(row + c, columns - c) * splat(factor), columns - c);
        }
    }
}

static void VARIANT(sum_of_squares)(const float *x, size_t count, double *result) {
    enum { PART = 1024 };
    double total = 0;
    for (size_t from = 0; from < count; from += PART) {
        size_t end = from + PART < count ? from + PART : count;
        v16 sum = splat(0.0f);
        for (size_t c = from; c < end; c += LANES) {
            v16 value = load(x + c, end - c);
            sum += value * value;
        }
        total += (double)sum_lanes(sum);
    }
    *result = total;
}

static void VARIANT(cross_entropy)(float *logits, size_t count, int32_t target, float gradient_weight,
                                   mtl_row_score *score) {
    enum { PART = 1024 };
    v16 most = splat(logits[0]);
    size_t whole = count / LANES * LANES;
    for (size_t c = 0; c < whole; c += LANES) most = larger(load(logits + c, LANES), most);
    float best = max_lanes(most);
    for (size_t c = whole; c < count; c++) best = logits[c] > best ? logits[c] : best;
    size_t first = 0;
    while (first + 1 < count && logits[first] != best) first++;
    score->best = (int32_t)first;

    float at_target = logits[target];
    double total = 0;
    for (size_t from = 0; from < count; from += PART) {
        size_t end = from + PART < count ? from + PART : count;
        v16 sum = splat(0.0f);
        size_t c = from;
        for (; c + LANES <= end; c += LANES) {
            v16 part = vector_exp(load(logits + c, LANES) - splat(best));
            if (gradient_weight != 0) store(logits + c, part, LANES);
            sum += part;
        }
        total += (double)sum_lanes(sum);
        for (; c < end; c++) {
            float part = vector_exp(splat(logits[c] - best))[0];
            if (gradient_weight != 0) logits[c] = part;
            total += (double)part;
        }
    }
    score->log_probability = (double)(at_target - best) - log(total);
    if (gradient_weight == 0) return;
    v16 scale = splat((float)(gradient_weight / total));
    for (size_t c = 0; c < count; c += LANES) {
        store(logits + c, load(logits + c, count - c) * scale, count - c);
    }
    logits[target] -= gradient_weight;
}

static void VARIANT(adamw_step)(const mtl_adamw *s, float *parameter, const float *gradient, float *m,
                                float *v, size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        size_t n = count - c;
        v16 g = load(gradient + c, n) * splat(s->gradient_scale);
        v16 first = load(m + c, n), second = load(v + c, n);
        first = first + (g - first) * splat(1.0f - s->beta1);
        second = second * splat(s->beta2) + g * g * splat(1.0f - s->beta2);
        v16 root = __builtin_elementwise_sqrt(second) / splat(s->root_correction) + splat(s->epsilon);
        v16 value = load(parameter + c, n) * splat(s->decay);
        store(parameter + c, value - splat(s->step_size) * (first / root), n);
        store(m + c, first, n);
        store(v + c, second, n);
    }
}

static void VARIANT(apply)(mtl_function function, const float *x, float *result, size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        v16 value = load(x + c, count - c);
        switch (function) {
        case MTL_EXP: value = vector_exp(value); break;
        case MTL_EXP2: value = vector_exp2(value); break;
        case MTL_SOFTPLUS: value = vector_softplus(value); break;
        case MTL_SIGMOID: value = vector_sigmoid(value); break;
        case MTL_SILU: value *= vector_sigmoid(value); break;
        }
        store(result + c, value, count - c);
    }
}
