// Chooses, at run time, which compilation of a kernel runs.
#include "kernels.h"

#define KERNEL(name, parameters, arguments) void tt_##name##_baseline parameters;
#include "kernel_list.h"
#undef KERNEL

#if defined(__x86_64__)
#include <stdlib.h>
#include <string.h>

#define KERNEL(name, parameters, arguments) void tt_##name##_avx2 parameters;
#include "kernel_list.h"
#undef KERNEL
#define KERNEL(name, parameters, arguments) void tt_##name##_avx512 parameters;
#include "kernel_list.h"
#undef KERNEL

enum { BASELINE, AVX2, AVX512 };

/// What the processor has, or less where TRAJECTORY_INSTRUCTION_SET asks for less.
static int choose(void) {
    const char *wanted = getenv("TRAJECTORY_INSTRUCTION_SET");
    if (wanted && !strcmp(wanted, "baseline")) return BASELINE;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return BASELINE;
    if (wanted && !strcmp(wanted, "avx2")) return AVX2;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        ? AVX512
        : AVX2;
}

static int instruction_set = BASELINE;

__attribute__((constructor)) static void choose_once(void) {
    __builtin_cpu_init();
    instruction_set = choose();
}

#define KERNEL(name, parameters, arguments)                                                        \
    void tt_##name parameters {                                                                    \
        if (instruction_set == AVX512)                                                             \
            tt_##name##_avx512 arguments;                                                          \
        else if (instruction_set == AVX2)                                                          \
            tt_##name##_avx2 arguments;                                                            \
        else                                                                                       \
            tt_##name##_baseline arguments;                                                        \
    }
#include "kernel_list.h"
#undef KERNEL

const char *tt_instruction_set(void) {
    return instruction_set == AVX512 ? "avx512" : instruction_set == AVX2 ? "avx2" : "baseline";
}

#else
#define KERNEL(name, parameters, arguments)                                                        \
    void tt_##name parameters { tt_##name##_baseline arguments; }
#include "kernel_list.h"
#undef KERNEL

const char *tt_instruction_set(void) { return "baseline"; }
#endif
