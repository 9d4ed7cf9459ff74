// What the passes of the scan share: blocks of channels, decays, sums over channels. See variants.h.
//
// The gains are applied where a token enters (gain * X), so chain, tree and joined state all read out
// with weight 1 and the joined state is the plain sum of the other two.
#ifndef MTL_SCAN_BLOCK_TYPE
#define MTL_SCAN_BLOCK_TYPE

// A block of channels, its columns packed: [tokens][LANES].
typedef struct {
    const mtl_scan *x;
    v16 *u, *delta, *y;
    v16 D, *A2;                  // A2, [state], is A * log2(e), so that decays are powers of two
    v16 *zeros, *memory;         // [state] each; the latter for decays that are not kept
    const v16 *decays;           // [tokens][state]: those of tokens [from, to), where the chain just was
    size_t from, to;
    // Of the backward pass: the gradient by y; what the tree adds to that by delta; the derivatives of delta
    // and of the result by the step and z; the result for y = 1; and where results go.
    v16 *gradY, *gradDelta, *slope, *by_z, *gates;
    mtl_matrix gradU, gradStep, gradZ, gated;
    float *gradB, *gradC;        // rows of 2 * state
    size_t lanes;
    bool adds;                   // whether channels before have set gradB and gradC
} block;

#define LN2 0.693147181f

#endif

// Loads `channels` columns from `channel` on of a matrix [state, inner] as [state][LANES].
ALWAYS_INLINE void VARIANT(load_state)(mtl_matrix matrix, size_t channel, size_t lanes, size_t N,
                                       v16 *state) {
    for (size_t n = 0; n < N; n++) {
        state[n] = matrix.start ? load(matrix.start + (ptrdiff_t)n * matrix.row + channel, lanes) : splat(0);
    }
}

ALWAYS_INLINE void VARIANT(store_state)(const v16 *state, mtl_matrix matrix, size_t channel, size_t lanes,
                                        size_t N) {
    if (!matrix.start) return;
    for (size_t n = 0; n < N; n++) {
        store(matrix.start + (ptrdiff_t)n * matrix.row + channel, state[n], lanes);
    }
}

ALWAYS_INLINE void VARIANT(load_exponents)(block *k, size_t channel, size_t lanes, size_t N) {
    VARIANT(load_state)(k->x->A, channel, lanes, N, k->A2);
    for (size_t n = 0; n < N; n++) k->A2[n] *= splat(1.44269504f);
    k->D = load(k->x->D + channel, lanes);
}

// The decays of a token of the tree, [state]. Most are there, since trees join tokens that are close.
ALWAYS_INLINE const v16 *VARIANT(decays_of)(const block *k, size_t t, size_t N) {
    if (t >= k->from && t < k->to) return k->decays + (t - k->from) * N;
    for (size_t n = 0; n < N; n++) k->memory[n] = vector_exp2(k->delta[t] * k->A2[n]);
    return k->memory;
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

// The place of the i-th vector that `take` expects: the bits of i reversed.
ALWAYS_INLINE size_t VARIANT(place)(size_t i) { return (i & 1) << 3 | (i & 2) << 1 | (i & 4) >> 1 | i >> 3; }

// Takes the i-th of 16 vectors that are to be summed over their lanes, and gives the sums after the last:
// lane n is that of the vector with place n. Vectors meet as soon as both are there, as in counting
// upwards in binary, so at most four wait.
ALWAYS_INLINE v16 VARIANT(take)(v16 x, size_t i, v16 waiting[4]) {
    if (i % 2 == 0) return waiting[0] = x;
    x = FOLD(waiting[0], x, KEEP8, CROSS8);
    if (i % 4 == 1) return waiting[1] = x;
    x = FOLD(waiting[1], x, KEEP4, CROSS4);
    if (i % 8 == 3) return waiting[2] = x;
    x = FOLD(waiting[2], x, KEEP2, CROSS2);
    if (i == 7) return waiting[3] = x;
    return FOLD(waiting[3], x, KEEP1, CROSS1);
}

// Stores sums over the channels, or adds them to those of the channels before.
ALWAYS_INLINE void VARIANT(put)(v16 sums, float *target, size_t count, bool adds) {
    store(target, adds ? load(target, count) + sums : sums, count);
}

// ---------------------------------------------------------------- the chain

// Runs the chain over tokens [from, to). Unless it is NULL, `decays` keeps the decays, and `kept` the state
// before every KEPT_EVERY-th token.
// y is set if `reads`, and the sum of gradY * state over the channels goes to gradC if `sums`.
ALWAYS_INLINE void VARIANT(chain)(const block *k, size_t from, size_t to, float gain, v16 *state,
                                  v16 *decays, v16 *kept, bool reads, bool sums, size_t N, bool fixed) {
    v16 registers[LANES], *h = fixed ? registers : state;
    if (fixed) memcpy(h, state, N * sizeof(v16));
    for (size_t t = from; t < to; t++) {
        const float *B = at(k->x->B, t), *C = at(k->x->C, t);
        v16 u = k->u[t], delta = k->delta[t], input = gain * delta * u, read = k->D * u;
        v16 gradY = sums ? k->gradY[t] : splat(0);
        if (kept && (t - from) % KEPT_EVERY == 0) {
            memcpy(kept + (t - from) / KEPT_EVERY * N, h, N * sizeof(v16));
        }
        for (size_t first = 0; first < N; first += LANES) {
            v16 waiting[4], total = splat(0);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < LANES; i++) {
                size_t n = first + VARIANT(place)(i);
                v16 product = splat(0);
                if (n < N) {
                    v16 decay = vector_exp2(delta * k->A2[n]);
                    if (decays) decays[(t - from) * N + n] = decay;
                    h[n] = decay * h[n] + input * B[n];
                    if (reads) read += h[n] * C[n];
                    product = h[n] * gradY;
                    VARIANT(IN_ORDER)(h[n], delta);
                }
                if (sums) total = VARIANT(take)(product, i, waiting);
            }
            if (sums) VARIANT(put)(total, k->gradC + 2 * t * N + first, N - first, k->adds);
        }
        if (reads) k->y[t] = read;
    }
    if (fixed) memcpy(state, h, N * sizeof(v16));
}

// Whether the chain over tokens [0, to) has passed all that a step of the tree reads.
ALWAYS_INLINE bool VARIANT(is_ready)(mtl_scan_step s, size_t to) {
    return (size_t)s.vertex < to && (s.parent < 0 || (size_t)s.transition < to);
}
