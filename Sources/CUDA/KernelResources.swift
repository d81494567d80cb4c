/// What a kernel needs of a multiprocessor, as the assembler reports it.
public struct KernelResources: Sendable, Hashable {
    /// The kernel.
    public var name: String
    /// Registers of a thread.
    public var registers = 0
    /// Bytes of local memory that registers are spilled to, stores and loads together.
    public var spills = 0
    /// Bytes of a thread's stack.
    public var stack = 0
    /// Bytes of static shared memory of a block.
    public var shared = 0

    /// Reads the report of `--ptxas-options=-v`.
    static func all(in log: String) -> [KernelResources] {
        var kernels: [KernelResources] = []
        for line in log.split(separator: "\n") {
            let words = line.split { " ,'".contains($0) }
            func number(before word: Substring, after skipped: Int = 0) -> Int {
                guard
                    let index = words.indices.dropFirst(skipped).first(where: { words[$0] == word }
                    ),
                    index > 0
                else { return 0 }
                return Int(words[index - 1]) ?? 0
            }
            if let index = words.firstIndex(of: "function"), line.contains("Compiling entry") {
                kernels.append(KernelResources(name: String(words[index + 1])))
            } else if line.contains("bytes stack frame"), !kernels.isEmpty {
                // "8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads"
                let numbers = words.compactMap { Int($0) }
                guard numbers.count >= 3 else { continue }
                kernels[kernels.count - 1].stack = numbers[numbers.count - 3]
                kernels[kernels.count - 1].spills = numbers.suffix(2).reduce(0, +)
            } else if line.contains(" Used "), !kernels.isEmpty {
                // "Used 40 registers, used 1 barriers, 10240 bytes smem"
                kernels[kernels.count - 1].registers = number(before: "registers")
                if let smem = words.firstIndex(of: "smem"), smem >= 2 {
                    kernels[kernels.count - 1].shared = Int(words[smem - 2]) ?? 0
                }
            }
        }
        return kernels
    }
}
