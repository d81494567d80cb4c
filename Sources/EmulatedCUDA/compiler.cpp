// The emulated driver's compiler: the kernels' sources become a shared library by clang++ (or what
// the environment variable EMULATED_CUDA_COMPILER names), with the same macros that NVRTC gets.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern "C" char **environ;

namespace {
const char on_cpu_h[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#embed "on_cpu.h" suffix(, 0)
#pragma clang diagnostic pop
};

/// Between the kernels and the driver: launches a kernel by name, with arguments by address.
const char glue[] = R"cpp(
#include <tuple>
#include <utility>
    namespace {
    template <class... A, size_t... I>
    void emulated_call(void (*f)(A...), dim3 grid, u32 threads, void **p, int together,
                       std::index_sequence<I...>) {
        std::tuple<A...> a{*(A *)p[I]...};
        cpu::launch(
            grid, threads, getenv("EMULATED_CUDA_REVERSED") != nullptr, [&] { std::apply(f, a); },
            together);
    }
    template <class... A>
    void emulated_call(void (*f)(A...), dim3 grid, u32 threads, void **p, int together) {
        emulated_call(f, grid, threads, p, together, std::index_sequence_for<A...>{});
    }
    template <class... A>
    int emulated_sizes(void (*)(A...), size_t *sizes) {
        size_t all[] = {sizeof(A)..., 0};
        for (size_t i = 0; i < sizeof...(A); i++) sizes[i] = all[i];
        return (int)sizeof...(A);
    }
    } // namespace
)cpp";

bool write_file(const std::string &path, const std::string &text) {
    FILE *file = fopen(path.c_str(), "wb");
    if (!file) return false;
    bool good = fwrite(text.data(), 1, text.size(), file) == text.size();
    return fclose(file) == 0 && good;
}

std::string read_file(const std::string &path) {
    std::string text;
    FILE *file = fopen(path.c_str(), "rb");
    if (!file) return text;
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
    fclose(file);
    return text;
}

struct Declared {
    std::string name;
    /// How many blocks run together, as an expression.
    std::string together;
};

/// The kernels that a source declares: KERNEL(...) name( or KERNEL_TOGETHER(..., size) name(.
std::vector<Declared> declared_kernels(const std::string &text) {
    std::vector<Declared> kernels;
    for (size_t at = 0; (at = text.find("\nKERNEL", at)) != std::string::npos;) {
        size_t open = text.find('(', at), last = open + 1;
        std::string macro = text.substr(at + 1, open - at - 1);
        at = open;
        if (macro != "KERNEL" && macro != "KERNEL_TOGETHER") continue;
        int depth = 0;
        do {
            depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
            if (depth == 1 && text[at] == ',') last = at + 1;
            at++;
        } while (depth > 0 && at < text.size());
        std::string together = macro == "KERNEL" ? "1" : text.substr(last, at - 1 - last);
        while (at < text.size() && isspace((unsigned char)text[at])) at++;
        size_t end = at;
        while (end < text.size() && (isalnum((unsigned char)text[end]) || text[end] == '_')) end++;
        kernels.push_back({text.substr(at, end - at), together});
    }
    return kernels;
}

int run(std::vector<std::string> words, const std::string &log) {
    std::vector<char *> arguments;
    for (auto &word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child;
    int status = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0) return status;
    while (waitpid(child, &status, 0) < 0) {
    }
    return status;
}
} // namespace

