// The backward pass of the scan; see variants.h and scan_block_body.h.

// The tree's states by vertex, from step `i` as far as the chain over tokens [0, to) allows; adds their part to y
// and to C's gradient. Returns the next step.
ALWAYS_INLINE size_t VARIANT(tree_states)(const block *k, size_t i, v16 *tree, size_t N) {
    const mtl_scan *x = k->x;
    for (; i < x->tree_length && VARIANT(is_ready)(x->steps[i], k->to); i++) {
        const mtl_scan_step s = x->steps[i];
        size_t t = (size_t)s.vertex;
        const float *B = at(x->B, t), *C = at(x->C, t);
        v16 input = x->tree_gain * k->delta[t] * k->u[t], gradY = k->gradY[t], read = splat(0);
        v16 *h = tree + t * N, *above = k->memory;
        const v16 *below = s.source < 0 ? k->zeros : h, *decays = k->zeros, *sum = k->zeros;
        if (s.parent >= 0) {
            decays = VARIANT(decays_of)(k, (size_t)s.transition, N);
            above = tree + (size_t)s.parent * N;
            if (!s.opens) sum = above;
        }
        for (size_t first = 0; first < N; first += LANES) {
            v16 waiting[4], total = splat(0);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < LANES; i++) {
                size_t n = first + VARIANT(place)(i);
                v16 value = splat(0);
                if (n < N) {
                    value = input * B[n] + below[n];
                    h[n] = value;
                    read += value * C[n];
                    above[n] = sum[n] + decays[n] * value;
                }
                total = VARIANT(take)(value * gradY, i, waiting);
            }
            VARIANT(put)(total, k->gradC + 2 * t * N + first, N - first, true);
        }
        k->y[t] += read;
    }
    return i;
}

// Replaces the tree's states by the gradients by them, at steps [first, end) and towards the leaves, and adds
// what the decays on the edges contribute to the gradients of delta and A. `carried` is the part of the gradient
// by the root's state that comes from the tokens after the tree.
ALWAYS_INLINE void VARIANT(tree_backward)(const block *k, size_t first, size_t end, v16 *tree,
                                          const v16 *carried, v16 *gradA, size_t N) {
    const mtl_scan *x = k->x;
    for (size_t i = end; i-- > first;) {
        const mtl_scan_step s = x->steps[i];
        size_t t = (size_t)s.vertex;
        const float *C = at(x->C, t);
        v16 gradY = k->gradY[t], *h = tree + t * N;
        if (s.parent < 0) {
            for (size_t n = 0; n < N; n++) h[n] = carried[n] + gradY * C[n];
            continue;
        }
        const v16 *decays = VARIANT(decays_of)(k, (size_t)s.transition, N);
        const v16 *above = tree + (size_t)s.parent * N;
        v16 delta = k->delta[s.transition], slope = splat(0);
        for (size_t n = 0; gradA && n < N; n++) gradA[n] += decays[n] * above[n] * h[n] * delta;
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 passed = decays[n] * above[n];
            slope += passed * h[n] * k->A2[n];
            h[n] = passed + gradY * C[n];
        }
        k->gradDelta[s.transition] += LN2 * slope;
    }
}

// Finds the states before each of at most KEPT_EVERY tokens again, as `chain` did, from that before the first and
// the tokens' decays.
ALWAYS_INLINE void VARIANT(states_again)(const block *k, size_t from, size_t to, float gain, const v16 *decays,
                                         const v16 *kept, v16 *states, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *h = fixed ? registers : k->memory;
    memcpy(h, kept, N * sizeof(v16));
    for (size_t t = from; t < to; t++, states += N, decays += N) {
        const float *B = at(x->B, t);
        v16 input = gain * k->delta[t] * k->u[t];
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            states[n] = h[n];
            h[n] = decays[n] * h[n] + input * B[n];
        }
    }
}

// Stores the gradients of a token and, of a gate, the result.
ALWAYS_INLINE void VARIANT(finish)(const block *k, size_t t, v16 gradU, v16 gradDelta) {
    store(at(k->gradU, t), gradU, k->lanes);
    store(at(k->gradStep, t), gradDelta * k->slope[t], k->lanes);
    if (k->gradZ.start) store(at(k->gradZ, t), k->y[t] * k->by_z[t], k->lanes);
    if (k->gated.start) store(at(k->gated, t), k->y[t] * k->gates[t], k->lanes);
}

