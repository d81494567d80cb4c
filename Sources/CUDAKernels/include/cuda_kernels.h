#pragma once
#include <stddef.h>

/// One source file of the kernels: its name, by which the others include it, and its text, which ends
/// with a zero.
struct cuda_source {
    const char *name;
    const char *text;
};

/// The number of source files.
size_t cuda_source_count(void);
/// Source file `index`.
struct cuda_source cuda_source_at(size_t index);
