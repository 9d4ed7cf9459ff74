#include <stddef.h>
#include <stdint.h>

int mtl_fuzz_one_input(const uint8_t *start, size_t count);

// What libFuzzer's main calls with every input.
int LLVMFuzzerTestOneInput(const uint8_t *start, size_t count) {
    return mtl_fuzz_one_input(start, count);
}