// Walks tokens [from, to) backwards, given what `chain` kept. `carried` is the part of the gradient by the
// state of token to - 1 that comes from later tokens, and becomes that of token from - 1. With `tree`, the
// gradients by the tree's states, those enter too. `states` is memory for KEPT_EVERY states.
ALWAYS_INLINE void VARIANT(chain_backward)(const block *k, size_t from, size_t to, float gain, v16 *carried,
                                           const v16 *decays, const v16 *kept, v16 *states, const v16 *tree,
                                           v16 *gradA, v16 *gradD, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *c = fixed ? registers : carried;
    if (fixed) memcpy(c, carried, N * sizeof(v16));
    for (size_t t = to; t-- > from;) {
        size_t place = (t - from) % KEPT_EVERY;
        if (t + 1 == to || place + 1 == KEPT_EVERY) {
            const v16 *before = kept + (t - from) / KEPT_EVERY * N, *first = decays + (t - place - from) * N;
            VARIANT(states_again)(k, t - place, t + 1, gain, first, before, states, N, fixed);
        }
        const float *B = at(x->B, t), *C = at(x->C, t);
        const v16 *h = states + place * N, *decay = decays + (t - from) * N;
        v16 u = k->u[t], delta = k->delta[t], gradY = k->gradY[t], input = delta * u;
        v16 inputs[2] = {splat(0), splat(0)}, slopes[2] = {splat(0), splat(0)};
        if (!tree) input *= gain;
        if (gradA) {
#pragma clang loop unroll(full)
            for (size_t n = 0; n < N; n++) {
                gradA[n] += (c[n] + gradY * C[n]) * decay[n] * h[n] * delta;
            }
        }
        for (size_t first = 0; first < N; first += LANES) {
            v16 waiting[4], total = splat(0);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < LANES; i++) {
                size_t n = first + VARIANT(place)(i);
                v16 gradX = splat(0);
                if (n < N) {
                    v16 gradH = c[n] + gradY * C[n];
                    gradX = tree ? gain * gradH + x->tree_gain * tree[t * N + n] : gradH;
                    inputs[i % 2] += gradX * B[n];
                    c[n] = gradH * decay[n];
                    slopes[i % 2] += c[n] * h[n] * k->A2[n];
                }
                total = VARIANT(take)(gradX * input, i, waiting);
            }
            VARIANT(put)(total, k->gradB + 2 * t * N + first, N - first, k->adds);
        }
        v16 gradInput = inputs[0] + inputs[1], slope = slopes[0] + slopes[1];
        if (!tree) gradInput *= gain;
        if (gradD) *gradD += gradY * u;
        v16 gradDelta = gradInput * u + LN2 * slope;
        if (tree) gradDelta += k->gradDelta[t];
        VARIANT(finish)(k, t, gradInput * delta + k->D * gradY, gradDelta);
    }
    if (fixed) memcpy(carried, c, N * sizeof(v16));
}

// The chain's decays and states are computed a chunk at a time. The tree follows as far as it can, so that it
// finds most of its decays there, on the way to the root and, the last chunk first, on the way back. The state
// before each chunk is marked on the first way.
ALWAYS_INLINE void VARIANT(tile_backward)(block *k, v16 *state, v16 *carried, v16 *gradA, v16 *gradD,
                                          v16 *memory, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    const size_t P = x->tree_length, L = x->length, chunk = chunk_length(x);
    const float gain = x->chain_gain, joined = x->chain_gain + x->tree_gain;
    v16 *decays = memory, *states = decays + chunk * N, *tree = states + KEPT_EVERY * N, *marks = tree + P * N;
    v16 *kept = marks + (P / chunk + 1) * N, *after = kept + kept_states(chunk) * N;
    size_t step = 0;
    k->decays = decays;
    for (size_t from = 0; from < P; from = k->to) {
        k->from = from;
        k->to = P - from < chunk ? P : from + chunk;
        memcpy(marks + from / chunk * N, state, N * sizeof(v16));
        VARIANT(chain)(k, from, k->to, gain, state, decays, kept, true, true, N, fixed);
        step = VARIANT(tree_states)(k, step, tree, N);
    }
    if (P < L) {
        v16 *decays_after = decays + P * N;
        const size_t root = P > 0 ? (size_t)x->steps[P - 1].vertex : 0;
        for (size_t n = 0; P > 0 && n < N; n++) state[n] += tree[root * N + n];
        VARIANT(chain)(k, P, L, joined, state, decays_after, after, true, true, N, fixed);
        VARIANT(chain_backward)(k, P, L, joined, carried, decays_after, after, states, NULL, gradA, gradD, N,
                                fixed);
    }
    if (P > 0) memset(k->gradDelta, 0, P * sizeof(v16));
    for (size_t to = P, from; to > 0; to = from) {
        k->from = from = (to - 1) / chunk * chunk;
        k->to = to;
        if (to < P) {
            memcpy(state, marks + from / chunk * N, N * sizeof(v16));
            VARIANT(chain)(k, from, to, gain, state, decays, kept, false, false, N, fixed);
        }
        const size_t first = (size_t)x->first_steps[from / MTL_SCAN_CHUNK];
        if (first < step) {
            VARIANT(tree_backward)(k, first, step, tree, carried, gradA, N);
            step = first;
        }
        VARIANT(chain_backward)(k, from, to, gain, carried, decays, kept, states, tree, gradA, gradD, N, fixed);
    }
}

