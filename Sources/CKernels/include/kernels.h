// The fused loops between matrix products. Imported by Layers only.
//
// Every kernel is compiled twice, for the compiler's baseline and (on x86-64) for AVX2 with FMA, and
// chosen at run time. All matrices are row-major and contiguous unless a stride is named.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Which elements dropout zeroes: those whose hash of (keys, element number) lies below `threshold`.
///
/// A threshold of 0 drops nothing. `scale` is 1 / (1 - probability). Element numbers count over the
/// whole batch, so the choice does not depend on how the batch is split among workers.
typedef struct {
    uint32_t key0, key1;
    uint32_t threshold;
    float scale;
} tt_dropout;

#define KERNEL(name, parameters, arguments) void tt_##name parameters;
#include "../kernel_list.h"
#undef KERNEL

/// The instruction set the kernels use on this machine: "avx2" or "baseline".
const char *tt_instruction_set(void);
