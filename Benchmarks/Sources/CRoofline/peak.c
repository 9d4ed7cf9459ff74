#include "CRoofline.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// More accumulators than latency times units, as many as fit into registers with two operands.
#define CHAINS 20
#define UNROLL _Pragma("clang loop unroll(full)")

#if defined(__x86_64__)

__attribute__((target("avx512f"))) static double float32_avx512(size_t rounds) {
    __m512 sum[CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
    UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_set1_ps((float)i);
    for (size_t k = 0; k < rounds; k++) {
        UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_fmadd_ps(sum[i], x, y);
    }
    UNROLL for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
    return 32.0 * CHAINS * (double)rounds;
}

// Sixteen registers only: 12 accumulators.
__attribute__((target("avx2,fma"))) static double float32_avx2(size_t rounds) {
    __m256 sum[12], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
    UNROLL for (int i = 0; i < 12; i++) sum[i] = _mm256_set1_ps((float)i);
    for (size_t k = 0; k < rounds; k++) {
        UNROLL for (int i = 0; i < 12; i++) sum[i] = _mm256_fmadd_ps(sum[i], x, y);
    }
    UNROLL for (int i = 0; i < 12; i++) __asm__ volatile("" : : "x"(sum[i]));
    return 16.0 * 12 * (double)rounds;
}

__attribute__((target("avx512f,avx512bf16"))) static double bfloat16_avx512(size_t rounds) {
    __m512 sum[CHAINS];
    __m512bh x = (__m512bh)_mm512_set1_epi32(0x3f803f80);
    __m512bh y = (__m512bh)_mm512_set1_epi32(0x3c003c00);
    UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_ps();
    for (size_t k = 0; k < rounds; k++) {
        __asm__ volatile("" : "+v"(x), "+v"(y));
        UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_dpbf16_ps(sum[i], x, y);
    }
    UNROLL for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
    return 64.0 * CHAINS * (double)rounds;
}

__attribute__((target("avx512f,avx512vnni"))) static double int8_avx512(size_t rounds) {
    __m512i sum[CHAINS], x = _mm512_set1_epi8(1), y = _mm512_set1_epi8(2);
    UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_si512();
    for (size_t k = 0; k < rounds; k++) {
        __asm__ volatile("" : "+v"(x), "+v"(y));
        UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_dpbusd_epi32(sum[i], x, y);
    }
    UNROLL for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
    return 128.0 * CHAINS * (double)rounds;
}

// Four tiles of sums by two and two of factors, as products have them. The factors are no zeros, which would be faster.
__attribute__((target("amx-tile,amx-bf16"))) static double bfloat16_tiles(size_t rounds) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } __attribute__((packed, aligned(64))) shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.bytes[i] = 64;
        shapes.rows[i] = 16;
    }
    uint32_t factors[16 * 16], seed = 1;
    for (int i = 0; i < 16 * 16; i++) {
        seed = seed * 1664525u + 1013904223u;
        factors[i] = 0x3c003c00 | (seed & 0x80ff80ff);
    }
    _tile_loadconfig(&shapes);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, factors, 64);
    _tile_loadd(5, factors, 64);
    _tile_loadd(6, factors, 64);
    _tile_loadd(7, factors, 64);
    for (size_t k = 0; k < rounds; k++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return 4 * 2.0 * 16 * 16 * 32 * (double)rounds;
}

double roof_bfloat16_tiles(size_t rounds) { return bfloat16_tiles(rounds); }

bool roof_has_bfloat16(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16");
}

bool roof_has_int8(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
}

double roof_bfloat16(size_t rounds) { return roof_has_bfloat16() ? bfloat16_avx512(rounds) : 0; }
double roof_int8(size_t rounds) { return roof_has_int8() ? int8_avx512(rounds) : 0; }

#else

bool roof_has_bfloat16(void) { return false; }
bool roof_has_int8(void) { return false; }
double roof_bfloat16(size_t rounds) { return 0 * (double)rounds; }
double roof_int8(size_t rounds) { return 0 * (double)rounds; }
double roof_bfloat16_tiles(size_t rounds) { return 0 * (double)rounds; }

#endif

// What the compiler makes of four-lane vectors on any processor.
static double float32_portable(size_t rounds) {
    typedef float v4 __attribute__((vector_size(16)));
    v4 sum[12], x = {0.999f, 0.999f, 0.999f, 0.999f}, y = {0.001f, 0.001f, 0.001f, 0.001f};
    UNROLL for (int i = 0; i < 12; i++) sum[i] = x * (float)i;
    for (size_t k = 0; k < rounds; k++) {
        UNROLL for (int i = 0; i < 12; i++) sum[i] = sum[i] * x + y;
    }
    v4 total = sum[0];
    UNROLL for (int i = 1; i < 12; i++) total += sum[i];
    volatile float kept = total[0] + total[1] + total[2] + total[3];
    (void)kept;
    return 8.0 * 12 * (double)rounds;
}

double roof_float32(size_t rounds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return float32_avx512(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return float32_avx2(rounds);
#endif
    return float32_portable(rounds);
}
