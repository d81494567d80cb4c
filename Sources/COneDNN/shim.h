// The part of oneDNN's C API that tests and benchmarks compare the engine with.
#pragma once
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

/// Makes oneDNN use the calling thread alone in calls made from it.
///
/// Debian's oneDNN runs on OpenMP, whose thread count is a setting of each calling thread. What is
/// measured here is one core, so every thread asks for one. Without OpenMP there is nothing to set.
static inline void use_one_openmp_thread(void) {
    void (*set)(int) = (void (*)(int))dlsym((void *)0, "omp_set_num_threads");
    if (set) set(1);
}
