// The CUDA driver functions that the engine uses, over kernels that run on the CPU.
//
// Work is done when it is asked for, not later, except between the beginning and the end of a
// graph. Memory is poisoned: all bits are one, so that floats are NaN and indices absurd until they
// are written, and again when it is freed.
#include "include/emulated_cuda.h"

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace {
typedef unsigned long long Address;
enum Result {
    success = 0,
    invalid_value = 1,
    out_of_memory = 2,
    invalid_image = 200,
    not_found = 500
};

/// What a compiled program exports (see compiler.cpp).
struct Program {
    int (*sizes)(const char *name, size_t *sizes);
    void (*launch)(const char *name, unsigned x, unsigned y, unsigned z, unsigned threads,
                   void **arguments);
    void *library;
};
struct Kernel {
    Program *program;
    std::string name;
    std::vector<size_t> sizes;
};
struct Module {
    Program program;
    std::map<std::string, std::unique_ptr<Kernel>> kernels;
};
struct Graph {
    std::vector<std::function<void()>> work;
};
struct Stream {
    std::unique_ptr<Graph> capturing;
};
struct Event {
    double seconds = 0;
};

/// Sizes of live allocations, by address.
std::map<Address, size_t> allocations;
std::mutex allocations_lock;

/// Whether `count` bytes at `address` lie in one allocation.
bool is_valid(Address address, size_t count) {
    std::lock_guard<std::mutex> guard(allocations_lock);
    auto entry = allocations.upper_bound(address);
    if (entry == allocations.begin()) return false;
    --entry;
    return address + count <= entry->first + entry->second;
}

void submit(void *stream, std::function<void()> work) {
    auto s = static_cast<Stream *>(stream);
    if (s && s->capturing) {
        s->capturing->work.push_back(std::move(work));
    } else {
        work();
    }
}

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

template <class T>
void *pointer(Address address) {
    return reinterpret_cast<T *>(address);
}
} // namespace

