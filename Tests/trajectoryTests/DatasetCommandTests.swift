import Foundation
import TestSupport
import Testing

@Suite struct DatasetCommandTests {
    private func fixture() throws -> String {
        try GoldenData(Bundle.module).url("dataset_gzip.hdf5").path
    }

    @Test func `info prints a table`() throws {
        let outcome = try Program.run("dataset", "info", fixture())
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(outcome.output.contains("\ndimensions   observation 3   action 2\n"))
        #expect(outcome.output.hasPrefix("transitions  60\nepisodes     6 ("))
        #expect(outcome.output.contains("\nlength       min 1.0   mean 10.0   max 20.0"))
    }

    @Test func `info prints JSON`() throws {
        struct Info: Decodable {
            struct Spread: Decodable { let minimum, mean, maximum: Double }
            let transitions, episodes, observationDimension, actionDimension: Int
            let returns, lengths: Spread
            let endings: [String: Int]
            let warnings: [String]
        }
        let outcome = try Program.run("dataset", "info", fixture(), "--json", "--drop-last-row")
        #expect(outcome.status == 0)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        #expect(outcome.output.contains("\"observation_dimension\" : 3"))
        let info = try decoder.decode(Info.self, from: Data(outcome.output.utf8))
        #expect(info.transitions == 59)
        #expect(info.endings == ["terminal": 4, "timeout": 1, "unfinished": 1])
        #expect(info.returns.minimum <= info.returns.mean)
        #expect(info.lengths.maximum == 20)
    }

    /// 400 steps of a bad Hopper policy.
    private func collected(in folder: TemporaryFolder) throws -> String {
        let file = folder.file("data.hdf5").path
        let outcome = try Program.run(
            "collect", "--env", "hopper", "--policy", "ars-weak+0.3", "--steps", "400", "--output",
            file
        )
        try #require(outcome.status == 0, "\(outcome.errors)")
        return file
    }

    @Test func `info knows the environment of the file, and how its tokens are used`() throws {
        struct Info: Decodable {
            struct Column: Decodable { let minimum, mean, standardDeviation, maximum: Double }
            struct Usage: Decodable {
                let name: String
                let usedBins, duplicateBins: Int
                let effectiveBins, largestShare: Double
            }
            struct Histogram: Decodable {
                let edges: [Double]
                let counts: [Int]
            }
            let environment: String?
            let actionLimits: [[Double]]?
            let observations, actions: [Column]
            let tokenUsage: [Usage]?
            let returnHistogram: Histogram
            let episodes: Int
        }
        let folder = try TemporaryFolder()
        let file = try collected(in: folder)
        let outcome = try Program.run("dataset", "info", file, "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let info = try decoder.decode(Info.self, from: Data(outcome.output.utf8))
        #expect(info.environment == "hopper-v4")
        #expect(info.actionLimits == [[-1, 1], [-1, 1], [-1, 1]])
        #expect(info.observations.count == 11 && info.actions.count == 3)
        #expect(info.actions.allSatisfy { $0.minimum >= -1 && $0.maximum <= 1 })
        let usage = try #require(info.tokenUsage)
        #expect(usage.map(\.name).suffix(3) == ["action 2", "reward", "value"])
        #expect(usage.allSatisfy { $0.usedBins + $0.duplicateBins <= 100 })
        #expect(info.returnHistogram.edges.count == info.returnHistogram.counts.count + 1)
        #expect(info.returnHistogram.counts.reduce(0, +) == info.episodes)

        let table = try Program.run("dataset", "info", file).output
        #expect(table.contains("bins of 100") && table.contains("-1 … 1"))
        let wrong = try Program.run("dataset", "info", file, "--env", "halfcheetah")
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("11 observation and 3 action dimensions, halfcheetah-v4"))
        #expect(wrong.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test func `info warns where tokens cannot be counted`() throws {
        let outcome = try Program.run("dataset", "info", fixture())
        #expect(outcome.output.contains("\nwarning  1 episode has a single step\n"))
        #expect(outcome.output.contains("\nwarning  cannot discretize: 60 rows do not fill"))
    }

    @Test func `plot draws every dimension`() throws {
        let folder = try TemporaryFolder()
        let file = try collected(in: folder)
        let picture = folder.file("data.svg")
        let outcome = try Program.run("dataset", "plot", file, "--output", picture.path, "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        // Returns, lengths, tokens, 11 observation and 3 action dimensions, rewards.
        #expect(outcome.output.contains("\"panels\" : 18"))
        let text = try String(contentsOf: picture, encoding: .utf8)
        for part in ["data.hdf5", "hopper-v4", "observation 10", "action 2", "Token usage"] {
            #expect(text.contains(part), "\(part)")
        }
        let kind = try Program.run("dataset", "plot", file, "--output", "a.pdf")
        #expect(kind.status == 64)
        #expect(kind.errors.contains("--output must end in .png or .svg, found a.pdf"))
        let place = try Program.run("dataset", "plot", file, "--output", "/proc/nowhere/a.png")
        #expect(place.status == 1 && place.errors.contains("nothing can be written"))
    }

    @Test func `a bad file gives one line and exit code 1`() throws {
        let folder = try TemporaryFolder()
        let text = folder.file("text.hdf5")
        try Data("no HDF5\n".utf8).write(to: text)
        for file in [folder.file("absent.hdf5"), text, folder.url] {
            let outcome = try Program.run("dataset", "info", file.path)
            #expect(outcome.status == 1)
            #expect(outcome.output == "")
            #expect(outcome.errors.hasPrefix("error: cannot use '\(file.path)': "))
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
    }

    @Test func `wrong usage exits with 64, help with 0`() throws {
        #expect(try Program.run("dataset", "info").status == 64)
        let length = try Program.run("dataset", "info", "x", "--max-episode-length", "0")
        #expect(length.status == 64)
        #expect(length.errors.contains("--max-episode-length must be positive"))
        let help = try Program.run("--help")
        #expect(help.status == 0)
        #expect(help.output.contains("Exit codes: 0 success, 1 failure"))
        #expect(try Program.run("dataset").output.contains("info"))
    }

    @Test func `trajectories of a maze are drawn from above, other data are refused`() throws {
        let folder = try TemporaryFolder()
        let (maze, hopper) = (folder.file("maze.hdf5").path, folder.file("hopper.hdf5").path)
        _ = try Program.run(
            "collect", "--dataset", "maze2d-umaze", "--steps", "700", "--output", maze)
        let picture = folder.file("maze.svg")
        let outcome = try Program.run("dataset", "maze", maze, "--output", picture.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("maze2d-umaze-v1, 3 of 3 episodes"))
        #expect(try Data(contentsOf: picture).count > 1000)
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "50", "--output", hopper)
        let refused = try Program.run("dataset", "maze", hopper, "--output", picture.path)
        #expect(refused.status == 1 && refused.errors.contains("hopper-v4 is none"))
    }
}
