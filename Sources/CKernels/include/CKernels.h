// Kernels with intrinsics or vector types, one variant per instruction set, picked at run time.
//
// Every function takes the instruction set to use as its first argument, so that tests can compare
// the variants on one machine. Nothing here allocates: scratch memory comes from the caller.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mtl_convolution.h"
#include "mtl_elementwise.h"
#include "mtl_gemm.h"
#include "mtl_isa.h"
#include "mtl_scan.h"
#include "mtl_scan_cosines.h"
#include "mtl_weights.h"
