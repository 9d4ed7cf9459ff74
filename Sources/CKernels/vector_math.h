// Sixteen lanes of float, and the functions of one variable that the kernels need.
//
// variants.h includes this once for each instruction set, before a kernel's body; the compiler splits a
// vector into what the set has. Names stand for the variant's own functions. MTL_HAS_AVX512 tells whether
// the set is AVX-512, whose instructions for exponents and fractions the compiler does not find by itself.
//
// The largest errors over all arguments, in units in the last place of the exact result (ulp):
//
//                       AVX-512   AVX2    portable
//     vector_exp          1.0      1.0      1.0
//     vector_exp2         2.6      1.0      1.3     x <= 0
//     vector_softplus     2.1      2.1      2.5
//     vector_sigmoid      2.5      2.5      2.5
//     x * vector_sigmoid  2.6      2.6      2.6
//
// A result below the smallest normal float may be 0 instead, and below x = -88 the sigmoid is.
#ifndef MTL_VECTOR_NAMES
#define MTL_VECTOR_NAMES
// Vectors are passed between functions that are always inlined, so no calling convention matters.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang fp contract(fast)

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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
#define vector_exp2 VARIANT(vector_exp2)
#define vector_log1p VARIANT(vector_log1p)
#define vector_softplus VARIANT(vector_softplus)
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

// Lets the compiler compute nothing from `later` before `earlier`, for it would hold the intermediate
// results of a whole unrolled loop at once, more than there are registers. Costs no instruction.
#if MTL_HAS_AVX512
#define IN_ORDER_avx512(earlier, later) __asm__("" : "+v"(earlier), "+v"(later))
#else
#define IN_ORDER_portable(earlier, later)
#define IN_ORDER_avx2(earlier, later)
#endif

// The larger and the smaller of two numbers; `b` where one of them is NaN.
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

// exp(x); infinity above 88.7, NaN for NaN.
//
// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by its polynomial of degree 6 (relative error 2e-8). Without
// an instruction for the power of two, it is made of exponent bits, in two steps so that neither factor
// overflows, and results below the smallest normal float are 0.
ALWAYS_INLINE v16 vector_exp(v16 x) {
    const v16 bounded = smaller(splat(89.0f), larger(splat(-104.0f), x));
    const v16 shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    v16 t = bounded * splat(1.44269504f) + shift;
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
#if MTL_HAS_AVX512
    return (v16)_mm512_scalef_ps((__m512)p, (__m512)whole);
#else
    i16 n = (i16)t - (i16)shift, half = n >> 1;
    v16 low = (v16)((half + 127) << 23), high = (v16)((n - half + 127) << 23);
    return choose(x < splat(-87.3365448f), splat(0.0f), p * low * high);
#endif
}

// 2 to the power of x <= 0, exact for x = 0; 0 from about -126 on, NaN for NaN.
//
// The decays of the scan, and most of its time. With AVX-512: the fraction f of x in [0, 1] and a
// polynomial of degree 5 that is exact at both ends (relative error 9e-8), so that decays close to 1 are
// good to rounding. Else: adding 1.5 * 2^23 + 127 rounds x to a whole number r and leaves r + 127, the
// exponent's bits, in the low bits; the polynomial of the rest in [-0.5, 0.5] has degree 6 (2e-9).
ALWAYS_INLINE v16 vector_exp2(v16 x) {
#if MTL_HAS_AVX512
    v16 f = (v16)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    v16 p = f * splat(1.8793183844e-3f) + splat(8.9909946547e-3f);
    p = p * f + splat(5.5818680674e-2f);
    p = p * f + splat(2.4015927315e-1f);
    p = p * f + splat(6.9315171242e-1f);
    p = p * f + splat(1.0f);
    return (v16)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
    const v16 rounding = splat(12582912.0f + 127.0f);
    v16 bounded = larger(splat(-127.0f), x);
    v16 rounded = bounded + rounding;
    v16 f = bounded - (rounded - rounding);
    v16 p = f * splat(1.5353362e-4f) + splat(1.3398875e-3f);
    p = p * f + splat(9.618437e-3f);
    p = p * f + splat(5.5503324e-2f);
    p = p * f + splat(2.4022648e-1f);
    p = p * f + splat(6.931472e-1f);
    p = p * f + splat(1.0f);
    return p * (v16)((i16)rounded << 23);
#endif
}

// log(1 + t) for t in [0, 1], by a polynomial of degree 10 without constant term (relative error 5e-9).
ALWAYS_INLINE v16 vector_log1p(v16 t) {
    v16 p = t * splat(-3.244024934e-3f) + splat(1.9851461053e-2f);
    p = p * t + splat(-5.6959532201e-2f);
    p = p * t + splat(1.0603654385e-1f);
    p = p * t + splat(-1.530559212e-1f);
    p = p * t + splat(1.9675938785e-1f);
    p = p * t + splat(-2.4954134226e-1f);
    p = p * t + splat(3.3329963684e-1f);
    p = p * t + splat(-4.9999901652e-1f);
    return p * t * t + t;
}

// log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)).
ALWAYS_INLINE v16 vector_softplus(v16 x) {
    return larger(splat(0.0f), x) + vector_log1p(vector_exp(-__builtin_elementwise_abs(x)));
}

// 1 / (1 + exp(-x)).
ALWAYS_INLINE v16 vector_sigmoid(v16 x) { return splat(1.0f) / (splat(1.0f) + vector_exp(-x)); }
