#pragma once
#ifdef __cplusplus
extern "C" {
#endif

/// The address of a function of the emulated driver by the name it has in CUDA's driver; null for names
/// that it does not have.
void *emulated_cuda_symbol(const char *name);

#ifdef __cplusplus
}
#endif
