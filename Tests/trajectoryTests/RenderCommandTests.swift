import Foundation
import TestSupport
import Testing

@Suite struct RenderCommandTests {
    /// The checkpoint that comes with the package, trained on Hopper.
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    private struct Result: Decodable {
        struct Plan: Decodable { let step, horizon: Int }
        let source, environment: String
        let steps, frames, width, height: Int
        let plans: [Plan]?
    }

    private func render(_ arguments: String...) throws -> Result {
        let outcome = try Program.run(["render"] + arguments + ["--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(Result.self, from: Data(outcome.output.utf8))
    }

    /// Width and height that a PNG file states.
    private func size(_ url: URL) throws -> [Int] {
        let data = [UInt8](try Data(contentsOf: url))
        try #require(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        return [16, 20].map { start in data[start..<(start + 4)].reduce(0) { 256 * $0 + Int($1) } }
    }

    @Test func `an episode of a policy becomes a strip, the same for the same seed`() throws {
        let folder = try TemporaryFolder()
        func draw(_ name: String, seed: String) throws -> Data {
            let file = folder.file(name)
            let result = try render(
                "--env", "hopper", "--policy", "ars-medium+0.2", "--seed", seed, "--output",
                file.path,
                "--maximum-steps", "30", "--frames", "5", "--columns", "3", "--width", "64")
            #expect(result.steps == 30 && result.frames == 5)
            #expect(result.environment == "hopper-v4" && result.plans == nil)
            #expect(try size(file) == [3 * 64 + 2 * 6, 2 * 48 + 6])
            return try Data(contentsOf: file)
        }
        let first = try draw("a.png", seed: "3")
        #expect(try draw("b.png", seed: "3") == first)
        #expect(try draw("c.png", seed: "4") != first)
        #expect(try folder.contents() == ["a.png", "b.png", "c.png"])
    }

    @Test func `an episode of a dataset becomes a video`() throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        let collected = try Program.run(
            "collect", "--env", "halfcheetah", "--policy", "random", "--steps", "1050",
            "--output", data)
        try #require(collected.status == 0, "\(collected.errors)")
        let film = folder.file("film.gif")
        let result = try render(
            "--dataset", data, "--episode", "1", "--output", film.path, "--width", "64")
        #expect(result.environment == "halfcheetah-v4" && result.source == "data.hdf5, episode 1")
        // 50 steps of 0.05 s at 25 frames a second.
        #expect(result.steps == 50 && result.frames == 63)
        #expect(try Data(contentsOf: film).starts(with: Data("GIF".utf8)))

        for (arguments, part) in [
            (
                ["--episode", "2"],
                "episode 2 of '\(data)': it has episodes 0 to 1 (--episode)"
            ),
            (
                ["--env", "hopper"],
                "17 observation and 6 action dimensions, hopper-v4 has 11 and 3"
            ),
            (
                ["--first-step", "1000"],
                "step 1000 of data.hdf5, episode 0: it has 1000 states (--first-step)"
            ),
        ] {
            let outcome = try Program.run(
                ["render", "--dataset", data, "--output", film.path] + arguments)
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains(part))
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1, "\(outcome.errors)")
        }
    }

    @Test func `plans of a checkpoint are drawn over what happened`() throws {
        let folder = try TemporaryFolder()
        let picture = folder.file("plans.png")
        let planner = [
            "--horizon", "3", "--beam-width", "2", "--expansion-factor", "1", "--replan-interval",
            "1",
        ]
        func draw(_ file: URL, _ arguments: [String]) throws -> Result {
            let outcome = try Program.run(
                [
                    "render", "--checkpoint", checkpoint, "--maximum-steps", "8", "--width", "64",
                    "--output", file.path, "--json",
                ] + planner + arguments)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try JSONDecoder().decode(Result.self, from: Data(outcome.output.utf8))
        }
        let result = try draw(
            picture, ["--plans", "--plan-interval", "4", "--plan-count", "2", "--frames", "3"])
        #expect(result.plans?.map(\.step) == [0, 4])
        #expect(result.plans?.map(\.horizon) == [3, 3])
        #expect(result.frames == 6)
        #expect(try size(picture) == [3 * 64 + 2 * 6, 2 * 48 + 6])

        let (plain, ghostly) = (folder.file("plain.gif"), folder.file("plans.gif"))
        #expect(try draw(plain, ["--speed", "0.2"]).plans == nil)
        #expect(try draw(ghostly, ["--plans"]).plans?.count == 3)
        #expect(try Data(contentsOf: plain) != Data(contentsOf: ghostly))
    }

    @Test(arguments: ["render", "evaluate"])
    func `a checkpoint of another robot is refused in one line`(command: String) throws {
        let output = command == "render" ? ["--output", "/tmp/none.png"] : []
        let outcome = try Program.run(
            [command, "--checkpoint", checkpoint, "--env", "halfcheetah"] + output)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(
            outcome.errors
                == "error: cannot use checkpoint '\(checkpoint)': it was trained for 11 observation "
                + "and 3 action dimensions, halfcheetah-v4 has 17 and 6; give the environment of "
                + "its data\n")
    }

    @Test func `a missing program, folder, policy or environment is named before any work`() throws
    {
        let folder = try TemporaryFolder()
        let file = folder.file("a.mp4").path
        func errors(
            _ arguments: [String], output: String, path: String? = nil
        ) throws -> String {
            let outcome = try Program.run(
                ["render", "--output", output] + arguments, path: path)
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1, "\(outcome.errors)")
            return outcome.errors
        }
        let hopper = ["--env", "hopper", "--policy", "random"]
        #expect(
            try errors(hopper, output: file, path: "/nowhere").contains(
                "ffmpeg is not on the PATH"))
        #expect(
            try errors(hopper, output: "/proc/nowhere/a.mp4").contains("nothing can be written"))
        #expect(
            try errors(["--env", "hoper", "--policy", "random"], output: file).contains(
                "did you mean 'hopper-v4'"))
        #expect(
            try errors(["--env", "hopper", "--policy", "best"], output: file).contains(
                "cannot use the policy 'best'"))
        #expect(try folder.contents() == [])
    }

    @Test(
        arguments: [
            (
                ["--env", "hopper", "--policy", "random", "--output", "a.avi"],
                "--output must end in"
            ),
            (
                ["--env", "hopper", "--output", "a.png"],
                "one of --policy, --checkpoint and --dataset"
            ),
            (["--policy", "random", "--output", "a.png"], "--policy needs --env"),
            (
                ["--env", "hopper", "--policy", "random", "--plans", "--output", "a.png"],
                "--plans needs --checkpoint"
            ),
            (
                ["--checkpoint", "x", "--width", "65", "--output", "a.png"],
                "--width must be an even number"
            ),
            (
                ["--checkpoint", "x", "--speed", "0", "--output", "a.mp4"],
                "--speed must be positive"
            ),
        ])
    func `wrong usage is named as it was typed`(_ arguments: [String], _ part: String) throws {
        let outcome = try Program.run(["render"] + arguments)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
}
