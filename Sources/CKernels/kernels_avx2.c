// The kernels for AVX2 with FMA.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define FN(name) tt_##name##_avx2
#define LANES 8
#include "bodies/all.h"
#pragma clang attribute pop
#else
typedef int tt_no_avx2_on_this_architecture;
#endif
