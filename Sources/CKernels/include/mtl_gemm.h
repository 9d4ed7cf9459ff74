#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "mtl_isa.h"

// A matrix product c = a · b, or c += a · b, over strided memory.
//
//     c[m, n] = (accumulate ? c[m, n] : 0) + sum over k of a[m, k] * b[k, n]
//
// Each element is summed in rising k, in stretches of fixed length that are then added up, whatever the
// size of the matrices, the tile it is in and the instruction set (AVX2 and AVX-512 give the same bits).
typedef struct {
    const float *a;                // a[m, k] is a[m * a_row + k * a_column]
    ptrdiff_t a_row, a_column;
    const float *b;                // b[k, n] is b[k * b_row + n * b_column]
    ptrdiff_t b_row, b_column;     // one of the two is 1
    float *c;                      // c[m, n] is c[m * c_row + n]
    ptrdiff_t c_row;
    size_t rows, columns, depth;   // of c, c, and the sum
    bool accumulate;
} mtl_gemm;

enum { MTL_GEMM_TILE_ROWS = 384, MTL_GEMM_TILE_COLUMNS = 256 };

// The number of floats of scratch that one tile needs.
size_t mtl_gemm_scratch(const mtl_gemm *product);

// Computes the rows and columns of c from (row, column) on, at most one tile of them.
// `scratch` is aligned to 64 bytes.
void mtl_gemm_tile(mtl_isa isa, const mtl_gemm *product, size_t row, size_t column, float *scratch);
