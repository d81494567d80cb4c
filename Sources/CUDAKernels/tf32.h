// Floats as sums of two TF32 numbers, for products of the tensor cores that are as exact as float's.
#pragma once
#include "device.h"

/// An operand as the sum of two TF32 numbers: the first rounded, the second what is left, cut off
/// by the product; together exact to 2^-21. Where the sum is lost in rounding a NaN or an infinity,
/// the second is a NaN.
DEVICE void split(u32 x, u32 &high, u32 &low) {
    high = (x + 0x1000u) & 0xffffe000u;
    low = bits_of(float_of(x) - float_of(high));
}
