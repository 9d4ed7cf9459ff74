#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "mtl_isa.h"
#include "mtl_weights.h"

// A matrix product c = a · b + addend + bias over strided memory.
//
//     c[m, n] = addend[m, n] + bias[n] + sum over k of a[m, k] * b[k, n]
//
// Each element is summed in rising k, in stretches of fixed length that are then added up, whatever the
// size of the matrices, the tile it is in and the instruction set (AVX2 and AVX-512 give the same bits). Pairs
// of bfloat16 are added as they lie, two at a time.
typedef struct {
    const float *a;                // a[m, k] is a[m * a_row + k * a_column]
    ptrdiff_t a_row, a_column;
    // Whether each float of a holds the patterns of two elements in bfloat16, (m, 2k) and (m, 2k + 1). b is then
    // of that format, depth is even, a_column is 1, and the processor runs MTL_AVX512_BF16.
    bool a_is_paired;
    mtl_weights b;
    bool b_is_transposed;          // whether b[k, n] is element (n, k) of `b`, or (k, n)
    const float *addend;           // addend[m, n] is addend[m * addend_row + n * c_column]; may be NULL, or c
    ptrdiff_t addend_row;
    const float *bias;             // may be NULL
    float *c;                      // c[m, n] is c[m * c_row + n * c_column]
    ptrdiff_t c_row, c_column;
    size_t rows, columns, depth;   // of c, c, and the sum
} mtl_gemm;

// How a product is divided into tiles, each the work of one thread.
typedef struct {
    size_t tiles;
    size_t scratch;        // floats that a tile needs
    size_t rows, columns;  // of a tile
    size_t block;          // the depth that is packed at once
    size_t group;          // the columns that are packed at once
    size_t pass;           // the rows that go over them before the next
} mtl_gemm_plan;

// Divides a product among threads such that they are busy all the time and pack little twice.
mtl_gemm_plan mtl_gemm_divide(const mtl_gemm *product, size_t threads);

// Computes a tile. `scratch` is aligned to 64 bytes.
void mtl_gemm_tile(mtl_isa isa, const mtl_gemm *product, const mtl_gemm_plan *plan, size_t tile,
                   float *scratch);
