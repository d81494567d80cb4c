import Foundation
import TestSupport
import Testing

@Suite struct DatasetConvertCommandTests {
    let folder: TemporaryFolder
    let dataset: String

    init() throws {
        folder = try TemporaryFolder()
        dataset = try GoldenData(Bundle.module).url("dataset_gzip.hdf5").path
    }

    private func path(_ name: String) -> String { folder.file(name).path }

    private func info(_ file: String) throws -> [String: Any] {
        let outcome = try Program.run("dataset", "info", file, "--json")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func `there and back, the data are the same`() throws {
        let there = try Program.run(
            "dataset", "convert", dataset, path("numbers-v0"), "--env", "Hopper-v5",
            "--action-limits=-3:3", "--summary", "Numbers.")
        #expect(there.status == 0, "\(there.errors)")
        #expect(there.output == "\(path("numbers-v0")): 60 transitions in 6 episodes (minari)\n")
        let back = try Program.run(
            "dataset", "convert", path("numbers-v0"), path("back.hdf5"), "--json")
        #expect(back.status == 0, "\(back.errors)")
        #expect(back.output.contains("\"format\" : \"d4rl\""))
        #expect(back.output.contains("\"observation_dimension\" : 3"))
        let (first, second) = (try info(dataset), try info(path("back.hdf5")))
        for key in ["transitions", "returns", "lengths", "endings"] {
            #expect(first[key] as? NSObject == second[key] as? NSObject, "\(key)")
            #expect(first[key] != nil)
        }
        let attributes = try #require(second["attributes"] as? [String: String])
        #expect(attributes["environment"] == "Hopper-v5")
        #expect(attributes["description"] == "Numbers.")
        #expect(attributes["action_space"]?.contains("[-3.0, -3.0]") == true)
        #expect(try folder.contents() == ["back.hdf5", "numbers-v0"])
    }

    @Test func `the format of the output may be given`() throws {
        let outcome = try Program.run(
            "dataset", "convert", dataset, path("plain"), "--format", "d4rl", "--env", "hopper")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            (try info(path("plain"))["attributes"] as? [String: String])?["environment"]
                == "hopper")
    }

    @Test func `what cannot be converted gives one line and leaves nothing`() throws {
        for arguments in [
            [path("absent.hdf5"), path("a-v0")], [dataset, path("no-version")],
            [dataset, path("a-v0"), "--action-limits=0:1,0:1,0:1"],
            [dataset, "/proc/none/a-v0"], [dataset, "/proc/none/a.hdf5"],
            [dataset, path("a-v0"), "--observation-dimensions", "4"],
        ] {
            let outcome = try Program.run(["dataset", "convert"] + arguments)
            #expect(outcome.status == 1, "\(arguments)")
            #expect(outcome.output == "")
            #expect(outcome.errors.hasPrefix("error: cannot "))
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
        let limits = try Program.run(
            "dataset", "convert", dataset, path("a-v0"), "--action-limits=1")
        #expect(limits.status == 64)
        #expect(limits.errors.contains("LOW:HIGH"))
        #expect(try folder.contents() == [])
    }
}