extern "C" {
/// The folder's files `names` with `texts`, of which `unit` includes those to be compiled, as an
/// image for cuModuleLoadData; a message and 1 where that fails.
int tt_compile_kernels(int count, const char *const *names, const char *const *texts,
                       const char *unit, int option_count, const char *const *options,
                       unsigned char **image, size_t *size) {
    auto answer = [&](const std::string &bytes, int result) {
        *image = static_cast<unsigned char *>(malloc(bytes.size() + 1));
        memcpy(*image, bytes.data(), bytes.size());
        *size = bytes.size();
        return result;
    };
    const char *temporary = getenv("TMPDIR");
    std::string folder = std::string(temporary ? temporary : "/tmp") + "/emulated-cuda-XXXXXX";
    if (!mkdtemp(folder.data())) return answer("cannot make a folder for temporary files", 1);
    std::vector<std::string> made = {folder + "/on_cpu.h"};
    bool good = write_file(made[0], on_cpu_h);
    std::string calls, sizes;
    for (int i = 0; i < count; i++) {
        made.push_back(folder + "/" + names[i]);
        good = good && write_file(made.back(), texts[i]);
    }
    // Only what the unit really includes can be called: ask the preprocessor which files those are.
    std::string source = folder + "/unit.cpp", library = folder + "/kernels.so",
                log = folder + "/log";
    const char *compiler = getenv("EMULATED_CUDA_COMPILER");
    std::vector<std::string> base = {compiler ? compiler : "clang++", "-std=c++17", "-I" + folder};
    for (int i = 0; i < option_count; i++) base.push_back(options[i]);
    good = good && write_file(source, unit);
    std::vector<std::string> preprocess = base;
    preprocess.insert(preprocess.end(), {"-E", "-DKERNEL_NAMES", "-MM", source});
    std::string message = "cannot write temporary files";
    if (good) good = run(preprocess, log) == 0;
    if (good) {
        std::string included = read_file(log);
        for (int i = 0; i < count; i++) {
            if (included.find(std::string("/") + names[i]) == std::string::npos) continue;
            for (auto &kernel : declared_kernels(std::string("\n") + texts[i])) {
                std::string found = "    if (!strcmp(name, \"" + kernel.name + "\")) return ";
                calls += found + "emulated_call(" + kernel.name +
                         ", {x, y, z}, threads, arguments, " + kernel.together + ");\n";
                sizes += found + "emulated_sizes(" + kernel.name + ", sizes);\n";
            }
        }
        std::string text =
            std::string(unit) + glue +
            "extern \"C\" __attribute__((visibility(\"default\"))) int emulated_kernel_sizes(const "
            "char *name, "
            "size_t *sizes) {\n" +
            sizes + "    return -1;\n}\n" +
            "extern \"C\" __attribute__((visibility(\"default\"))) void "
            "emulated_kernel_launch(const char *name, "
            "unsigned x, unsigned y, unsigned z, unsigned threads, void **arguments) {\n" +
            calls + "}\n";
        good = write_file(source, text);
        std::vector<std::string> compile = base;
        compile.insert(compile.end(),
                       {"-O2", "-g0", "-march=native", "-ffp-contract=off", "-shared", "-fPIC",
                        "-fvisibility=hidden", "-w", "-o", library, source});
        good = good && run(compile, log) == 0;
    }
    std::string result;
    if (good) {
        result = read_file(library);
        size_t length = result.size();
        result.insert(0, reinterpret_cast<const char *>(&length), sizeof length);
    } else {
        message = read_file(log);
        if (message.empty()) message = "clang++ cannot be started";
    }
    for (auto &path : made) remove(path.c_str());
    for (auto &path : {source, library, log}) remove(path.c_str());
    rmdir(folder.c_str());
    return good ? answer(result, 0) : answer(message.substr(0, 2000), 1);
}

void tt_free_kernels(unsigned char *image) { free(image); }

/// Changes with on_cpu.h and with this file's flags.
const char *tt_compiler_version(void) {
    static const std::string version = [] {
        unsigned long long hash = 0xcbf29ce484222325;
        for (const char *text : {on_cpu_h, glue})
            for (const char *p = text; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
        const char *compiler = getenv("EMULATED_CUDA_COMPILER");
        return "emulated " + std::to_string(hash) + (compiler ? compiler : "");
    }();
    return version.c_str();
}
}
