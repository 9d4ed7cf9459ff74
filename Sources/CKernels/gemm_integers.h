// Products of whole numbers: rows of a rounded to 16 bits, b in int8; gemm_body.h has the loops.
//
// The products of a stretch of 256 elements add up to less than 2^31 and are exact whatever their order: decoding
// reads rows of b as they lie, many rows use panels of it, and both give the same bits. A stretch of a row has a scale
// of its own, so that a few large elements do not cost the others their precision.

// What variants define ADD_PRODUCTS_OF_PAIRS as: lane by lane, the products of two pairs of 16-bit integers are added
// to a sum. The type is repeated since vector_math.h comes later.
typedef int32_t sums_of_pairs __attribute__((vector_size(64), aligned(4)));

static inline __attribute__((always_inline, unused)) sums_of_pairs add_products_of_pairs(
    sums_of_pairs sum, sums_of_pairs a, sums_of_pairs b) {
    return sum + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
}

#if defined(__x86_64__)
#include <immintrin.h>

static inline __attribute__((always_inline, target("avx2,fma"))) sums_of_pairs add_products_of_pairs_avx2(
    sums_of_pairs sum, sums_of_pairs a, sums_of_pairs b) {
    typedef int32_t half __attribute__((vector_size(32), aligned(4)));
#define LOW(x) (__m256i)__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7)
#define HIGH(x) (__m256i)__builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15)
    const half low = (half)_mm256_madd_epi16(LOW(a), LOW(b)), high = (half)_mm256_madd_epi16(HIGH(a), HIGH(b));
#undef LOW
#undef HIGH
    return sum + __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif
