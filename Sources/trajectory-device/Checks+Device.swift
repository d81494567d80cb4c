import CUDA
import Transformer
import TransformerCUDA

extension Checks {
    /// Memory, the layout of products, graphs and the cache of kernels.
    mutating func checkDevice(_ device: Device) {
        run("memory") {
            let stream = try Stream(device)
            let buffer = try Buffer<Float>(count: 1 << 20, on: device)
            let other = try Buffer<Float>(count: 1 << 20, on: device)
            let values = (0..<(1 << 20)).map { Float($0) }
            try stream.write(values, to: buffer)
            try stream.copy(buffer, count: buffer.count, to: other)
            guard try stream.read(other) == values else {
                throw Failure(description: "4 MiB come back changed")
            }
            return "4 MiB there and back, \(try device.freeMemory() >> 20) MiB free"
        }
        run("compiler") {
            let start = ContinuousClock.now
            let compiled = try device.compiler.compile(
                Self.measuring.decoderPrograms(architecture: device.architecture)[0],
                architecture: device.architecture)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let resources = compiled.resources.map {
                "\($0.name) \($0.registers) registers, \($0.spills) bytes spilled"
            }
            return "\(compiled.image.count) bytes in \(seconds.digits(2)) s; "
                + resources.joined(separator: "; ")
        }
        run("cache of kernels") {
            let program = Self.measuring.program(["measure.cu"])
            _ = try Kernels(program, on: device)
            guard try Kernels(program, on: device).wasCached else {
                throw Failure(
                    description: "compiled kernels are not kept in "
                        + (KernelCache.user?.folder ?? "any folder: HOME is not set"))
            }
            return KernelCache.user?.folder ?? ""
        }
        for (name, depth) in [("multiply_bf16", 16), ("multiply_tf32", 8)] {
            run("layout of \(name)") {
                let stream = try Stream(device)
                let kernel = try Kernels(Self.measuring.program(["measure.cu"]), on: device)
                    .kernel(name)
                // Small whole numbers: the product is exact.
                let a = Self.wholeNumbers(16 * depth, 7, 13)
                let b = Self.wholeNumbers(depth * 8, 5, 11)
                let left = try Buffer<Float>(count: a.count, on: device)
                let right = try Buffer<Float>(count: b.count, on: device)
                let out = try Buffer<Float>(count: 128, on: device)
                try stream.write(a, to: left)
                try stream.write(b, to: right)
                try stream.launch(kernel, grid: (1, 1), threads: 32, out, left, right)
                var expected = [Float](repeating: 0, count: 128)
                for row in 0..<16 {
                    for column in 0..<8 {
                        for d in 0..<depth {
                            expected[row * 8 + column] += a[row * depth + d] * b[d * 8 + column]
                        }
                    }
                }
                guard try stream.read(out) == expected else {
                    throw Failure(description: "operands lie elsewhere than device.h says")
                }
                return "as device.h says"
            }
        }
        run("graph") {
            let stream = try Stream(device)
            let kernel = try Kernels(Self.measuring.program(["measure.cu"]), on: device)
                .kernel("multiply_tf32")
            let buffer = try Buffer<Float>(count: 128, on: device)
            try stream.fill(buffer)
            let graph = try stream.capture { () throws(CUDAError) in
                for _ in 0..<100 {
                    try stream.launch(
                        kernel, grid: (1, 1), threads: 32, buffer, buffer, buffer)
                }
            }
            try stream.launch(graph)
            let (before, after) = (try Event(device), try Event(device))
            try stream.record(before)
            for _ in 0..<10 { try stream.launch(graph) }
            try stream.record(after)
            let seconds = try after.seconds(since: before) / 1000
            return "\(graph.nodeCount) nodes, \((seconds * 1e6).digits(2)) us a node"
        }
    }

    private static func wholeNumbers(_ count: Int, _ factor: Int, _ modulus: Int) -> [Float] {
        (0..<count).map { index in
            let number: Int = (index * factor + index / 8) % modulus
            return Float(number - modulus / 2)
        }
    }

    /// The shape that kernels without a model are compiled for.
    static let measuring = KernelShape(DeviceShape.hopper.configuration, precision: .exact)
}
