import Foundation
import Files
import PythonFiles
import TestSupport
import Testing

/// Files of PyTorch 2.13's torch.save.
struct TorchFileTests {
    private static let data = GoldenData(Bundle.module)

    private static let expected: [String: (shape: [Int], values: [Float])] = [
        "f32": ([3, 4], (0..<12).map(Float.init)), "f64": ([2], [0.1, -2.5]),
        "f16": ([3], [1.5, -65504, 5.9604645e-8]), "bf16": ([3], [1, -3.140625, 1.00025555e30]),
        "i64": ([1, 2], [1, -2]), "i32": ([2], [7, -8]), "i16": ([2], [300, -300]),
        "i8": ([2], [-5, 5]), "u8": ([2], [250, 1]), "boolean": ([2], [1, 0]),
        "transposed": ([4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
        "part": ([2, 2], [5, 6, 9, 10]), "scalar": ([], [4.25]), "empty": ([0, 3], []),
        "parameter": ([2], [9, 8]),
    ]

    @Test(arguments: ["types.pt", "types_legacy.pt"])
    func `tensors of every type, order and view are read from both containers`(
        name: String
    ) throws {
        let file = try TorchFile(contentsOf: Self.data.url(name))
        let tensors = try file.tensors()
        #expect(Set(tensors.keys) == Set(Self.expected.keys))
        for (key, expected) in Self.expected {
            let tensor = try #require(tensors[key])
            #expect(tensor.shape == expected.shape, "\(key)")
            let values = try file.floats(tensor, called: key)
            #expect(
                zip(values, expected.values).allSatisfy { abs($0 - $1) <= 1e-6 * abs($1) }
                    && values.count == expected.values.count, "\(key): \(values)")
        }
    }

    @Test func `a state within a dictionary is found`() throws {
        let file = try TorchFile(contentsOf: Self.data.url("nested.pt"))
        let tensors = try file.tensors()
        let tensor = try #require(tensors["a"])
        #expect(try file.floats(tensor, called: "a") == [1])
    }

    @Test(arguments: [
        ("evil.pt", "system"), ("module.pt", "torch.nn.modules.linear.Linear"),
        ("expanded.pt", "storage"), ("stored.npz", "data.pkl"),
    ])
    func `what is no plain state is refused by name in one line`(
        name: String, word: String
    ) throws {
        let error = #expect(throws: PythonFileError.self) {
            _ = try TorchFile(contentsOf: Self.data.url(name)).tensors()
        }
        let line = "\(try #require(error))"
        #expect(line.contains(word) && !line.contains("\n") && line.contains(name), "\(line)")
    }

    @Test(arguments: ["types.pt", "types_legacy.pt"])
    func `a file that is cut short anywhere is refused`(name: String) throws {
        let bytes = try Data(contentsOf: Self.data.url(name))
        for length in stride(from: 0, to: bytes.count - 1, by: 37) {
            #expect(throws: PythonFileError.self) {
                let file = try TorchFile(data: bytes.prefix(length), name: "cut")
                for (key, tensor) in try file.tensors() {
                    _ = try file.floats(tensor, called: key)
                }
            }
        }
    }

    @Test func `what is written is read, tensors that share their numbers too`() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("state.pt")
        let pending = try PendingFile(for: url)
        try TorchFile.write(
            [
                TorchContent("a", shape: [2, 3], values: [1, 2, 3, 4, 5, -6.5]),
                TorchContent("b", shape: [3], values: [7, 8, 9]),
                TorchContent("c", shape: [3], values: nil),
            ], to: pending)
        try pending.commit()
        let file = try TorchFile(contentsOf: url)
        let tensors = try file.tensors()
        #expect(tensors.mapValues(\.shape) == ["a": [2, 3], "b": [3], "c": [3]])
        for (name, values) in ["a": [1, 2, 3, 4, 5, -6.5], "b": [7, 8, 9], "c": [7, 8, 9]]
            as [String: [Float]]
        {
            let tensor = try #require(tensors[name])
            #expect(try file.floats(tensor, called: name) == values)
        }
        // Content begins at multiples of 64, as PyTorch maps it.
        let bytes = try Data(contentsOf: url)
        let numbers = Data([0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64])
        let place = try #require(bytes.range(of: numbers))
        #expect(place.lowerBound.isMultiple(of: 64))
    }
}