extern "C" {
int cuInit(unsigned) { return success; }
int cuDriverGetVersion(int *version) { return *version = 13000, success; }
int cuDeviceGetCount(int *count) { return *count = 1, success; }
int cuDeviceGet(int *device, int) { return *device = 0, success; }
int cuDeviceGetName(char *name, int size, int) {
    snprintf(name, (size_t)size, "a CPU that emulates a card");
    return success;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
    switch (attribute) {
        case 75:
            *value = 9;
            break; // compute capability
        case 76:
            *value = 0;
            break;
        case 16:
            *value = 4;
            break; // multiprocessors
        case 97:
            *value = 227 << 10;
            break; // shared memory of a block
        case 38:
            *value = 50 << 20;
            break; // second cache
        default:
            return invalid_value;
    }
    return success;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = (size_t)8 << 30, success; }
int cuDevicePrimaryCtxRetain(void **context, int) { return *context = (void *)16, success; }
int cuDevicePrimaryCtxRelease_v2(int) { return success; }
int cuCtxSetCurrent(void *) { return success; }
int cuMemGetInfo_v2(size_t *free, size_t *total) {
    return *free = *total = (size_t)8 << 30, success;
}

int cuModuleLoadData(void **result, const void *image) {
    // The image is a shared library behind its size in bytes.
    size_t size;
    memcpy(&size, image, sizeof size);
    const char *temporary = getenv("TMPDIR");
    std::string path = std::string(temporary ? temporary : "/tmp") + "/emulated-cuda-XXXXXX";
    int file = mkstemp(path.data());
    if (file < 0) return out_of_memory;
    auto bytes = static_cast<const char *>(image) + sizeof size;
    for (size_t done = 0; done < size;) {
        ssize_t written = write(file, bytes + done, size - done);
        if (written <= 0) return close(file), unlink(path.c_str()), out_of_memory;
        done += (size_t)written;
    }
    close(file);
    // The linker knows a library by its path, which no other has, and keeps it when the name is
    // gone.
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    unlink(path.c_str());
    if (!library) return fprintf(stderr, "emulated CUDA: %s\n", dlerror()), invalid_image;
    auto module = std::make_unique<Module>();
    module->program.library = library;
    module->program.sizes = (decltype(Program::sizes))dlsym(library, "emulated_kernel_sizes");
    module->program.launch = (decltype(Program::launch))dlsym(library, "emulated_kernel_launch");
    if (!module->program.sizes || !module->program.launch) return invalid_image;
    *result = module.release();
    return success;
}
int cuModuleUnload(void *module) {
    // The library stays: its threads' variables may still be destroyed later.
    delete static_cast<Module *>(module);
    return success;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
    auto m = static_cast<Module *>(module);
    auto &kernel = m->kernels[name];
    if (!kernel) {
        size_t sizes[64];
        int count = m->program.sizes(name, sizes);
        if (count < 0) return m->kernels.erase(name), not_found;
        kernel = std::make_unique<Kernel>(Kernel{&m->program, name, {sizes, sizes + count}});
    }
    *function = kernel.get();
    return success;
}
int cuFuncGetAttribute(int *value, int, void *) { return *value = 0, success; }
int cuFuncSetAttribute(void *, int, int) { return success; }

int cuMemAlloc_v2(Address *address, size_t bytes) {
    void *memory = nullptr;
    if (bytes == 0) return invalid_value;
    if (posix_memalign(&memory, 256, bytes)) return out_of_memory;
    memset(memory, 0xff, bytes);
    *address = reinterpret_cast<Address>(memory);
    std::lock_guard<std::mutex> guard(allocations_lock);
    allocations[*address] = bytes;
    return success;
}
int cuMemFree_v2(Address address) {
    {
        std::lock_guard<std::mutex> guard(allocations_lock);
        auto entry = allocations.find(address);
        if (entry == allocations.end()) return invalid_value;
        memset(pointer<void>(address), 0xff, entry->second);
        allocations.erase(entry);
    }
    free(pointer<void>(address));
    return success;
}
int cuMemAllocHost_v2(void **memory, size_t bytes) {
    if (posix_memalign(memory, 256, bytes)) return out_of_memory;
    return memset(*memory, 0xff, bytes), success;
}
int cuMemFreeHost(void *memory) { return free(memory), success; }
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) {
    if (!is_valid(to, bytes)) return invalid_value;
    submit(stream, [=] { memcpy(pointer<void>(to), from, bytes); });
    return success;
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *stream) {
    if (!is_valid(from, bytes)) return invalid_value;
    submit(stream, [=] { memcpy(to, pointer<void>(from), bytes); });
    return success;
}
int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *stream) {
    if (!is_valid(to, bytes) || !is_valid(from, bytes)) return invalid_value;
    submit(stream, [=] { memmove(pointer<void>(to), pointer<void>(from), bytes); });
    return success;
}
int cuMemsetD8Async(Address address, unsigned char byte, size_t bytes, void *stream) {
    if (!is_valid(address, bytes)) return invalid_value;
    submit(stream, [=] { memset(pointer<void>(address), byte, bytes); });
    return success;
}

int cuStreamCreate(void **stream, unsigned) { return *stream = new Stream, success; }
int cuStreamDestroy_v2(void *stream) { return delete static_cast<Stream *>(stream), success; }
int cuStreamSynchronize(void *stream) {
    // As on a card, waiting is not allowed while a graph is recorded.
    return static_cast<Stream *>(stream)->capturing ? 900 : success;
}
int cuStreamBeginCapture_v2(void *stream, int) {
    auto s = static_cast<Stream *>(stream);
    if (s->capturing) return invalid_value;
    s->capturing = std::make_unique<Graph>();
    return success;
}
int cuStreamEndCapture(void *stream, void **graph) {
    auto s = static_cast<Stream *>(stream);
    *graph = s->capturing.release();
    return *graph ? success : 901;
}
int cuGraphGetNodes(void *graph, void *, size_t *count) {
    return *count = static_cast<Graph *>(graph)->work.size(), success;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph, Address) {
    return *executable = new Graph(*static_cast<Graph *>(graph)), success;
}
int cuGraphLaunch(void *executable, void *stream) {
    for (auto &work : static_cast<Graph *>(executable)->work) submit(stream, work);
    return success;
}
int cuGraphDestroy(void *graph) { return delete static_cast<Graph *>(graph), success; }
int cuGraphExecDestroy(void *graph) { return delete static_cast<Graph *>(graph), success; }