// Packs the operands of a group of channels; the activations of the step and of the gate share one division.
ALWAYS_INLINE void VARIANT(pack_backward)(const mtl_scan *x, const mtl_scan_gradients *g, size_t channel,
                                          size_t channels, block *blocks) {
    const v16 one = splat(1.0f), zero = splat(0.0f);
    mtl_matrix us = part(x->u, 0, channel), steps = part(x->step, 0, channel), zs = part(x->z, 0, channel);
    mtl_matrix results = part(g->result, 0, channel), gated = part(g->gated, 0, channel);
    for (size_t t = 0; t < x->length; t++) {
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            block *k = &blocks[b];
            size_t lanes = channels - c;
            __builtin_prefetch(at(us, t + ROWS_AHEAD) + c);
            __builtin_prefetch(at(steps, t + ROWS_AHEAD) + c);
            __builtin_prefetch(at(results, t + ROWS_AHEAD) + c);
            if (zs.start) __builtin_prefetch(at(zs, t + ROWS_AHEAD) + c);
            if (gated.start) __builtin_prefetch(at(gated, t) + c, 1, 2);
            v16 step = load(at(steps, t) + c, lanes), gradient = load(at(results, t) + c, lanes);
            v16 z = zs.start ? load(at(zs, t) + c, lanes) : zero;
            v16 p = vector_exp(-__builtin_elementwise_abs(step)), q = vector_exp(-__builtin_elementwise_abs(z));
            v16 reciprocal = one / ((one + p) * (one + q));
            v16 sigmoid = choose(z < zero, q, one) * ((one + p) * reciprocal);
            k->u[t] = load(at(us, t) + c, lanes);
            k->delta[t] = larger(zero, step) + vector_log1p(p);
            k->slope[t] = choose(step < zero, p, one) * ((one + q) * reciprocal);
            k->gates[t] = z * sigmoid;
            k->by_z[t] = gradient * sigmoid * (one + z * (one - sigmoid));
            k->gradY[t] = zs.start ? gradient * (z * sigmoid) : gradient;
        }
    }
}

ALWAYS_INLINE void VARIANT(backward)(const mtl_scan *x, size_t channel, size_t channels,
                                     const mtl_scan_gradients *g, v16 *scratch, size_t N, bool fixed) {
    enum { COLUMNS = 8 };
    const size_t L = x->length, R = apart(L);
    v16 *state = scratch + COLUMNS * ((channels + LANES - 1) / LANES) * R, *carried = state + N;
    v16 *gradA = carried + N, *zeros = gradA + 3 * N;
    block blocks[BLOCKS];
    memset(zeros, 0, N * sizeof(v16));
    for (size_t b = 0; b * LANES < channels; b++) {
        v16 *columns = scratch + COLUMNS * b * R;
        blocks[b] = (block){
            .x = x, .u = columns, .delta = columns + R, .y = columns + 2 * R,
            .gradY = columns + 3 * R, .gradDelta = columns + 4 * R, .slope = columns + 5 * R,
            .by_z = columns + 6 * R, .gates = columns + 7 * R, .A2 = gradA + N, .memory = gradA + 2 * N,
            .zeros = zeros, .gradB = g->BC, .gradC = g->BC + N, .adds = g->adds || b > 0,
        };
    }
    VARIANT(pack_backward)(x, g, channel, channels, blocks);
    for (size_t c = channel, b = 0; c < channel + channels; c += LANES, b++) {
        block k = blocks[b];
        size_t lanes = channel + channels - c;
        k.gradU = part(g->u, 0, c);
        k.gradStep = part(g->step, 0, c);
        k.gradZ = part(g->z, 0, c);
        k.gated = part(g->gated, 0, c);
        k.lanes = lanes;
        v16 gradD = splat(0);
        float *D = g->D ? g->D + c : NULL;
        VARIANT(load_exponents)(&k, c, lanes, N);
        VARIANT(load_state)(x->initial_state, c, lanes, N, state);
        VARIANT(load_state)(g->state, c, lanes, N, carried);
        if (g->A.start) VARIANT(load_state)(g->A, c, lanes, N, gradA);
        VARIANT(tile_backward)(&k, state, carried, g->A.start ? gradA : NULL, D ? &gradD : NULL, zeros + N, N,
                               fixed);
        if (D) store(D, load(D, lanes) + gradD, lanes);
        VARIANT(store_state)(gradA, g->A, c, lanes, N);
        VARIANT(store_state)(carried, g->state, c, lanes, N);
    }
}

static void VARIANT(backward_any)(const mtl_scan *x, size_t channel, size_t channels,
                                  const mtl_scan_gradients *g, float *scratch) {
    v16 *memory = (v16 *)scratch;
    switch (x->state) {
    case 16: VARIANT(backward)(x, channel, channels, g, memory, 16, true); break;
    case 8: VARIANT(backward)(x, channel, channels, g, memory, 8, true); break;
    default: VARIANT(backward)(x, channel, channels, g, memory, x->state, false); break;
    }
}
