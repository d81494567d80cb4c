// All kernel bodies; the including file defines FN(name), LANES and, where needed, a target attribute.
#include "../include/kernels.h"
#include <math.h>
#include <string.h>

#include "vector.h"

#include "product.h"

#include "attention.h"
#include "loss.h"
#include "optimizer.h"
#include "path_attention.h"
#include "rows.h"
