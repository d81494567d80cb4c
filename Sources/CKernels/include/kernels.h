// The fused loops between matrix products. Imported by Tensors only.
#pragma once
