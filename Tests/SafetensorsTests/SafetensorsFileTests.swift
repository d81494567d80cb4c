import Foundation
import Safetensors
import Testing

@Suite struct SafetensorsFileTests {
    private func sample() -> SafetensorsFile {
        var file = SafetensorsFile()
        file.set(
            "floats", [1.5, -0.0, .infinity, .leastNonzeroMagnitude] as [Float], shape: [2, 2])
        file.set("doubles", [0.1, -1e300], shape: [2, 1])
        file.set("integers", [-7, 1 << 30] as [Int32], shape: [2])
        file.set("empty", [Float](), shape: [0, 3])
        file.metadata["note"] = "ä"
        return file
    }

    @Test func `what is written is read back bit for bit`() throws {
        let file = try SafetensorsFile(data: sample().serialized(), name: "memory")
        #expect(
            try file.floats("floats").map(\.bitPattern)
                == [1.5, -0.0, .infinity, .leastNonzeroMagnitude].map(\Float.bitPattern))
        #expect(try file.doubles("doubles") == [0.1, -1e300])
        #expect(try file.integers("integers") == [-7, 1 << 30])
        #expect(try file.shape(of: "empty") == [0, 3])
        #expect(file.metadata == ["note": "ä"])
    }

    @Test func `half precision widens exactly, subnormals and infinities included`() throws {
        let header = #"{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}"#
        var data = Data(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) })
        data.append(Data(header.utf8))
        for bits: UInt16 in [0x3C00, 0xC000, 0x0001, 0x83FF, 0x7C00, 0x3555] {
            data.append(withUnsafeBytes(of: bits.littleEndian) { Data($0) })
        }
        let halves = try SafetensorsFile(data: data, name: "memory").floats("h")
        #expect(halves == [1, -2, 0x1p-24, -1023 * 0x1p-24, .infinity, 0.333251953125])
    }

    @Test func `half precision is written rounded to the nearest, ties to even`() throws {
        let pairs: [(Float, Float)] = [
            (1, 1), (-0.5, -0.5), (0, 0), (1 + 0x1p-11, 1), (1 + 0x1.8p-10, 1 + 0x1p-9),
            (1 + 0x1.1p-11, 1 + 0x1p-10), (0x1.ffcp-1, 0x1.ffcp-1), (0x1.fffp-1, 1),
            (65_504, 65_504), (65_519, 65_504), (65_520, .infinity), (-1e9, -.infinity),
            (0x1p-24, 0x1p-24), (0x1p-25, 0), (0x1.8p-24, 0x1p-23), (-0x1.3p-16, -0x1.3p-16),
            (0x1.ff8p-15, 0x1.ff8p-15), (0x1.fffp-15, 0x1p-14),
        ]
        var file = SafetensorsFile()
        file.setHalf("x", pairs.map(\.0), shape: [pairs.count])
        let read = try SafetensorsFile(data: file.serialized(), name: "x").floats("x")
        #expect(read == pairs.map(\.1))
        // All numbers that there are stay as they are.
        var exact: [Float] = []
        for exponent in -14...15 {
            for fraction in 0..<1024 {
                exact.append(
                    Float(1024 + fraction) / 1024
                        * Float(sign: .plus, exponent: exponent, significand: 1))
            }
        }
        file.setHalf("x", exact + [.nan], shape: [exact.count + 1])
        let again = try file.floats("x")
        #expect(Array(again.dropLast()) == exact)
        #expect(again[exact.count].isNaN)
    }

    @Test func `bfloat16 widens exactly, and a type that is not read is refused when asked for`()
        throws
    {
        let header =
            #"{"b":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},"#
            + #""e":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[6,8]}}"#
        var data = Data(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) })
        data.append(Data(header.utf8))
        for bits: UInt16 in [0x3F80, 0xC040, 0x0001, 0] {
            data.append(withUnsafeBytes(of: bits.littleEndian) { Data($0) })
        }
        let file = try SafetensorsFile(data: data, name: "memory")
        #expect(try file.floats("b") == [1, -3, Float(bitPattern: 0x10000)])
        let error = #expect(throws: SafetensorsError.self) { try file.floats("e") }
        #expect(error?.code == .wrongType && error?.description.contains("F8_E4M3") == true)
    }

    /// A file of this header before `count` bytes.
    private func file(_ header: String, bytes count: Int) -> Data {
        Data(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) })
            + Data(header.utf8) + Data(count: count)
    }

    @Test func `tensors that share bytes are refused, so that a small file stays small`() throws {
        let entry = #"{"dtype":"F32","shape":[2],"data_offsets":"#
        for offsets in ["[0,8]", "[4,12]"] {
            let data = file(#"{"a":\#(entry)[0,8]},"b":\#(entry)\#(offsets)}}"#, bytes: 16)
            let error = #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(data: data, name: "shared")
            }
            #expect(
                error?.detail.contains("'a' and 'b' overlap") == true
                    || error?.detail.contains("'b' and 'a' overlap") == true)
        }
        let apart = file(#"{"a":\#(entry)[0,8]},"b":\#(entry)[8,16]}}"#, bytes: 16)
        #expect(try SafetensorsFile(data: apart, name: "apart").tensors.count == 2)
    }

    @Test(arguments: ["[9223372036854775807]", "[4611686018427387904,4]", "[-1]", "[1e300]"])
    func `a shape that no file can hold is refused`(_ shape: String) {
        let data = file(#"{"a":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,8]}}"#, bytes: 8)
        #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: data, name: "shape") }
    }

    @Test func `every truncation of a file is refused, never misread`() throws {
        let data = sample().serialized()
        for length in 0..<data.count {
            #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(data: data.prefix(length), name: "cut")
            }
        }
    }

    @Test func `a missing tensor and a wrong type are named in the message`() throws {
        let file = sample()
        let missing = #expect(throws: SafetensorsError.self) { try file.floats("weights") }
        #expect(missing?.description.contains("'weights'") == true)
        let wrong = #expect(throws: SafetensorsError.self) { try file.floats("integers") }
        #expect(wrong?.description.contains("I32") == true)
    }
}
