// The registers of matrix tiles, real and emulated, and the functions of gemm_tiles_body.h for each.
//
// The emulation rounds as the instruction does, so tests can tell on any processor what one with tiles computes.
#include <math.h>

typedef void pack_function(const mtl_weights *b, bool is_transposed, size_t first, size_t depth, size_t column,
                           size_t width, float *panel);
typedef struct {
    pack_function *pack;
    void (*begin)(size_t columns);  // prepares the thread's registers for sums of so many columns
    void (*multiply)(const block *x);
    void (*multiply_few)(const mtl_gemm *p, size_t first, size_t end, const float *a, size_t whole);
    void (*end)(void);
} tiles;

// ---------------------------------------------------------------- emulated

typedef struct {
    float lanes[16][16];
} tile_register;

static _Thread_local size_t emulated_columns;

static void emulate_begin(size_t columns) { emulated_columns = columns; }
static void emulate_end(void) {}

static void emulate_load(tile_register *to, const void *from, ptrdiff_t row, size_t columns) {
    for (size_t m = 0; m < 16; m++) {
        memcpy(to->lanes[m], (const char *)from + 4 * (ptrdiff_t)m * row, columns * sizeof(float));
    }
}

static void emulate_store(const tile_register *from, float *to, ptrdiff_t row, size_t columns) {
    for (size_t m = 0; m < 16; m++) memcpy(to + (ptrdiff_t)m * row, from->lanes[m], columns * sizeof(float));
}

// Numbers below the smallest normal one are zero, as operands and as results.
static float flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

// The lower or the upper element of a lane.
static float element(float lane, bool is_upper) {
    uint32_t bits;
    memcpy(&bits, &lane, sizeof bits);
    bits = is_upper ? bits & 0xffff0000 : bits << 16;
    memcpy(&lane, &bits, sizeof bits);
    return flushed(lane);
}

static void emulate_multiply(tile_register *sums, const tile_register *a, const tile_register *b, size_t columns) {
    for (size_t m = 0; m < 16; m++) {
        for (size_t n = 0; n < columns; n++) {
            float lower = 0, upper = 0;
            for (size_t k = 0; k < 16; k++) {
                const float left = a->lanes[m][k], right = b->lanes[k][n];
                lower = flushed(fmaf(element(left, false), element(right, false), lower));
                upper = flushed(fmaf(element(left, true), element(right, true), upper));
            }
            sums->lanes[m][n] = flushed(flushed(sums->lanes[m][n]) + flushed(lower + upper));
        }
    }
}

// Sums and right factors, but not left ones, are as narrow as the columns of c.
#define REGISTERS tile_register registers[8];
#define WIDTH(number) ((number) == 4 || (number) == 5 ? 16 : emulated_columns)
#define ZERO(number) memset(&registers[number], 0, sizeof registers[number])
#define LOAD(number, from, row) emulate_load(&registers[number], from, row, WIDTH(number))
#define STORE(number, to, row) emulate_store(&registers[number], to, row, emulated_columns)
#define MULTIPLY(sums, a, b) emulate_multiply(&registers[sums], &registers[a], &registers[b], emulated_columns)
#define VARIANT(name) name##_emulated
#include "gemm_tiles_body.h"
#undef VARIANT
#undef REGISTERS
#undef WIDTH
#undef ZERO
#undef LOAD
#undef STORE
#undef MULTIPLY

// ---------------------------------------------------------------- real

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)

static void begin_amx(size_t columns) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        configuration.rows[i] = 16;
        configuration.row_bytes[i] = (uint16_t)(i == 4 || i == 5 ? 64 : 4 * columns);
    }
    _tile_loadconfig(&configuration);
}

static void end_amx(void) { _tile_release(); }

#define REGISTERS
#define ZERO(number) _tile_zero(number)
#define LOAD(number, from, row) _tile_loadd(number, from, 4 * (row))
#define STORE(number, to, row) _tile_stored(number, to, 4 * (row))
#define MULTIPLY(sums, a, b) _tile_dpbf16ps(sums, a, b)
#define VARIANT(name) name##_amx
#include "gemm_tiles_body.h"
#pragma clang attribute pop
#undef VARIANT
#undef REGISTERS
#undef ZERO
#undef LOAD
#undef STORE
#undef MULTIPLY
#endif

static tiles tiles_of_this_processor(void) {
#if defined(__x86_64__)
    if (mtl_runs(MTL_AMX)) {
        return (tiles){pack_pairs_avx512, begin_amx, multiply_tiles_amx, multiply_few_tiles_amx, end_amx};
    }
#endif
    return (tiles){pack_pairs_portable, emulate_begin, multiply_tiles_emulated, multiply_few_tiles_emulated,
                   emulate_end};
}
