// The kernels for the compiler's baseline instruction set (SSE2 on x86-64, NEON on arm64).
// Every function that passes a wide vector is inlined, so its calling convention never matters.
#pragma clang diagnostic ignored "-Wpsabi"
#define FN(name) tt_##name##_baseline
#define LANES 8
#include "bodies/all.h"
