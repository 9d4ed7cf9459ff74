#include "mtl_scan_cosines.h"

#include <math.h>

static float reciprocal_root(float square) { return square == 0 ? 0 : 1 / sqrtf(square); }

#define BODY "scan_cosines_body.h"
#include "variants.h"

void mtl_form_state_input(mtl_isa isa, const mtl_state_inputs *x, size_t row) {
    DISPATCH(isa, form_input, (x, row))
}

void mtl_state_input_cosines(mtl_isa isa, const mtl_state_inputs *x, const int32_t *pairs, size_t count,
                             float *cosines) {
    DISPATCH(isa, input_cosines, (x, pairs, count, cosines))
}
