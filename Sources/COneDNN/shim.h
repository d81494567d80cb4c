// The part of oneDNN's C API that the engine uses.
#pragma once
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

/// Makes oneDNN use the calling thread alone in calls made from it.
///
/// Debian's oneDNN runs on OpenMP, whose thread count is a setting of each calling thread. The engine
/// brings its own workers, so every one of them asks for one. Without OpenMP there is nothing to set.
static inline void use_one_openmp_thread(void) {
    void (*set)(int) = (void (*)(int))dlsym((void *)0, "omp_set_num_threads");
    if (set) set(1);
}
