#include "CRoofline.h"

typedef float v16 __attribute__((vector_size(64), aligned(4)));

#if defined(__x86_64__)
#define FOR_EACH_SET __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FOR_EACH_SET
#endif

// How far ahead memory is asked for, in floats: 4 KiB.
enum { AHEAD = 1024 };

FOR_EACH_SET float roof_read(const float *from, size_t count) {
    v16 a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        __builtin_prefetch(from + i + AHEAD, 0, 2);
        __builtin_prefetch(from + i + AHEAD + 16, 0, 2);
        __builtin_prefetch(from + i + AHEAD + 32, 0, 2);
        __builtin_prefetch(from + i + AHEAD + 48, 0, 2);
        a += *(const v16 *)(from + i);
        b += *(const v16 *)(from + i + 16);
        c += *(const v16 *)(from + i + 32);
        d += *(const v16 *)(from + i + 48);
    }
    float sum = 0;
    for (; i < count; i++) sum += from[i];
    v16 all = (a + b) + (c + d);
    for (int lane = 0; lane < 16; lane++) sum += all[lane];
    return sum;
}

FOR_EACH_SET void roof_triad(float *to, const float *a, const float *b, size_t count) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        *(v16 *)(to + i) = *(const v16 *)(a + i) + 3.0f * *(const v16 *)(b + i);
    }
    for (; i < count; i++) to[i] = a[i] + 3.0f * b[i];
}
