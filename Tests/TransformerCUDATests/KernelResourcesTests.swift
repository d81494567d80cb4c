import CUDA
import Foundation
import LearningCUDA
import TestSupport
import Testing
import Trajectories
import Transformer
import TransformerCUDA

/// NVIDIA's compiler, where it can be had; `Scripts/bootstrap-nvrtc.sh` fetches it.
private let compiler = try? NVRTC()

/// Compiles all kernels at the paper's shapes for cards that are not here.
@Suite struct KernelResourcesTests {
    private static var architectures: [String] {
        let isLong = ProcessInfo.processInfo.environment["TRAJECTORY_LONG_TESTS"] != nil
        return ["sm_80", "sm_90"] + (isLong ? ["sm_86", "sm_89", "sm_100", "sm_120"] : [])
    }
    private static let layouts = [
        TransitionLayout(observationDimension: 11, actionDimension: 3),
        TransitionLayout(observationDimension: 17, actionDimension: 6),
    ]

    /// What kernels may need, by precision and name: registers, bytes spilled, bytes of shared
    /// memory.
    private static func limits() throws -> [String: [Int]] {
        let text = try String(
            contentsOf: GoldenData(.module).url("kernel_resources.txt"), encoding: .utf8)
        var limits: [String: [Int]] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            limits["\(words[0]) \(words[1])"] = words.dropFirst(2).compactMap { Int($0) }
        }
        return limits
    }

    @Test(
        .enabled(if: compiler != nil, "NVRTC is not here: Scripts/bootstrap-nvrtc.sh"),
        arguments: Precision.allCases)
    func `every kernel compiles for every card and needs no more than the table allows`(
        precision: Precision
    ) throws {
        let compiler = try #require(compiler)
        var largest: [String: [Int]] = [:]
        for architecture in Self.architectures {
            for layout in Self.layouts {
                let shape = KernelShape(
                    TransformerConfiguration(layout: layout), precision: precision)
                let programs =
                    [shape.program(["training.cu"]), shape.program(["measure.cu"])]
                    + shape.decoderPrograms(architecture: architecture)
                for program in programs {
                    try Self.compile(
                        program, architecture, with: compiler, precision.rawValue, &largest)
                }
            }
        }
        try expectWithinTable(largest)
    }

    /// Hopper's and Humanoid's sizes.
    @Test(
        .enabled(if: compiler != nil, "NVRTC is not here: Scripts/bootstrap-nvrtc.sh"),
        arguments: [(11, 3), (376, 17)])
    func `kernels of soft actor-critic compile for every card within the table`(
        observation: Int, action: Int
    ) throws {
        let compiler = try #require(compiler)
        let program = SoftActorCriticShape(observation: observation, action: action).program
        var largest: [String: [Int]] = [:]
        for architecture in Self.architectures {
            try Self.compile(program, architecture, with: compiler, "exact", &largest)
        }
        try expectWithinTable(largest)
    }

    /// Compiles a program and keeps the largest needs of each of its kernels.
    private static func compile(
        _ program: KernelProgram, _ architecture: String, with compiler: NVRTC,
        _ precision: String, _ largest: inout [String: [Int]]
    ) throws {
        let compiled = try compiler.compile(program, architecture: architecture)
        #expect(!compiled.resources.isEmpty)
        for kernel in compiled.resources {
            let needs = [kernel.registers, kernel.spills, kernel.shared]
            let name = "\(precision) \(kernel.name)"
            largest[name] = zip(largest[name] ?? [0, 0, 0], needs).map(max)
        }
    }

    private func expectWithinTable(_ largest: [String: [Int]]) throws {
        let limits = try Self.limits()
        for (name, needs) in largest.sorted(by: { $0.key < $1.key }) {
            let allowed = limits[name] ?? [0, 0, 0]
            #expect(
                zip(needs, allowed).allSatisfy { $0 <= $1 },
                "table: \(name) \(needs.map(String.init).joined(separator: " "))")
        }
    }
}
