// The bodies of mtl_scan.h; see variants.h.
//
// The gains are applied where a token enters (gain * X), so chain, tree and joined state all read out
// with weight 1 and the joined state is the plain sum of the other two.
#ifndef MTL_SCAN_BLOCK_TYPE
#define MTL_SCAN_BLOCK_TYPE

// A block of channels of a sequence, its rows packed: [length][LANES].
typedef struct {
    const mtl_scan *x;
    const v16 *u, *delta;
    v16 *A2;       // [state]: A * log2(e), so that decays are powers of two
    v16 *bounded;  // [state]: working memory of `exponents`
    v16 limit;     // the largest step whose exponents are all in range
    v16 D;
    const v16 *gradY;         // of the backward pass
    v16 *gradU, *gradDelta;
} block;

#define LN2 0.693147181f

// Asked for by name where the compiler would share the product of two sums instead of fusing both; on the
// baseline it would be a call for each lane.
#define MULTIPLY_ADD_portable(a, b, c) ((a) * (b) + (c))
#define MULTIPLY_ADD_avx2(a, b, c) __builtin_elementwise_fma(a, b, c)
#define MULTIPLY_ADD_avx512(a, b, c) __builtin_elementwise_fma(a, b, c)

#endif

// ---------------------------------------------------------------- decays

// 2 to the power of a * b, for products in [-127, 128]: 0 at -127, infinity at 128, NaN for NaN.
//
// Adding 1.5 * 2^23 + 127 rounds the product to a whole number r and leaves r + 127, the exponent's
// bits, in the low bits. The polynomial of the rest f in [-0.5, 0.5] is 1 + f * (...), exact at f = 0, with a
// relative error of 2e-9 before rounding. Where there is fused multiply-add the product is not rounded.
ALWAYS_INLINE v16 VARIANT(exp2_product)(v16 a, v16 b) {
    const v16 rounding = splat(12582912.0f + 127.0f);
    v16 rounded = VARIANT(MULTIPLY_ADD)(a, b, rounding);
    v16 f = VARIANT(MULTIPLY_ADD)(a, b, rounding - rounded);
    v16 p = f * splat(1.5353362e-4f) + splat(1.3398875e-3f);
    p = p * f + splat(9.618437e-3f);
    p = p * f + splat(5.5503324e-2f);
    p = p * f + splat(2.4022648e-1f);
    p = p * f + splat(6.931472e-1f);
    p = p * f + splat(1.0f);
    return p * (v16)((i16)rounded << 23);
}

// Prepares a block whose first channel is `channel`; `memory` holds two vectors of [state].
ALWAYS_INLINE block VARIANT(open)(const mtl_scan *x, size_t channel, size_t lanes, size_t N,
                                  const v16 *u, const v16 *delta, v16 *memory) {
    gather(x->A + (ptrdiff_t)channel * x->A_row, x->A_row, lanes, N, (float *)memory);
    v16 largest = splat(0);
    for (size_t n = 0; n < N; n++) {
        memory[n] *= splat(1.44269504f);
        largest = larger(largest, __builtin_elementwise_abs(memory[n]));
    }
    return (block){
        .x = x, .u = u, .delta = delta, .A2 = memory, .bounded = memory + N,
        .limit = splat(126) / largest, .D = load(x->D + channel, lanes),
    };
}

// Splits the exponents of a token's decays into a step and a table to be multiplied: delta and A2, or, if
// a product is out of range, 1 and the products brought into it, so that decays become 0 or infinity.
ALWAYS_INLINE v16 VARIANT(exponents)(const block *k, v16 delta, size_t N, const v16 **table) {
    i16 tame = __builtin_elementwise_abs(delta) <= k->limit;
    if (__builtin_expect(__builtin_reduce_and(tame) != 0, 1)) {
        *table = k->A2;
        return delta;
    }
    for (size_t n = 0; n < N; n++) {
        // The order of the operands lets NaN pass.
        k->bounded[n] = smaller(splat(128.0f), larger(splat(-127.0f), delta * k->A2[n]));
    }
    *table = k->bounded;
    return splat(1.0f);
}

// ---------------------------------------------------------------- sums over channels

// One step of the sum below: lane j gets a[j] + a[j ^ s] if bit s of j is 0, else the same of b.
#define FOLD(a, b, keep, cross) \
    (__builtin_shufflevector(a, b, keep) + __builtin_shufflevector(a, b, cross))
