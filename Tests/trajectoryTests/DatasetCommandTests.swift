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
        #expect(length.errors.contains("--max-episode-length must be at least 1"))
        let help = try Program.run("--help")
        #expect(help.status == 0)
        #expect(help.output.contains("Exit codes: 0 success, 1 failure"))
        #expect(try Program.run("dataset").output.contains("info"))
    }
}
