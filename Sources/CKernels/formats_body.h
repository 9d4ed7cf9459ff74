// 16 elements of a row as floats.
ALWAYS_INLINE v16 VARIANT(expand)(const void *from, mtl_format format, float scale) {
    switch (format) {
    case MTL_BFLOAT16: return (v16)(__builtin_convertvector(*(const any_u16x16 *)from, i16) << 16);
    case MTL_INT8: return __builtin_convertvector(*(const any_i8x16 *)from, v16) * splat(scale);
    default: return *(const v16 *)from;
    }
}
