// Sixteen lanes of float, and the functions of one variable that the kernels need.
//
// variants.h includes this once for each instruction set, before a kernel's body; the compiler splits a
// vector into what the set has. Names stand for the variant's own functions.
#ifndef MTL_VECTOR_NAMES
#define MTL_VECTOR_NAMES
// Vectors are passed between functions that are always inlined, so no calling convention matters.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang fp contract(fast)

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))

#define splat VARIANT(splat)
#define load VARIANT(load)
#define store VARIANT(store)
#define choose VARIANT(choose)
#define larger VARIANT(larger)
#define smaller VARIANT(smaller)
#define sum_lanes VARIANT(sum_lanes)
#define max_lanes VARIANT(max_lanes)
#define vector_exp VARIANT(vector_exp)
#define vector_log1p VARIANT(vector_log1p)
#define vector_softplus VARIANT(vector_softplus)
#define vector_one_minus_exp VARIANT(vector_one_minus_exp)
#define vector_sigmoid VARIANT(vector_sigmoid)

enum { LANES = 16 };
typedef float v16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4)));
#endif

ALWAYS_INLINE v16 splat(float x) {
    return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

// Loads `count` floats, the rest zero.
ALWAYS_INLINE v16 load(const float *from, size_t count) {
    if (count >= LANES) return *(const v16 *)from;
    v16 x = {0};
    for (size_t lane = 0; lane < count; lane++) x[lane] = from[lane];
    return x;
}

// Stores the first `count` floats.
ALWAYS_INLINE void store(float *to, v16 x, size_t count) {
    if (count >= LANES) {
        *(v16 *)to = x;
        return;
    }
    for (size_t lane = 0; lane < count; lane++) to[lane] = x[lane];
}

// The lanes of `a` where `condition` is set, of `b` elsewhere.
ALWAYS_INLINE v16 choose(i16 condition, v16 a, v16 b) {
    return (v16)((condition & (i16)a) | (~condition & (i16)b));
}

ALWAYS_INLINE v16 larger(v16 a, v16 b) { return choose(a > b, a, b); }
ALWAYS_INLINE v16 smaller(v16 a, v16 b) { return choose(a < b, a, b); }

// The sum of the lanes, in a fixed order.
ALWAYS_INLINE float sum_lanes(v16 x) {
    float s[LANES];
    *(v16 *)s = x;
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int lane = 0; lane < width; lane++) s[lane] += s[lane + width];
    }
    return s[0];
}

ALWAYS_INLINE float max_lanes(v16 x) {
    float most = x[0];
    for (int lane = 1; lane < LANES; lane++) most = x[lane] > most ? x[lane] : most;
    return most;
}

// exp(x), within 1.5 ulp; 0 below -87.3, infinity above 88.7, NaN for NaN.
//
// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by its polynomial of degree 6 (relative error 2e-8), the
// power of two by the exponent bits, in two steps so that neither factor overflows.
ALWAYS_INLINE v16 vector_exp(v16 x) {
    const v16 bounded = larger(smaller(x, splat(89.0f)), splat(-88.0f));
    const v16 shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    v16 t = bounded * splat(1.44269504f) + shift;
    i16 n = (i16)t - (i16)shift;
    v16 whole = t - shift;
    v16 r = bounded - whole * splat(0.693359375f);
    r = r - whole * splat(-2.12194440e-4f);
    v16 p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * (r * r) + r + splat(1.0f);
    i16 half = n >> 1;
    v16 low = (v16)((half + 127) << 23), high = (v16)((n - half + 127) << 23);
    v16 y = p * low * high;
    y = choose(x < splat(-87.3365448f), splat(0.0f), y);
    return choose(x == x, y, x);
}

// log(1 + t) for t in [0, 1], within 2 ulp.
//
// Log of 1 + t by cephes' polynomial on [sqrt(1/2), sqrt(2)], corrected for what 1 + t rounds off.
ALWAYS_INLINE v16 vector_log1p(v16 t) {
    v16 y = splat(1.0f) + t;
    v16 lost = t - (y - splat(1.0f));
    i16 big = y > splat(1.41421356f);
    v16 f = choose(big, y * splat(0.5f), y) - splat(1.0f);
    v16 p = splat(7.0376836292e-2f);
    p = p * f + splat(-1.1514610310e-1f);
    p = p * f + splat(1.1676998740e-1f);
    p = p * f + splat(-1.2420140846e-1f);
    p = p * f + splat(1.4249322787e-1f);
    p = p * f + splat(-1.6668057665e-1f);
    p = p * f + splat(2.0000714765e-1f);
    p = p * f + splat(-2.4999993993e-1f);
    p = p * f + splat(3.3333331174e-1f);
    v16 square = f * f;
    v16 tail = f * square * p - splat(0.5f) * square;
    v16 result = choose(big, splat(0.693359375f) + (f + (tail + splat(-2.12194440e-4f))), f + tail);
    return result + lost / y;
}

// log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)).
ALWAYS_INLINE v16 vector_softplus(v16 x) {
    v16 zero = splat(0.0f);
    v16 y = larger(x, zero) + vector_log1p(vector_exp(choose(x < zero, x, -x)));
    return choose(x == x, y, x);
}

// 1 - exp(-y) for y >= 0, without cancellation near zero.
ALWAYS_INLINE v16 vector_one_minus_exp(v16 y) {
    v16 series = splat(1.0f) - y * splat(1.0f / 8);
    series = splat(1.0f) - y * splat(1.0f / 7) * series;
    series = splat(1.0f) - y * splat(1.0f / 6) * series;
    series = splat(1.0f) - y * splat(1.0f / 5) * series;
    series = splat(1.0f) - y * splat(1.0f / 4) * series;
    series = splat(1.0f) - y * splat(1.0f / 3) * series;
    series = splat(1.0f) - y * splat(1.0f / 2) * series;
    return choose(y < splat(0.5f), y * series, splat(1.0f) - vector_exp(-y));
}

// 1 / (1 + exp(-x)).
ALWAYS_INLINE v16 vector_sigmoid(v16 x) { return splat(1.0f) / (splat(1.0f) + vector_exp(-x)); }
