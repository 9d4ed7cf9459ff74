// The forward pass of the scan; see variants.h and scan_block_body.h.

// Runs the tree from the leaves to the root, adds its part to y and the root's state to `state`.
ALWAYS_INLINE void VARIANT(tree_forward)(const block *k, v16 *state, v16 *slots, bool reads, size_t N) {
    const mtl_scan *x = k->x;
    for (size_t i = 0; i < x->tree_length; i++) {
        const mtl_scan_step s = x->steps[i];
        size_t t = (size_t)s.vertex;
        const float *B = at(k->B, t), *C = at(k->C, t);
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
}

// Runs a tile of a block: the tree's tokens and those after it.
ALWAYS_INLINE void VARIANT(tile_forward)(block *k, size_t tree, size_t count, v16 *state, v16 *slots,
                                         bool reads, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    if (tree > 0) {
        VARIANT(chain)(k, 0, tree, x->chain_gain, state, k->tree_decays, NULL, reads, false, N, fixed);
        VARIANT(tree_forward)(k, state, slots, reads, N);
    }
    VARIANT(chain)(k, tree, count, x->chain_gain + x->tree_gain, state, NULL, NULL, reads, false, N, fixed);
}

// Packs a tile of a group of channels.
ALWAYS_INLINE void VARIANT(pack)(mtl_matrix u, mtl_matrix step, size_t count, size_t channels, block *blocks) {
    for (size_t t = 0; t < count; t++) {
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            // Rows lie on different pages, where the processor does not look ahead by itself.
            __builtin_prefetch(at(u, t + ROWS_AHEAD) + c);
            __builtin_prefetch(at(step, t + ROWS_AHEAD) + c);
            blocks[b].u[t] = load(at(u, t) + c, channels - c);
            blocks[b].delta[t] = vector_softplus(load(at(step, t) + c, channels - c));
        }
    }
}

// Writes the result of a tile of a group of channels.
ALWAYS_INLINE void VARIANT(unpack)(mtl_matrix z, mtl_matrix result, size_t count, size_t channels,
                                   const block *blocks) {
    for (size_t t = 0; t < count; t++) {
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            v16 y = blocks[b].y[t];
            __builtin_prefetch(at(result, t + ROWS_AHEAD) + c, 1);
            if (z.start) {
                __builtin_prefetch(at(z, t + ROWS_AHEAD) + c);
                v16 gate = load(at(z, t) + c, channels - c);
                y *= gate * vector_sigmoid(gate);
            }
            store(at(result, t) + c, y, channels - c);
        }
    }
}

ALWAYS_INLINE void VARIANT(forward)(const mtl_scan *x, size_t channel, size_t channels, mtl_matrix result,
                                    mtl_matrix final_state, v16 *scratch, size_t N, bool fixed) {
    const size_t L = x->length, P = x->tree_length, T = tile_length(x), R = apart(T);
    v16 *states = scratch + 3 * BLOCKS * R, *memory = states + 2 * BLOCKS * N, *zeros = memory + N;
    v16 *slots = zeros + N, *decays = P <= MTL_SCAN_CHUNK ? slots + x->slots * N : NULL;
    block blocks[BLOCKS];
    memset(zeros, 0, N * sizeof(v16));
    for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
        v16 *columns = scratch + 3 * b * R;
        blocks[b] = (block){
            .x = x, .place = b, .u = columns, .delta = columns + R, .y = columns + 2 * R,
            .A2 = states + (BLOCKS + b) * N, .memory = memory, .zeros = zeros, .tree_decays = decays,
        };
        VARIANT(load_exponents)(&blocks[b], channel + c, channels - c, N);
        VARIANT(load_state)(x->initial_state, channel + c, channels - c, N, states + b * N);
    }
    for (size_t from = 0, count; from < L; from += count) {
        count = from == 0 ? T : L - from < MTL_SCAN_CHUNK ? L - from : MTL_SCAN_CHUNK;
        size_t next = from + count, tree = from == 0 ? P : 0;
        mtl_matrix operands[] = {x->u, x->step, x->z};
        VARIANT(pack)(part(x->u, from, channel), part(x->step, from, channel), count, channels, blocks);
        for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
            block *k = &blocks[b];
            k->count = count;
            k->B = part(x->B, from, 0);
            k->C = part(x->C, from, 0);
            for (int i = 0; i < 3; i++) {
                k->ahead[i] = next < L ? part(operands[i], next, channel) : (mtl_matrix){NULL, 0};
            }
            block copy = *k;
            if (result.start) {
                VARIANT(tile_forward)(&copy, tree, count, states + b * N, slots, true, N, fixed);
            } else {
                VARIANT(tile_forward)(&copy, tree, count, states + b * N, slots, false, N, fixed);
            }
        }
        if (result.start) {
            VARIANT(unpack)(part(x->z, from, channel), part(result, from, channel), count, channels, blocks);
        }
    }
    for (size_t c = 0, b = 0; c < channels; c += LANES, b++) {
        VARIANT(store_state)(states + b * N, final_state, channel + c, channels - c, N);
    }
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
