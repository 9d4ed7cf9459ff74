// The forward pass of the scan; see variants.h and scan_block_body.h.

// Runs the tree towards the root, from step `i` as far as the chain over tokens [0, to) allows; adds its part to
// y and the root's state to `state`. Returns the next step.
ALWAYS_INLINE size_t VARIANT(tree_forward)(const block *k, size_t i, v16 *state, v16 *slots, bool reads,
                                           size_t N) {
    const mtl_scan *x = k->x;
    for (; i < x->tree_length && VARIANT(is_ready)(x->steps[i], k->to); i++) {
        const mtl_scan_step s = x->steps[i];
        size_t t = (size_t)s.vertex;
        const float *B = at(x->B, t), *C = at(x->C, t);
        v16 input = x->tree_gain * k->delta[t] * k->u[t], read = splat(0);
        const v16 *below = s.source < 0 ? k->zeros : slots + (size_t)s.source * N;
        v16 *above = s.target < 0 ? state : slots + (size_t)s.target * N;
        const v16 *sum = s.opens ? k->zeros : above, *decays = k->zeros;
        if (s.target >= 0) decays = VARIANT(decays_of)(k, (size_t)s.transition, N);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 h = input * B[n] + below[n];
            read += h * C[n];
            above[n] = sum[n] + (s.target < 0 ? h : decays[n] * h);
        }
        if (reads) k->y[t] += read;
    }
    return i;
}

// Packs the operands of a group of channels.
ALWAYS_INLINE void VARIANT(pack)(const mtl_scan *x, size_t channel, size_t channels, block *blocks) {
    mtl_matrix u = part(x->u, 0, channel), step = part(x->step, 0, channel);
    for (size_t t = 0; t < x->length; t++) {
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            // Rows lie on different pages, where the processor does not look ahead by itself.
            __builtin_prefetch(at(u, t + ROWS_AHEAD) + c);
            __builtin_prefetch(at(step, t + ROWS_AHEAD) + c);
            blocks[b].u[t] = load(at(u, t) + c, channels - c);
            blocks[b].delta[t] = vector_softplus(load(at(step, t) + c, channels - c));
        }
    }
}

// Writes the result of a group of channels.
ALWAYS_INLINE void VARIANT(unpack)(const mtl_scan *x, mtl_matrix result, size_t channel, size_t channels,
                                   const block *blocks) {
    mtl_matrix z = part(x->z, 0, channel), to = part(result, 0, channel);
    for (size_t t = 0; t < x->length; t++) {
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            v16 y = blocks[b].y[t];
            __builtin_prefetch(at(to, t + ROWS_AHEAD) + c, 1);
            if (z.start) {
                __builtin_prefetch(at(z, t + ROWS_AHEAD) + c);
                v16 gate = load(at(z, t) + c, channels - c);
                y *= gate * vector_sigmoid(gate);
            }
            store(at(to, t) + c, y, channels - c);
        }
    }
}

// Runs a block: the tree's tokens, a chunk at a time, and those after it.
ALWAYS_INLINE void VARIANT(block_forward)(block *k, v16 *state, v16 *slots, v16 *decays, bool reads, size_t N,
                                          bool fixed) {
    const mtl_scan *x = k->x;
    const size_t P = x->tree_length;
    k->decays = decays;
    for (size_t step = 0, from = 0; from < P; from = k->to) {
        k->from = from;
        k->to = P - from < MTL_SCAN_CHUNK ? P : from + MTL_SCAN_CHUNK;
        VARIANT(chain)(k, from, k->to, x->chain_gain, state, decays, NULL, reads, false, N, fixed);
        step = VARIANT(tree_forward)(k, step, state, slots, reads, N);
    }
    VARIANT(chain)(k, P, x->length, x->chain_gain + x->tree_gain, state, NULL, NULL, reads, false, N, fixed);
}

ALWAYS_INLINE void VARIANT(forward)(const mtl_scan *x, size_t channel, size_t channels, mtl_matrix result,
                                    mtl_matrix final_state, v16 *scratch, size_t N, bool fixed) {
    const size_t R = apart(x->length);
    v16 *state = scratch + 3 * BLOCKS * R, *A2 = state + N, *memory = A2 + N, *zeros = memory + N;
    v16 *slots = zeros + N, *decays = slots + x->slots * N;
    block blocks[BLOCKS];
    for (size_t b = 0; b * LANES < channels; b++) {
        v16 *columns = scratch + 3 * b * R;
        blocks[b] = (block){
            .x = x, .u = columns, .delta = columns + R, .y = columns + 2 * R, .A2 = A2, .memory = memory,
            .zeros = zeros,
        };
    }
    memset(zeros, 0, N * sizeof(v16));
    VARIANT(pack)(x, channel, channels, blocks);
    for (size_t c = channel, b = 0; c < channel + channels; c += LANES, b++) {
        block k = blocks[b];
        size_t lanes = channel + channels - c;
        VARIANT(load_exponents)(&k, c, lanes, N);
        VARIANT(load_state)(x->initial_state, c, lanes, N, state);
        if (result.start) {
            VARIANT(block_forward)(&k, state, slots, decays, true, N, fixed);
        } else {
            VARIANT(block_forward)(&k, state, slots, decays, false, N, fixed);
        }
        VARIANT(store_state)(state, final_state, c, lanes, N);
    }
    if (result.start) VARIANT(unpack)(x, result, channel, channels, blocks);
}

static void VARIANT(forward_any)(const mtl_scan *x, size_t channel, size_t channels, mtl_matrix result,
                                 mtl_matrix final_state, float *scratch) {
    v16 *memory = (v16 *)scratch;
    switch (x->state) {
    case 16: VARIANT(forward)(x, channel, channels, result, final_state, memory, 16, true); break;
    case 8: VARIANT(forward)(x, channel, channels, result, final_state, memory, 8, true); break;
    default: VARIANT(forward)(x, channel, channels, result, final_state, memory, x->state, false); break;
    }
}
