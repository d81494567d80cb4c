import CUDA
import EmulatedCUDA
import Foundation
import TestSupport
import Testing

/// The device that the CPU emulates.
func emulatedDevice() throws -> Device {
    try Device(driver: Driver(name: "emulated") { emulated_cuda_symbol($0) })
}

@Suite struct EmulatedDeviceTests {
    private func scaling(factor: Int) -> KernelProgram {
        KernelProgram(
            files: [
                .init(
                    name: "device.h",
                    text: """
                        #pragma once
                        typedef unsigned int u32;
                        typedef unsigned char u8;
                        typedef unsigned short u16;
                        #include "on_cpu.h"
                        """),
                .init(
                    name: "scale.cu",
                    text: """
                        #include "device.h"
                        KERNEL(64, 1) scale(float *y, const float *x, int n, float offset) {
                            int i = blockIdx.x * blockDim.x + threadIdx.x;
                            if (i < n) y[i] = FACTOR * x[i] + offset;
                        }
                        """),
            ], units: ["scale.cu"], defines: ["FACTOR": "\(factor)"])
    }

    @Test func `a compiled kernel computes what its source says, with the program's constants`()
        throws
    {
        let device = try emulatedDevice()
        let kernels = try Kernels(scaling(factor: 3), on: device, cache: nil)
        let stream = try Stream(device)
        let x = try Buffer<Float>(count: 100, on: device)
        let y = try Buffer<Float>(count: 100, on: device)
        try stream.write((0..<100).map(Float.init), to: x)
        try stream.launch(
            kernels.kernel("scale"), grid: (2, 1), threads: 64, y, x, 90 as Int32, 0.5 as Float)
        let values = try stream.read(y)
        #expect(values[..<90] == (0..<90).map { 3 * Float($0) + 0.5 }[...])
        // What nobody wrote is poison.
        #expect(values[90...].allSatisfy { $0.isNaN })
    }

    @Test func `a graph runs again what was recorded, and nothing while it is recorded`() throws {
        let device = try emulatedDevice()
        let kernel = try Kernels(scaling(factor: 2), on: device, cache: nil).kernel("scale")
        let stream = try Stream(device)
        let x = try Buffer<Float>(count: 1, on: device)
        try stream.write([1], to: x)
        let graph = try stream.capture { () throws(CUDAError) in
            for _ in 0..<2 {
                try stream.launch(kernel, grid: (1, 1), threads: 64, x, x, 1 as Int32, 1 as Float)
            }
        }
        #expect(graph.nodeCount == 2)
        #expect(try stream.read(x) == [1])
        try stream.launch(graph)
        #expect(try stream.read(x) == [7])
        try stream.launch(graph)
        #expect(try stream.read(x) == [31])
    }

    @Test func `an image is taken from the cache for the same program alone`() throws {
        let folder = try TemporaryFolder()
        let cache = KernelCache(folder: folder.file("a/b").path)
        let device = try emulatedDevice()
        #expect(try !Kernels(scaling(factor: 2), on: device, cache: cache).wasCached)
        #expect(try Kernels(scaling(factor: 2), on: device, cache: cache).wasCached)
        #expect(try !Kernels(scaling(factor: 3), on: device, cache: cache).wasCached)
    }

    @Test func `a source with a mistake is an error that says where`() throws {
        var program = scaling(factor: 1)
        program.files[1].text += "\nint broken = missing;"
        let device = try emulatedDevice()
        let error = #expect(throws: CUDAError.self) {
            try Kernels(program, on: device, cache: nil)
        }
        #expect(error?.code == .compilation)
        #expect(error?.description.contains("scale.cu:6") == true)
    }

    @Test func `copies beyond a buffer, unknown kernels and missing drivers are refused`() throws {
        let device = try emulatedDevice()
        let kernels = try Kernels(scaling(factor: 1), on: device, cache: nil)
        #expect(throws: CUDAError.self) { try kernels.kernel("missing") }
        #expect(throws: CUDAError.self) { try Driver(path: "/nowhere/libcuda.so.1") }
        #expect(throws: CUDAError.self) {
            try Device(index: 1, driver: Driver(name: "emulated") { emulated_cuda_symbol($0) })
        }
    }
}
