// The kernels' sources as strings: the program carries them and needs no files.
#include "include/cuda_kernels.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char device_h[] = {
#embed "device.h" suffix(, 0)
};
static const char decoder_cu[] = {
#embed "decoder.cu" suffix(, 0)
};
static const char measure_cu[] = {
#embed "measure.cu" suffix(, 0)
};

// Every file of this folder: one array above and one line here.
static const struct cuda_source sources[] = {
    {"device.h", device_h},
    {"decoder.cu", decoder_cu},
    {"measure.cu", measure_cu},
};

size_t cuda_source_count(void) { return sizeof sources / sizeof *sources; }

struct cuda_source cuda_source_at(size_t index) { return sources[index]; }
