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
// of bfloat16 are added as they lie, two at a time, on matrix tiles 32 at a time (gemm_tiles_body.h). Whole numbers
// are added exactly within a stretch.
typedef struct {
    const float *a;                // a[m, k] is a[m * a_row + k * a_column]
    ptrdiff_t a_row, a_column;
    // Whether each float of a holds the patterns of two elements in bfloat16, (m, 2k) and (m, 2k + 1). b is then
    // of that format, depth is even, a_column is 1, and the instruction set MTL_AVX512_BF16 or MTL_AMX. For the
    // latter, rows of a go on with zeros up to a multiple of 16 floats, and memory does for 31 rows more.
    bool a_is_paired;
    // Where not NULL, the pairs are 16-bit integers, as mtl_gemm_round_left writes them, b is transposed and int8, and depth is even:
    // a_scales[m * a_scales_row + s] is what those of stretch s are to be multiplied by.
    const float *a_scales;
    ptrdiff_t a_scales_row;
    mtl_weights b;
    const float *packed;           // what mtl_gemm_pack made of b, or NULL
    // A product of low rank that is added, on matrix tiles and with more than 16 rows alone: after their zeros rows
    // of a go on with what mtl_gemm_split_left writes, times what mtl_gemm_pack_right made. NULL and 0 for none.
    const float *low_rank;
    size_t low_rank_lanes;
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

// The stretches that a depth of whole numbers has, each with a scale of its own.
size_t mtl_gemm_scales(size_t depth);

// Rounds a row of the left factor to whole numbers, the nearest, of two equally near the even one; in pairs up to a
// multiple of 16 lanes. The scale of a stretch is its greatest magnitude over 32,767, or NaN where not all is finite.
void mtl_gemm_round_left(mtl_isa isa, const float *row, size_t depth, float *lanes, float *scales);

// Divides a product among threads such that they are busy all the time and pack little twice.
mtl_gemm_plan mtl_gemm_divide(mtl_isa isa, const mtl_gemm *product, size_t threads);

// The floats that b takes in the order that matrix tiles read it in; 0 where the product reads b as it lies.
size_t mtl_gemm_packed_size(mtl_isa isa, const mtl_gemm *product);

// Writes a panel of 32 columns of b in that order.
void mtl_gemm_pack(const mtl_gemm *product, size_t panel, float *packed);

// A product of low rank, left · right, is added as that of pairs of bfloat16 whose sums have 16 bits of each factor,
//
//     [high, high, low] · [high; low; high],    x = high + low + what is left out,
//
// where each product of two low halves, 2^-16 of the whole, is left out, too.

// The lanes that this takes, a multiple of 16.
size_t mtl_gemm_low_rank_lanes(size_t rank);

// Writes them for one row of the left factor.
void mtl_gemm_split_left(const float *left, size_t rank, float *lanes);

// Writes a panel of 32 of the right factor's `columns`. Element (k, n) of it is right[n * row + k] where it is
// transposed, right[k * row + n] else.
void mtl_gemm_pack_right(const float *right, ptrdiff_t row, bool is_transposed, size_t rank, size_t columns,
                         size_t panel, float *packed);

// Computes a tile. `scratch` is aligned to 64 bytes.
void mtl_gemm_tile(mtl_isa isa, const mtl_gemm *product, const mtl_gemm_plan *plan, size_t tile,
                   float *scratch);