#define KEEP8 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31
#define CROSS8 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23
#define KEEP4 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31
#define CROSS4 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27
#define KEEP2 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31
#define CROSS2 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29
#define KEEP1 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31
#define CROSS1 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30

// Sums each of 16 vectors over its lanes: lane n of the result is the sum of x[n].
ALWAYS_INLINE v16 VARIANT(sums)(v16 *x) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) x[i] = FOLD(x[i], x[i + 8], KEEP8, CROSS8);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) x[i] = FOLD(x[i], x[i + 4], KEEP4, CROSS4);
#pragma clang loop unroll(full)
    for (int i = 0; i < 2; i++) x[i] = FOLD(x[i], x[i + 2], KEEP2, CROSS2);
    return FOLD(x[0], x[1], KEEP1, CROSS1);
}

// Adds the sums over lanes of (left[n] + more[n]) * right to target[n]; `more` may be NULL.
ALWAYS_INLINE void VARIANT(add_sums)(const v16 *left, const v16 *more, v16 right, size_t N,
                                     float *target) {
    for (size_t n = 0; n < N; n += LANES) {
        size_t width = N - n < LANES ? N - n : LANES;
        v16 x[LANES];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < LANES; i++) x[i] = i < width ? left[n + i] * right : splat(0);
        if (more) {
#pragma clang loop unroll(full)
            for (size_t i = 0; i < LANES; i++) {
                if (i < width) x[i] += more[n + i] * right;
            }
        }
        store(target + n, load(target + n, width) + VARIANT(sums)(x), width);
    }
}

// The state before the first token.
ALWAYS_INLINE void VARIANT(start)(const mtl_scan *x, size_t channel, size_t lanes, size_t N, v16 *state) {
    if (x->initial_state) {
        gather(x->initial_state + (ptrdiff_t)channel * x->initial_row, x->initial_row, lanes, N,
               (float *)state);
    } else {
        memset(state, 0, N * sizeof(v16));
    }
}

// Copies columns [0, channels) of `length` rows to blocks of channels, [block][length][LANES].
//
// A column of a wide matrix falls on few sets of the cache; packed, a block's rows are read in one run.
ALWAYS_INLINE void VARIANT(pack)(const float *rows, ptrdiff_t row, size_t length, size_t channels,
                                 v16 *packed) {
    for (size_t t = 0; t < length; t++, rows += row, packed++) {
        size_t c = 0;
        for (; c + LANES <= channels; c += LANES) {
            // The next rows lie on other pages, where the processor does not look ahead.
            __builtin_prefetch(rows + 8 * row + c);
            packed[c / LANES * length] = load(rows + c, LANES);
        }
        if (c < channels) packed[c / LANES * length] = load(rows + c, channels - c);
    }
}

ALWAYS_INLINE void VARIANT(unpack)(const v16 *packed, size_t length, size_t channels, float *rows,
                                   ptrdiff_t row) {
    for (size_t t = 0; t < length; t++, rows += row, packed++) {
        size_t c = 0;
        for (; c + LANES <= channels; c += LANES) {
            __builtin_prefetch(rows + 8 * row + c, 1);
            store(rows + c, packed[c / LANES * length], LANES);
        }
        if (c < channels) store(rows + c, packed[c / LANES * length], channels - c);
    }
}

// ---------------------------------------------------------------- forward

// Runs the chain over tokens [from, to) and writes their y.
ALWAYS_INLINE void VARIANT(chain_forward)(const block *k, size_t from, size_t to, float gain, v16 *state,
                                          v16 *y, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *h = fixed ? registers : state;
    if (fixed) memcpy(h, state, N * sizeof(v16));
    for (size_t t = from; t < to; t++) {
        const float *B = x->B + (ptrdiff_t)t * x->B_row, *C = x->C + (ptrdiff_t)t * x->C_row;
        v16 u = k->u[t], delta = k->delta[t], input = gain * delta * u, read = k->D * u;
        const v16 *table;
        v16 step = VARIANT(exponents)(k, delta, N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            h[n] = VARIANT(exp2_product)(step, table[n]) * h[n] + input * B[n];
            read += h[n] * C[n];
        }
        y[t] = read;
    }
    if (fixed) memcpy(state, h, N * sizeof(v16));
}

