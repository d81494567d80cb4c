// CUDA's thread blocks on one CPU thread: each CUDA thread is a coroutine that yields at barriers.
//
// A warp's operations (shuffles, matrix products) happen when the last of its 32 lanes arrives. One
// warp runs ahead of the others as far as it may, so that a missing barrier shows; `reversed` turns the
// order of warps and lanes around. Shared memory starts as NaN in every block.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#define KERNEL(threads, blocks) static void
#define KERNEL_TOGETHER(threads, blocks, size) static void
#define DEVICE static inline
#define DEVICE_MEMBER inline
#define SHARED(Type, name)                                                                         \
    static char name##_place;                                                                      \
    Type &name = *static_cast<Type *>(cpu::shared(&name##_place, sizeof(Type)))
#define __restrict__

struct dim3 {
    u32 x = 1, y = 1, z = 1;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) uint4 {
    u32 x, y, z, w;
};
struct alignas(8) uint2 {
    u32 x, y;
};
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline uint4 make_uint4(u32 x, u32 y, u32 z, u32 w) { return {x, y, z, w}; }
static inline uint2 make_uint2(u32 x, u32 y) { return {x, y}; }
static inline float fast_exponential(float x) { return std::exp(x); }
static inline float fast_quotient(float x, float y) { return x / y; }
static inline float rsqrtf(float x) { return 1 / std::sqrt(x); }

inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#if !defined(__has_feature) || !__has_feature(address_sanitizer)
#define CPU_OWN_SWITCH 1
/// Saves the callee's registers and the stack's place at *save, continues at `load`. What the
/// library's swapcontext does, without its system call for the signal mask.
extern "C" void emulated_cuda_switch(void **save, void *load);
asm(".section .text.emulated_cuda_switch,\"axG\",@progbits,emulated_cuda_switch,comdat\n"
    ".weak emulated_cuda_switch\n.type emulated_cuda_switch,@function\nemulated_cuda_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp,(%rdi)\n"
    "mov %rsi,%rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n.previous\n");
#endif
#endif
#ifndef CPU_OWN_SWITCH
#include <ucontext.h>
#endif

namespace cpu {
constexpr int STACK = 1 << 18;

struct Fiber {
#ifdef CPU_OWN_SWITCH
    void *stack_place = nullptr;
#else
    ucontext_t context;
#endif
    std::unique_ptr<char[]> stack{new char[STACK]};
    bool done = false;
    /// The fiber waits until *counter differs from `seen`.
    const long *counter = nullptr;
    long seen = 0;
    /// Asynchronous copies that were not waited for, and groups of them begun so far.
    struct Copy {
        void *to;
        const void *from;
        long group;
    };
    std::vector<Copy> copies;
    long copy_groups = 0;
};

/// What blocks that run together share: a barrier.
struct Together {
    int threads = 0, finished = 0, waiting = 0;
    long generation = 0;

    /// Opens the barrier if all threads that are left have come.
    void release() {
        if (waiting > 0 && waiting + finished == threads) {
            waiting = 0;
            generation++;
        }
    }
};

/// One operation of a warp, made of what its lanes brought.
struct Warp {
    long generation = 0;
    int arrived = 0;
    u32 operands[32][6];
    float *sums[32];
    uint64_t values[32], results[32];
    u32 *words[32];
};

struct Block {
    std::vector<std::unique_ptr<Fiber>> fibers;
    std::vector<Warp> warps;
    std::map<const void *, std::pair<std::unique_ptr<char[]>, size_t>> shared;
    const std::function<void()> *body = nullptr;
    int threads = 0, current = 0, finished = 0, waiting = 0;
    long generation = 0;
    dim3 index;
    Together *together = nullptr;
#ifdef CPU_OWN_SWITCH
    void *scheduler = nullptr;
#else
    ucontext_t scheduler;
#endif

    /// The block that runs.
    static Block *&running() {
        static thread_local Block *block = nullptr;
        return block;
    }
    static Block &now() { return *running(); }

    static void entry() {
        Block &b = now();
        (*b.body)();
        b.fibers[b.current]->done = true;
        b.finished++;
        b.release();
        b.together->finished++;
        b.together->release();
        b.leave();
        abort();
    }

    /// Opens the block's barrier if all threads that are left have come.
    void release() {
        if (waiting > 0 && waiting + finished == threads) {
            waiting = 0;
            generation++;
        }
    }

    void leave() {
        Fiber &f = *fibers[current];
#ifdef CPU_OWN_SWITCH
        emulated_cuda_switch(&f.stack_place, scheduler);
#else
        swapcontext(&f.context, &scheduler);
#endif
    }

    void enter(int thread) {
        current = thread;
        threadIdx = {(u32)thread, 0, 0};
        Fiber &f = *fibers[thread];
#ifdef CPU_OWN_SWITCH
        emulated_cuda_switch(&scheduler, f.stack_place);
#else
        swapcontext(&scheduler, &f.context);
#endif
    }

    void wait(const long &counter) {
        Fiber &f = *fibers[current];
        f.counter = &counter;
        f.seen = counter;
        leave();
    }

    void prepare(int thread) {
        Fiber &f = *fibers[thread];
        f.done = false;
        f.counter = nullptr;
        f.copies.clear();
        f.copy_groups = 0;
#ifdef CPU_OWN_SWITCH
        auto top = (reinterpret_cast<uintptr_t>(f.stack.get()) + STACK) & ~uintptr_t(15);
        auto place = reinterpret_cast<void **>(top);
        *--place = nullptr;  // where entry would return to
        *--place = reinterpret_cast<void *>(&entry);
        for (int i = 0; i < 6; i++) *--place = nullptr;
        f.stack_place = place;
#else
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack.get();
        f.context.uc_stack.ss_size = STACK;
        f.context.uc_link = nullptr;
        makecontext(&f.context, entry, 0);
#endif
    }

    void begin(int count, dim3 place, Together &others, const std::function<void()> &work) {
        threads = count;
        index = place;
        together = &others;
        body = &work;
        finished = waiting = 0;
        generation = 0;
        while ((int)fibers.size() < threads) fibers.emplace_back(new Fiber);
        warps.assign((threads + 31) / 32, Warp());
        for (auto &entry : shared) memset(entry.second.first.get(), 0xff, entry.second.second);
        for (int i = 0; i < threads; i++) prepare(i);
    }

    /// Lets every warp run as far as it may; false where none could.
    bool advance(bool reversed) {
        running() = this;
        blockIdx = index;
        bool progress = false;
        for (int n = 0; n < (int)warps.size(); n++) {
            int warp = reversed ? (int)warps.size() - 1 - n : n;
            for (bool moved = true; moved;) {
                moved = false;
                for (int k = 0; k < 32; k++) {
                    int thread = warp * 32 + (reversed ? 31 - k : k);
                    if (thread >= threads) continue;
                    Fiber &f = *fibers[thread];
                    if (f.done || (f.counter && *f.counter == f.seen)) continue;
                    f.counter = nullptr;
                    enter(thread);
                    moved = progress = true;
                }
            }
        }
        return progress;
    }
};

/// Memory of the block, the same for all threads that ask at one place.
inline void *shared(const void *place, size_t size) {
    auto &entry = Block::now().shared[place];
    if (entry.second < size) {
        entry = {std::unique_ptr<char[]>(new char[size + 16]), size};
        memset(entry.first.get(), 0xff, size);
    }
    return entry.first.get() + (16 - reinterpret_cast<uintptr_t>(entry.first.get()) % 16) % 16;
}

/// Runs `operation(warp)` when the last lane of a warp has come.
template <class Bring, class Operation> void of_warp(Bring bring, Operation operation) {
    Block &b = Block::now();
    Warp &w = b.warps[b.current / 32];
    bring(w, b.current % 32);
    int lanes = b.threads - b.current / 32 * 32;
    if (++w.arrived == (lanes < 32 ? lanes : 32)) {
        operation(w);
        w.arrived = 0;
        w.generation++;
    } else {
        b.wait(w.generation);
    }
}

/// kernel<<<grid, threads>>>(arguments...), `size` neighbouring blocks together.
template <class Body>
void launch(dim3 grid, u32 threads, bool reversed, const Body &body, int size = 1) {
    static thread_local std::vector<std::unique_ptr<Block>> blocks;
    gridDim = grid;
    blockDim = {threads, 1, 1};
    std::function<void()> work = body;
    while ((int)blocks.size() < size) blocks.emplace_back(new Block);
    for (auto &block : blocks) block->shared.clear();
    for (u32 z = 0; z < grid.z; z++)
        for (u32 y = 0; y < grid.y; y++)
            for (u32 x = 0; x < grid.x; x += (u32)size) {
                Together together;
                together.threads = (int)threads * size;
                for (int i = 0; i < size; i++)
                    blocks[i]->begin((int)threads, {x + (u32)i, y, z}, together, work);
                while (together.finished < together.threads) {
                    bool progress = false;
                    for (int i = 0; i < size; i++)
                        progress |= blocks[reversed ? size - 1 - i : i]->advance(reversed);
                    if (!progress) {
                        fprintf(stderr, "emulated CUDA: block (%u, %u, %u) cannot go on: not all "
                                "threads come to a barrier\n", x, y, z);
                        abort();
                    }
                }
            }
}

template <class Value> Value exchange(Value x, int mask) {
    int lane = Block::now().current % 32;
    uint64_t result[1];
    auto &mine = Block::now().warps[Block::now().current / 32].results;
    of_warp(
        [&](Warp &w, int lane) { memcpy(&w.values[lane], &x, sizeof x); },
        [&](Warp &w) {
            for (int i = 0; i < 32; i++) mine[i] = w.values[i ^ mask];
        });
    // Nobody brings anything new before all lanes have come again, this one among them.
    result[0] = mine[lane];
    memcpy(&x, result, sizeof x);
    return x;
}

inline float from_bf16(u32 half) {
    u32 u = (half & 0xffff) << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

/// The nearest float that is no larger in magnitude: tensor cores cut their sums off.
inline float cut(double x) {
    float f = (float)x;
    return std::abs((double)f) > std::abs(x) ? std::nextafter(f, 0.0f) : f;
}

/// c += a b of a warp: a 16 x depth, b depth x 8, element (row, d) as `a` and `b` take it from operands.
template <int depth, class A, class B>
void product(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2], A left, B right) {
    of_warp(
        [&](Warp &w, int lane) {
            memcpy(&w.operands[lane][0], a, 16);
            memcpy(&w.operands[lane][4], b, 8);
            w.sums[lane] = c;
        },
        [&](Warp &w) {
            alignas(64) double x[16][depth], y[depth][8], z[16][8] = {};
            for (int row = 0; row < 16; row++)
                for (int d = 0; d < depth; d++) x[row][d] = left(w, row, d);
            for (int d = 0; d < depth; d++)
                for (int column = 0; column < 8; column++) y[d][column] = right(w, d, column);
            for (int row = 0; row < 16; row++)
                for (int d = 0; d < depth; d++)
                    for (int column = 0; column < 8; column++)
                        z[row][column] += x[row][d] * y[d][column];
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < 4; i++) {
                    float &sum = w.sums[lane][i];
                    sum = cut(sum + z[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2]);
                }
        });
}
}  // namespace cpu

static inline void sync_block() {
    auto &b = cpu::Block::now();
    b.waiting++;
    if (b.waiting + b.finished == b.threads)
        b.release();
    else
        b.wait(b.generation);
}
static inline void sync_together() {
    auto &b = cpu::Block::now();
    auto &t = *b.together;
    t.waiting++;
    if (t.waiting + t.finished == t.threads)
        t.release();
    else
        b.wait(t.generation);
}
static inline float2 load_fresh2(const float *p) { return {p[0], p[1]}; }
static inline void sync_warp() { cpu::of_warp([](cpu::Warp &, int) {}, [](cpu::Warp &) {}); }
static inline float shuffle_xor(float x, int mask) { return cpu::exchange(x, mask); }
static inline double shuffle_xor(double x, int mask) { return cpu::exchange(x, mask); }

static inline u32 bits_of(float x) {
    u32 u;
    memcpy(&u, &x, 4);
    return u;
}
static inline float float_of(u32 x) {
    float f;
    memcpy(&f, &x, 4);
    return f;
}
static inline u32 bf16_of(float x) {
    u32 u = bits_of(x);
    return x != x ? (u >> 16) | 0x40 : (u + 0x7fff + ((u >> 16) & 1)) >> 16;
}
static inline u32 pack_bf16(float low, float high) { return bf16_of(low) | bf16_of(high) << 16; }

static inline void mma_bf16(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    cpu::product<16>(
        c, a, b,
        [](const cpu::Warp &w, int row, int d) {
            return cpu::from_bf16(
                w.operands[row % 8 * 4 + d % 8 / 2][row / 8 + d / 8 * 2] >> (d % 2 * 16));
        },
        [](const cpu::Warp &w, int d, int column) {
            return cpu::from_bf16(w.operands[column * 4 + d % 8 / 2][4 + d / 8] >> (d % 2 * 16));
        });
}
static inline void mma_tf32(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    cpu::product<8>(
        c, a, b,
        [](const cpu::Warp &w, int row, int d) {
            return float_of(w.operands[row % 8 * 4 + d % 4][row / 8 + d / 4 * 2] & 0xffffe000);
        },
        [](const cpu::Warp &w, int d, int column) {
            return float_of(w.operands[column * 4 + d % 4][4 + d / 4] & 0xffffe000);
        });
}

/// Four 8 x 8 matrices whose rows the lanes name.
static inline void load_matrices(u32 (&r)[4], const void *row, bool turned) {
    cpu::of_warp(
        [&](cpu::Warp &w, int lane) {
            w.values[lane] = reinterpret_cast<uint64_t>(row);
            w.words[lane] = r;
        },
        [&](cpu::Warp &w) {
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < 4; i++) {
                    auto rows = &w.values[8 * i];
                    int g = lane / 4, t = lane % 4;
                    auto at = [&](int r, int c) {
                        return (u32) reinterpret_cast<const uint16_t *>(rows[r])[c];
                    };
                    w.words[lane][i] = turned ? at(2 * t, g) | at(2 * t + 1, g) << 16
                                              : at(g, 2 * t) | at(g, 2 * t + 1) << 16;
                }
        });
}
static inline void load_matrices(u32 (&r)[4], const void *row) { load_matrices(r, row, false); }
static inline void load_matrices_turned(u32 (&r)[4], const void *row) {
    load_matrices(r, row, true);
}

// Copies happen when they are waited for; until then NaN stands in their place.
static inline void copy_async(void *to, const void *from, bool valid) {
    auto &f = *cpu::Block::now().fibers[cpu::Block::now().current];
    memset(to, 0xff, 16);
    f.copies.push_back({to, valid ? from : nullptr, f.copy_groups});
}
static inline void commit_copies() {
    auto &b = cpu::Block::now();
    b.fibers[b.current]->copy_groups++;
}
template <int pending> static inline void wait_for_copies() {
    auto &f = *cpu::Block::now().fibers[cpu::Block::now().current];
    size_t done = 0;
    for (; done < f.copies.size() && f.copies[done].group + pending < f.copy_groups; done++) {
        auto &c = f.copies[done];
        if (c.from)
            memcpy(c.to, c.from, 16);
        else
            memset(c.to, 0, 16);
    }
    f.copies.erase(f.copies.begin(), f.copies.begin() + (long)done);
}
