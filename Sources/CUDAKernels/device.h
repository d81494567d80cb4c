// What kernels use of the device: as CUDA, or on the CPU for tests. No header of the toolkit is
// needed.
#pragma once

typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned short u16;

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)

#define KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
/// The same in clusters of `size` neighbouring blocks, which run at once (sm_90 and later; alone
/// with 1).
#if __CUDA_ARCH__ >= 900
#define KERNEL_TOGETHER(threads, blocks, size)                                                     \
    extern "C" __global__ void __launch_bounds__(threads, blocks) __cluster_dims__(size, 1, 1)
#else
#define KERNEL_TOGETHER(threads, blocks, size) KERNEL(threads, blocks)
#endif
#define DEVICE __device__ __forceinline__
/// Memory of a block: a variable `name` of a type without constructor, at most 48 kB in a kernel.
#define SHARED(Type, name) __shared__ Type name
/// A function of a structure, a closure.
#define DEVICE_MEMBER __device__ __forceinline__

#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

/// Waits for all threads of the block.
DEVICE void sync_block() { __syncthreads(); }
/// Waits for all threads of the blocks that run together; what they wrote to memory is seen by all.
DEVICE void sync_together() {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
#else
    __syncthreads();
#endif
}
/// Two numbers that another block wrote, as they are in memory.
DEVICE float2 load_fresh2(const float *p) {
    float2 r;
    asm volatile("ld.global.cg.v2.f32 {%0,%1}, [%2];" : "=f"(r.x), "=f"(r.y) : "l"(p) : "memory");
    return r;
}
/// Waits for the warp; what its lanes wrote to shared memory is seen by the others.
DEVICE void sync_warp() { __syncwarp(); }
/// The value of the lane whose number differs by `mask`.
DEVICE float shuffle_xor(float x, int mask) { return __shfl_xor_sync(~0u, x, mask); }
DEVICE double shuffle_xor(double x, int mask) { return __shfl_xor_sync(~0u, x, mask); }

DEVICE u32 bits_of(float x) { return __float_as_uint(x); }
DEVICE float float_of(u32 x) { return __uint_as_float(x); }

/// e^x by the card's own unit: for x near 0 to about 2 units in the last place.
DEVICE float fast_exponential(float x) { return __expf(x); }

/// x / y for y below 2^126, to 2 units in the last place.
DEVICE float fast_quotient(float x, float y) { return __fdividef(x, y); }

/// Two numbers rounded to bfloat16, `low` in the low half.
DEVICE u32 pack_bf16(float low, float high) {
    u32 r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
}

/// c += a b with a 16 x 16, b 16 x 8, both bfloat16, and float sums. With g = lane / 4 and
/// t = lane % 4: a[0] = A[g][2t, 2t+1], a[1] = A[g+8][2t..], a[2] = A[g][2t+8..],
/// a[3] = A[g+8][2t+8..]; b[0] = B[2t, 2t+1][g], b[1] = B[2t+8..][g]; c[0], c[1] = C[g][2t, 2t+1],
/// c[2], c[3] = C[g+8][2t..].
DEVICE void mma_bf16(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// c += a b with a 16 x 8, b 8 x 8 in TF32 (the low 13 bits of operands count for nothing):
/// a[0] = A[g][t], a[1] = A[g+8][t], a[2] = A[g][t+4], a[3] = A[g+8][t+4]; b[0] = B[t][g],
/// b[1] = B[t+4][g]; c as in mma_bf16.
DEVICE void mma_tf32(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Four 8 x 8 matrices of bfloat16 from shared memory: lane l names row l % 8 of matrix l / 8, 16
/// bytes aligned to 16. r[i] = elements 2t, 2t + 1 of row g of matrix i, the lower in the low half.
DEVICE void load_matrices(u32 (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"((u32)__cvta_generic_to_shared(row)) : "memory");
}
/// The same of the transposed matrices: r[i] = elements g of rows 2t, 2t + 1.
DEVICE void load_matrices_turned(u32 (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"((u32)__cvta_generic_to_shared(row)) : "memory");
}

/// Begins to copy 16 bytes from global to shared memory, both aligned to 16; zeros where not
/// `valid`.
DEVICE void copy_async(void *to, const void *from, bool valid) {
    u32 place = (u32)__cvta_generic_to_shared(to), bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :: "r"(place), "l"(from), "r"(bytes) : "memory");
}
/// Ends a group of copies.
DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `pending` of this thread's groups are under way.
template <int pending> DEVICE void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" :: "n"(pending) : "memory");
}

#else
#include "on_cpu.h"
#endif
