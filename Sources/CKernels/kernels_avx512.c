// The kernels for AVX-512 (F, VL, BW and DQ, as every processor with AVX-512 sold since 2017 has).
#if defined(__x86_64__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define FN(name) tt_##name##_avx512
#define LANES 16
#include "bodies/all.h"
#pragma clang attribute pop
#else
typedef int tt_no_avx512_on_this_architecture;
#endif
