// Chooses, at run time, which compilation of a kernel runs.
#include "kernels.h"

#define KERNEL(name, parameters, arguments) void tt_##name##_baseline parameters;
#include "kernel_list.h"
#undef KERNEL

#if defined(__x86_64__)
#define KERNEL(name, parameters, arguments) void tt_##name##_avx2 parameters;
#include "kernel_list.h"
#undef KERNEL

static int has_avx2(void) {
    // The answer is cached by the compiler's runtime; the test is two loads.
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#define KERNEL(name, parameters, arguments)                                                        \
    void tt_##name parameters {                                                                    \
        if (has_avx2())                                                                            \
            tt_##name##_avx2 arguments;                                                            \
        else                                                                                       \
            tt_##name##_baseline arguments;                                                        \
    }
#include "kernel_list.h"
#undef KERNEL

const char *tt_instruction_set(void) { return has_avx2() ? "avx2" : "baseline"; }

#else
#define KERNEL(name, parameters, arguments)                                                        \
    void tt_##name parameters { tt_##name##_baseline arguments; }
#include "kernel_list.h"
#undef KERNEL

const char *tt_instruction_set(void) { return "baseline"; }
#endif
