// The bodies of mtl_scan_cosines.h; see variants.h.

ALWAYS_INLINE float VARIANT(dot)(const float *a, const float *b, size_t count) {
    v16 sum[4] = {splat(0), splat(0), splat(0), splat(0)};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < 4; j++) {
            sum[j] += load(a + i + j * LANES, LANES) * load(b + i + j * LANES, LANES);
        }
    }
    for (; i < count; i += LANES) sum[0] += load(a + i, count - i) * load(b + i, count - i);
    return sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void VARIANT(form_input)(const mtl_state_inputs *x, size_t row) {
    const float *u = x->u.start + (ptrdiff_t)row * x->u.row;
    const float *step = x->step.start + (ptrdiff_t)row * x->step.row;
    const float *B = x->B.start + (ptrdiff_t)row * x->B.row;
    float *input = x->input + row * x->inner;
    for (size_t d = 0; d < x->inner; d += LANES) {
        size_t count = x->inner - d;
        store(input + d, load(u + d, count) * vector_softplus(load(step + d, count)), count);
    }
    x->reciprocals[2 * row] = reciprocal_root(VARIANT(dot)(input, input, x->inner));
    x->reciprocals[2 * row + 1] = reciprocal_root(VARIANT(dot)(B, B, x->state));
}

static void VARIANT(input_cosines)(const mtl_state_inputs *x, const int32_t *pairs, size_t count,
                                   float *cosines) {
    const float *reciprocals = x->reciprocals;
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t a = pairs[2 * i], b = pairs[2 * i + 1], inner = (ptrdiff_t)x->inner;
        float input = VARIANT(dot)(x->input + a * inner, x->input + b * inner, x->inner);
        float B = VARIANT(dot)(x->B.start + a * x->B.row, x->B.start + b * x->B.row, x->state);
        cosines[i] = (input * reciprocals[2 * a] * reciprocals[2 * b])
            * (B * reciprocals[2 * a + 1] * reciprocals[2 * b + 1]);
    }
}
