// zlib's C API. Its initializer is a macro, which Swift cannot import.
#pragma once
#include <zlib.h>

// Begins to unpack a deflate stream without header, as it lies in zip archives.
static inline int czlib_inflate_raw(z_streamp stream) { return inflateInit2(stream, -MAX_WBITS); }
