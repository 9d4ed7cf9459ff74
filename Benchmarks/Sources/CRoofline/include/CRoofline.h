#ifndef CROOFLINE_H
#define CROOFLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a processor can do at most, measured by loops that do nothing else.

// Whether the processor, and this program for it, has a loop for the kind of arithmetic.
bool roof_has_bfloat16(void);
bool roof_has_int8(void);

// Runs `rounds` of arithmetic in registers on the calling thread and returns the operations done; a
// multiply-add counts as two.
double roof_float32(size_t rounds);
double roof_bfloat16(size_t rounds);
double roof_int8(size_t rounds);

// The same on matrix tiles, only where the process was granted their state.
double roof_bfloat16_tiles(size_t rounds);

// Adds up `count` floats, so that all are read. Returns the sum, so that none can be left out.
float roof_read(const float *from, size_t count);

// Computes to[i] = a[i] + 3 * b[i]: reads twice what it writes.
void roof_triad(float *to, const float *a, const float *b, size_t count);

#endif