// Runs the tree from the leaves to the root, adds its part to y and the root's state to `state`.
ALWAYS_INLINE void VARIANT(tree_forward)(const block *k, v16 *state, v16 *slots, v16 *y, size_t N) {
    const mtl_scan *x = k->x;
    for (size_t i = 0; i < x->tree_length; i++) {
        const mtl_scan_step *s = &x->steps[i];
        ptrdiff_t t = s->vertex;
        const float *B = x->B + t * x->B_row, *C = x->C + t * x->C_row;
        v16 input = x->tree_gain * k->delta[t] * k->u[t], read = splat(0), step = splat(0);
        const v16 *table = k->A2, *source = s->source < 0 ? NULL : slots + (size_t)s->source * N;
        v16 *target = s->target < 0 ? NULL : slots + (size_t)s->target * N;
        if (target) step = VARIANT(exponents)(k, k->delta[s->transition], N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 h = input * B[n];
            if (source) h += source[n];
            read += h * C[n];
            if (target) {
                v16 passed = VARIANT(exp2_product)(step, table[n]) * h;
                target[n] = s->opens ? passed : target[n] + passed;
            } else {
                state[n] += h;
            }
        }
        y[t] += read;
    }
}

ALWAYS_INLINE void VARIANT(forward)(const mtl_scan *x, size_t channel, size_t channels, mtl_matrix y,
                                    mtl_matrix final_state, v16 *scratch, size_t N, bool fixed) {
    const size_t L = x->length, P = x->tree_length, size = L * blocks(channels);
    v16 *u = scratch, *delta = u + size, *result = delta + size, *memory = result + size;
    v16 *state = memory + 2 * N, *slots = state + N;
    VARIANT(pack)(x->u + channel, x->u_row, L, channels, u);
    VARIANT(pack)(x->delta + channel, x->delta_row, L, channels, delta);
    for (size_t c = 0; c < channels; c += LANES) {
        size_t lanes = channels - c < LANES ? channels - c : LANES, at = c / LANES * L;
        block k = VARIANT(open)(x, channel + c, lanes, N, u + at, delta + at, memory);
        VARIANT(start)(x, channel + c, lanes, N, state);
#pragma clang loop unroll(disable)
        for (int part = 0; part < 2; part++) {
            VARIANT(chain_forward)(&k, part == 0 ? 0 : P, part == 0 ? P : L,
                                   part == 0 ? x->chain_gain : x->chain_gain + x->tree_gain, state,
                                   result + at, N, fixed);
            if (part == 0) VARIANT(tree_forward)(&k, state, slots, result + at, N);
        }
        if (final_state.start) {
            scatter((float *)state, lanes, N,
                    final_state.start + (ptrdiff_t)(channel + c) * final_state.row, final_state.row);
        }
    }
    VARIANT(unpack)(result, L, channels, y.start + channel, y.row);
}

static void VARIANT(forward_any)(const mtl_scan *x, size_t channel, size_t channels, mtl_matrix y,
                                 mtl_matrix final_state, float *scratch) {
    v16 *memory = (v16 *)scratch;
    switch (x->state) {
    case 16: VARIANT(forward)(x, channel, channels, y, final_state, memory, 16, true); break;
    case 8: VARIANT(forward)(x, channel, channels, y, final_state, memory, 8, true); break;
    default: VARIANT(forward)(x, channel, channels, y, final_state, memory, x->state, false); break;
    }
}

// ---------------------------------------------------------------- backward: the states again

// Runs the chain over tokens [from, to) from `state`, keeping the state before each chunk of tokens. With
// `tree`, the states of the tree by vertex, also adds C's gradient, which needs both states.
ALWAYS_INLINE void VARIANT(chain_marks)(const block *k, const mtl_scan_gradients *g, size_t from,
                                        size_t to, float gain, v16 *state, v16 *marks, const v16 *tree,
                                        size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *h = fixed ? registers : state;
    if (fixed) memcpy(h, state, N * sizeof(v16));
    for (size_t t = from; t < to; t++) {
        if ((t - from) % MTL_SCAN_CHUNK == 0) {
            memcpy(marks + (t - from) / MTL_SCAN_CHUNK * N, h, N * sizeof(v16));
        }
        const float *B = x->B + (ptrdiff_t)t * x->B_row;
        v16 delta = k->delta[t], input = gain * delta * k->u[t];
        const v16 *table;
        v16 step = VARIANT(exponents)(k, delta, N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            h[n] = VARIANT(exp2_product)(step, table[n]) * h[n] + input * B[n];
        }
        if (tree) {
            VARIANT(add_sums)(h, tree + t * N, k->gradY[t], N, g->BC + (2 * t + 1) * N);
        }
    }
    if (fixed) memcpy(state, h, N * sizeof(v16));
}

