// The kernels' sources as strings: the program carries them and needs no files.
#include "include/cuda_kernels.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char device_h[] = {
#embed "device.h" suffix(, 0)
};
static const char model_h[] = {
#embed "model.h" suffix(, 0)
};
static const char runs_h[] = {
#embed "runs.h" suffix(, 0)
};
static const char tf32_h[] = {
#embed "tf32.h" suffix(, 0)
};
static const char product_h[] = {
#embed "product.h" suffix(, 0)
};
static const char attention_cu[] = {
#embed "attention.cu" suffix(, 0)
};
static const char decoder_cu[] = {
#embed "decoder.cu" suffix(, 0)
};
static const char decoder_tile_h[] = {
#embed "decoder_tile.h" suffix(, 0)
};
static const char draw_cu[] = {
#embed "draw.cu" suffix(, 0)
};
static const char heads_cu[] = {
#embed "heads.cu" suffix(, 0)
};
static const char linear_cu[] = {
#embed "linear.cu" suffix(, 0)
};
static const char measure_cu[] = {
#embed "measure.cu" suffix(, 0)
};
static const char muon_cu[] = {
#embed "muon.cu" suffix(, 0)
};
static const char rows_cu[] = {
#embed "rows.cu" suffix(, 0)
};
static const char sac_h[] = {
#embed "sac.h" suffix(, 0)
};
static const char sac_product_h[] = {
#embed "sac_product.h" suffix(, 0)
};
static const char sac_cu[] = {
#embed "sac.cu" suffix(, 0)
};
static const char sac_forward_cu[] = {
#embed "sac_forward.cu" suffix(, 0)
};
static const char sac_backward_cu[] = {
#embed "sac_backward.cu" suffix(, 0)
};
static const char sac_actor_cu[] = {
#embed "sac_actor.cu" suffix(, 0)
};
static const char training_cu[] = {
#embed "training.cu" suffix(, 0)
};
static const char update_cu[] = {
#embed "update.cu" suffix(, 0)
};

// Every file of this folder: one array above and one line here.
static const struct cuda_source sources[] = {
    {"device.h", device_h},
    {"model.h", model_h},
    {"runs.h", runs_h},
    {"tf32.h", tf32_h},
    {"product.h", product_h},
    {"attention.cu", attention_cu},
    {"decoder.cu", decoder_cu},
    {"decoder_tile.h", decoder_tile_h},
    {"draw.cu", draw_cu},
    {"heads.cu", heads_cu},
    {"linear.cu", linear_cu},
    {"measure.cu", measure_cu},
    {"muon.cu", muon_cu},
    {"rows.cu", rows_cu},
    {"sac.h", sac_h},
    {"sac_product.h", sac_product_h},
    {"sac.cu", sac_cu},
    {"sac_forward.cu", sac_forward_cu},
    {"sac_backward.cu", sac_backward_cu},
    {"sac_actor.cu", sac_actor_cu},
    {"training.cu", training_cu},
    {"update.cu", update_cu},
};

size_t cuda_source_count(void) { return sizeof sources / sizeof *sources; }

struct cuda_source cuda_source_at(size_t index) { return sources[index]; }
