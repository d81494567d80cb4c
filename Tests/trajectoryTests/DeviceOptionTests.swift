import Foundation
import Testing

/// What `--device` means on a machine without a card.
@Suite struct DeviceOptionTests {
    private static let nowhere = ["TRAJECTORY_CUDA_DRIVER": "/nowhere/libcuda.so.1"]
    private static let plan = [
        "benchmark", "plan", "--horizon", "1", "--beam-width", "2", "--plans", "1", "--json",
    ]

    @Test func `asking for a card that is not there is one line and exit code 1`() throws {
        let outcome = try Program.run(
            Self.plan + ["--device", "cuda"], environment: Self.nowhere)
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("error: "))
        #expect(outcome.errors.contains("no CUDA driver can be loaded"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test func `asking soft actor-critic for a card that is not there is one line, too`() throws {
        let outcome = try Program.run(
            [
                "train-behavior", "--env", "hopper", "--output", "/nowhere/x.safetensors",
                "--device", "cuda",
            ], environment: Self.nowhere)
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("error: no CUDA driver can be loaded"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test func `auto computes on the processor where there is no card`() throws {
        let outcome = try Program.run(
            Self.plan + ["--device", "auto"], environment: Self.nowhere)
        #expect(outcome.status == 0)
        // The processor counts its operations, a card does not.
        #expect(outcome.output.contains("gigaflops"))
    }

    @Test func `a device that does not exist is refused`() throws {
        let outcome = try Program.run(Self.plan + ["--device", "abacus"])
        #expect(outcome.status == 64)
    }
}