// Runs the chain over a chunk of tokens from `state`, keeping each token's decay and the state before it.
// Adds C's gradient, unless the tokens are the tree's.
ALWAYS_INLINE void VARIANT(chunk_states)(const block *k, const mtl_scan_gradients *g, size_t from,
                                         size_t to, float gain, v16 *state, v16 *before, v16 *decays,
                                         bool isTree, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *h = fixed ? registers : state;
    if (fixed) memcpy(h, state, N * sizeof(v16));
    for (size_t t = from; t < to; t++, before += N, decays += N) {
        const float *B = x->B + (ptrdiff_t)t * x->B_row;
        v16 delta = k->delta[t], input = gain * delta * k->u[t];
        const v16 *table;
        v16 step = VARIANT(exponents)(k, delta, N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 decay = VARIANT(exp2_product)(step, table[n]);
            decays[n] = decay;
            before[n] = h[n];
            h[n] = decay * h[n] + input * B[n];
        }
        if (!isTree) {
            VARIANT(add_sums)(h, NULL, k->gradY[t], N, g->BC + (2 * t + 1) * N);
        }
    }
}

// The tree's states by vertex.
ALWAYS_INLINE void VARIANT(tree_states)(const block *k, v16 *tree, size_t N) {
    const mtl_scan *x = k->x;
    for (size_t i = 0; i < x->tree_length; i++) {
        const mtl_scan_step *s = &x->steps[i];
        ptrdiff_t t = s->vertex;
        const float *B = x->B + t * x->B_row;
        v16 input = x->tree_gain * k->delta[t] * k->u[t];
        v16 *h = tree + (size_t)t * N;
        for (size_t n = 0; n < N; n++) h[n] = input * B[n] + (s->source < 0 ? splat(0) : h[n]);
        if (s->parent < 0) continue;
        v16 *above = tree + (size_t)s->parent * N;
        const v16 *table;
        v16 step = VARIANT(exponents)(k, k->delta[s->transition], N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 passed = VARIANT(exp2_product)(step, table[n]) * h[n];
            above[n] = s->opens ? passed : above[n] + passed;
        }
    }
}

// ---------------------------------------------------------------- backward: the gradients

// Replaces the tree's states by the gradients by them, from the root to the leaves, and adds what the
// decays on the edges contribute to the gradients of delta and A. `carried` is the part of the gradient
// by the root's state that comes from the tokens after the tree.
ALWAYS_INLINE void VARIANT(tree_backward)(const block *k, v16 *tree, const v16 *carried, v16 *gradA,
                                          size_t N) {
    const mtl_scan *x = k->x;
    for (size_t i = x->tree_length; i-- > 0;) {
        const mtl_scan_step *s = &x->steps[i];
        ptrdiff_t t = s->vertex;
        const float *C = x->C + t * x->C_row;
        v16 gradY = k->gradY[t];
        v16 *h = tree + (size_t)t * N;
        if (s->parent < 0) {
            for (size_t n = 0; n < N; n++) h[n] = carried[n] + gradY * C[n];
            continue;
        }
        const v16 *table, *above = tree + (size_t)s->parent * N;
        v16 delta = k->delta[s->transition], slope = splat(0);
        v16 step = VARIANT(exponents)(k, delta, N, &table);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 passed = VARIANT(exp2_product)(step, table[n]) * above[n];
            v16 exponent = passed * h[n];
            slope += exponent * k->A2[n];
            if (gradA) gradA[n] += exponent * delta;
            h[n] = passed + gradY * C[n];
        }
        k->gradDelta[s->transition] += LN2 * slope;
    }
}

