// HDF5's C API. Its type and property-list constants are macros that call functions, which Swift
// cannot import: the inline functions below give them names.
#pragma once
#include <hdf5.h>