int cuEventCreate(void **event, unsigned) { return *event = new Event, success; }
int cuEventDestroy_v2(void *event) { return delete static_cast<Event *>(event), success; }
int cuEventRecord(void *event, void *stream) {
    submit(stream, [=] { static_cast<Event *>(event)->seconds = now(); });
    return success;
}
int cuEventSynchronize(void *) { return success; }
int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    double seconds = static_cast<Event *>(to)->seconds - static_cast<Event *>(from)->seconds;
    return *milliseconds = (float)(1000 * seconds), success;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned,
                   unsigned, unsigned, void *stream, void **arguments, void **) {
    auto kernel = static_cast<Kernel *>(function);
    if (x == 0 || y == 0 || z == 0 || threads == 0 || threads > 1024 || x > 0x7fffffff || y > 65535)
        return invalid_value;
    // Arguments are copied when a launch is asked for.
    auto values = std::make_shared<std::vector<std::vector<char>>>();
    for (size_t i = 0; i < kernel->sizes.size(); i++) {
        auto bytes = static_cast<char *>(arguments[i]);
        values->emplace_back(bytes, bytes + kernel->sizes[i]);
    }
    submit(stream, [=] {
        std::vector<void *> copies;
        for (auto &value : *values) copies.push_back(value.data());
        kernel->program->launch(kernel->name.c_str(), x, y, z, threads, copies.data());
    });
    return success;
}
int cuGetErrorString(int result, const char **text) {
    *text = result == invalid_value   ? "invalid argument"
            : result == out_of_memory ? "out of memory"
            : result == invalid_image ? "device kernel image is invalid"
            : result == not_found     ? "named symbol not found"
            : result == 900           ? "operation not permitted when stream is capturing"
                                      : "unknown error";
    return success;
}

int tt_compile_kernels(int, const char *const *, const char *const *, const char *, int,
                       const char *const *, unsigned char **, size_t *);
void tt_free_kernels(unsigned char *);
const char *tt_compiler_version(void);

void *emulated_cuda_symbol(const char *name) {
#define FUNCTION(name)      \
    {                       \
        #name, (void *)name \
    }
    static const std::map<std::string, void *> functions = {
        FUNCTION(cuInit),
        FUNCTION(cuDriverGetVersion),
        FUNCTION(cuDeviceGetCount),
        FUNCTION(cuDeviceGet),
        FUNCTION(cuDeviceGetName),
        FUNCTION(cuDeviceGetAttribute),
        FUNCTION(cuDeviceTotalMem_v2),
        FUNCTION(cuDevicePrimaryCtxRetain),
        FUNCTION(cuDevicePrimaryCtxRelease_v2),
        FUNCTION(cuCtxSetCurrent),
        FUNCTION(cuMemGetInfo_v2),
        FUNCTION(cuModuleLoadData),
        FUNCTION(cuModuleUnload),
        FUNCTION(cuModuleGetFunction),
        FUNCTION(cuFuncGetAttribute),
        FUNCTION(cuFuncSetAttribute),
        FUNCTION(cuMemAlloc_v2),
        FUNCTION(cuMemFree_v2),
        FUNCTION(cuMemAllocHost_v2),
        FUNCTION(cuMemFreeHost),
        FUNCTION(cuMemcpyHtoDAsync_v2),
        FUNCTION(cuMemcpyDtoHAsync_v2),
        FUNCTION(cuMemcpyDtoDAsync_v2),
        FUNCTION(cuMemsetD8Async),
        FUNCTION(cuStreamCreate),
        FUNCTION(cuStreamDestroy_v2),
        FUNCTION(cuStreamSynchronize),
        FUNCTION(cuStreamBeginCapture_v2),
        FUNCTION(cuStreamEndCapture),
        FUNCTION(cuGraphGetNodes),
        FUNCTION(cuGraphInstantiateWithFlags),
        FUNCTION(cuGraphLaunch),
        FUNCTION(cuGraphDestroy),
        FUNCTION(cuGraphExecDestroy),
        FUNCTION(cuEventCreate),
        FUNCTION(cuEventDestroy_v2),
        FUNCTION(cuEventRecord),
        FUNCTION(cuEventSynchronize),
        FUNCTION(cuEventElapsedTime),
        FUNCTION(cuLaunchKernel),
        FUNCTION(cuGetErrorString),
        FUNCTION(tt_compile_kernels),
        FUNCTION(tt_free_kernels),
        FUNCTION(tt_compiler_version),
    };
#undef FUNCTION
    auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second;
}
}