// Walks a chunk of tokens backwards. `carried` is the part of the gradient by the state of token to - 1
// that comes from later tokens, and becomes that of token from - 1. With `tree`, the gradients by the
// tree's states, those enter too, and delta's gradient is added to what the tree left there.
ALWAYS_INLINE void VARIANT(chunk_backward)(const block *k, const mtl_scan_gradients *g, size_t from,
                                           size_t to, float gain, v16 *carried, const v16 *before,
                                           const v16 *decays, const v16 *tree, v16 *products,
                                           v16 *gradA, v16 *gradD, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    v16 registers[LANES], *c = fixed ? registers : carried;
    if (fixed) memcpy(c, carried, N * sizeof(v16));
    for (size_t t = to; t-- > from;) {
        const float *B = x->B + (ptrdiff_t)t * x->B_row, *C = x->C + (ptrdiff_t)t * x->C_row;
        v16 u = k->u[t], delta = k->delta[t], gradY = k->gradY[t];
        const v16 *h = before + (t - from) * N, *decay = decays + (t - from) * N;
        v16 gradInput = splat(0), slope = splat(0);
#pragma clang loop unroll(full)
        for (size_t n = 0; n < N; n++) {
            v16 gradH = c[n] + gradY * C[n];
            gradInput += gradH * B[n];
            products[n] = gradH;
            c[n] = gradH * decay[n];
            slope += c[n] * h[n] * k->A2[n];
        }
        if (gradA) {
#pragma clang loop unroll(full)
            for (size_t n = 0; n < N; n++) gradA[n] += c[n] * h[n] * delta;
        }
        v16 input = delta * u;
        if (tree) {
            v16 fromTree = splat(0);
            for (size_t n = 0; n < N; n++) {
                fromTree += tree[t * N + n] * B[n];
                products[n] = gain * products[n] + x->tree_gain * tree[t * N + n];
            }
            gradInput = gain * gradInput + x->tree_gain * fromTree;
        } else {
            input *= gain;
            gradInput *= gain;
        }
        VARIANT(add_sums)(products, NULL, input, N, g->BC + 2 * t * N);
        if (gradD) *gradD += gradY * u;
        v16 gradDelta = gradInput * u + LN2 * slope;
        k->gradDelta[t] = tree ? k->gradDelta[t] + gradDelta : gradDelta;
        k->gradU[t] = gradInput * delta + k->D * gradY;
    }
    if (fixed) memcpy(carried, c, N * sizeof(v16));
}

// The tree's tokens and the tokens after it are two segments. The states are run through once, to mark
// where chunks start; then each chunk, the last first, has its states computed again, kept, and walked
// backwards. The tree's own states come before the first run and its gradients between the segments.
ALWAYS_INLINE void VARIANT(block_backward)(const block *k, const mtl_scan_gradients *g, v16 *state,
                                           v16 *gradA, v16 *gradD, v16 *memory, size_t N, bool fixed) {
    const mtl_scan *x = k->x;
    const size_t P = x->tree_length, bounds[3] = {0, P, x->length};
    const float gains[2] = {x->chain_gain, x->chain_gain + x->tree_gain};
    v16 *carried = memory, *products = carried + N, *before = products + N;
    v16 *decays = before + MTL_SCAN_CHUNK * N, *tree = decays + MTL_SCAN_CHUNK * N;
    v16 *marks[2] = {tree + P * N, tree + (P + chunks(P)) * N};
    memset(carried, 0, N * sizeof(v16));
    VARIANT(tree_states)(k, tree, N);
#pragma clang loop unroll(disable)
    for (int part = 0; part < 2; part++) {
        size_t from = bounds[part], to = bounds[part + 1];
        // After the last mark of the second segment no state is needed.
        if (part == 1 && to > from) to = from + (chunks(to - from) - 1) * MTL_SCAN_CHUNK + 1;
        VARIANT(chain_marks)(k, g, from, to, gains[part], state, marks[part], part == 0 ? tree : NULL, N,
                             fixed);
        if (part == 0 && P > 0) {
            for (size_t n = 0; n < N; n++) state[n] += tree[(P - 1) * N + n];
        }
    }
#pragma clang loop unroll(disable)
    for (int part = 1; part >= 0; part--) {
        size_t from = bounds[part], to = bounds[part + 1];
        for (size_t chunk = chunks(to - from); chunk-- > 0;) {
            size_t first = from + chunk * MTL_SCAN_CHUNK;
            size_t last = to - first < MTL_SCAN_CHUNK ? to : first + MTL_SCAN_CHUNK;
            memcpy(state, marks[part] + chunk * N, N * sizeof(v16));
            VARIANT(chunk_states)(k, g, first, last, gains[part], state, before, decays, part == 0, N,
                                  fixed);
            VARIANT(chunk_backward)(k, g, first, last, gains[part], carried, before, decays,
                                    part == 0 ? tree : NULL, products, gradA, gradD, N, fixed);
        }
        if (part == 1) {
            memset(k->gradDelta, 0, P * sizeof(v16));
            VARIANT(tree_backward)(k, tree, carried, gradA, N);
        }
    }
}

