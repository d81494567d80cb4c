// The part of oneDNN's C API that the engine uses.
#pragma once
#include <oneapi/dnnl/dnnl.h>