ALWAYS_INLINE void VARIANT(backward)(const mtl_scan *x, size_t channel, size_t channels,
                                     const mtl_scan_gradients *g, v16 *scratch, size_t N, bool fixed) {
    const size_t L = x->length, size = L * blocks(channels);
    v16 *u = scratch, *delta = u + size, *gradY = delta + size, *gradU = gradY + size;
    v16 *gradDelta = gradU + size, *state = gradDelta + size, *gradA = state + N, *memory = gradA + N;
    VARIANT(pack)(x->u + channel, x->u_row, L, channels, u);
    VARIANT(pack)(x->delta + channel, x->delta_row, L, channels, delta);
    VARIANT(pack)(g->y + channel, g->y_row, L, channels, gradY);
    for (size_t c = 0; c < channels; c += LANES) {
        size_t first = channel + c, lanes = channels - c < LANES ? channels - c : LANES;
        size_t at = c / LANES * L;
        block k = VARIANT(open)(x, first, lanes, N, u + at, delta + at, memory);
        k.gradY = gradY + at;
        k.gradU = gradU + at;
        k.gradDelta = gradDelta + at;
        v16 gradD = splat(0);
        float *A = g->A ? g->A + (ptrdiff_t)first * g->A_row : NULL, *D = g->D ? g->D + first : NULL;
        if (A) gather(A, g->A_row, lanes, N, (float *)gradA);
        VARIANT(start)(x, first, lanes, N, state);
        VARIANT(block_backward)(&k, g, state, A ? gradA : NULL, D ? &gradD : NULL, memory + 2 * N, N, fixed);
        if (A) scatter((float *)gradA, lanes, N, A, g->A_row);
        if (D) store(D, load(D, lanes) + gradD, lanes);
    }
    VARIANT(unpack)(gradU, L, channels, g->u + channel, g->u_row);
    VARIANT(unpack)(gradDelta, L, channels, g->delta + channel, g->delta_row);
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

// ---------------------------------------------------------------- sums and decays

static void VARIANT(sum_parts)(const float *parts, size_t count, size_t stride, size_t part_row,
                               mtl_matrix sum, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, parts += part_row) {
        for (size_t column = 0; column < columns; column += LANES) {
            v16 total = splat(0);
            for (size_t part = 0; part < count; part++) {
                total += load(parts + part * stride + column, columns - column);
            }
            store(sum.start + (ptrdiff_t)row * sum.row + column, total, columns - column);
        }
    }
}

static void VARIANT(decay)(const float *delta, mtl_matrix A, size_t inner, size_t state, float *decay) {
    for (size_t d = 0; d < inner; d++, decay += state) {
        const float *row = A.start + (ptrdiff_t)d * A.row;
        for (size_t n = 0; n < state; n += LANES) {
            store(decay + n, vector_exp(delta[d] * load(row + n, state - n)), state - n);
        }
    }
}

// ---------------------------------------------------------------- cosines

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

static void VARIANT(form_inputs)(const mtl_state_inputs *x, size_t first, size_t count) {
    for (size_t row = first; row < first + count; row++) {
        const float *u = x->u.start + (ptrdiff_t)row * x->u.row;
        const float *delta = x->delta.start + (ptrdiff_t)row * x->delta.row;
        const float *B = x->B.start + (ptrdiff_t)row * x->B.row;
        float *input = x->input + row * x->inner;
        for (size_t d = 0; d < x->inner; d += LANES) {
            store(input + d, load(u + d, x->inner - d) * load(delta + d, x->inner - d), x->inner - d);
        }
        x->reciprocals[2 * row] = reciprocal_root(VARIANT(dot)(input, input, x->inner));
        x->reciprocals[2 * row + 1] = reciprocal_root(VARIANT(dot)(B, B, x->state));
    }
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
