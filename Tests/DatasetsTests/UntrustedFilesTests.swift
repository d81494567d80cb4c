import Datasets
import Foundation
import HDF5
import TestSupport
import Testing
import Trajectories

/// Files that nobody vouches for: `Fixtures/untrusted`, which `make.py` beside them wrote.
@Suite struct UntrustedFilesTests {
    private func fixture(_ name: String) throws -> URL {
        try golden.url("untrusted/\(name).hdf5")
    }

    private func error(
        reading name: String, _ options: TrajectoryDataset.ReadingOptions = .init()
    ) throws -> DatasetError? {
        let file = try fixture(name)
        return #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: file, options: options)
        }
    }

    // MARK: - Data in other files

    @Test(arguments: [
        ("external-storage", "observations", "in 'numbers.raw'"),
        ("external-link", "observations", "a link to 'other.hdf5'"),
        ("soft-link-to-external", "rewards", "a link to 'other.hdf5'"),
        ("external-timeouts", "timeouts", "a link to 'other.hdf5'"),
        ("virtual-elsewhere", "observations", "in 'other.hdf5'"),
        ("virtual-of-external", "raw", "in 'numbers.raw'"),
    ])
    func `data in another file are refused, and the file is named`(
        _ name: String, _ field: String, _ place: String
    ) throws {
        let error = try error(reading: name)
        #expect(error?.code == .external)
        #expect(error?.field == field)
        #expect(error?.detail.contains(place) == true)
    }

    @Test(arguments: ["external-link", "virtual-elsewhere"])
    func `data in another file are read where that is asked for`(_ name: String) throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.followsExternal = true
        let data = try TrajectoryDataset(contentsOf: fixture(name), options: options)
        #expect(data.trajectories.map(\.observations) == [(0..<24).map { Float(100 + $0) }])
    }

    @Test(arguments: ["external-link", "other"], ["virtual-elsewhere", "external-link", "other"])
    func `a file that is open, also behind a link, can be opened again`(
        _ first: String, _ second: String
    ) throws {
        let open = try HDF5File(reading: fixture(first), followsExternal: true)
        let dataset = try open.root.dataset("observations")
        var options = TrajectoryDataset.ReadingOptions()
        options.followsExternal = true
        let data = try TrajectoryDataset(contentsOf: fixture(second), options: options)
        #expect(data.trajectories.map(\.observations) == [(0..<24).map { Float(100 + $0) }])
        withExtendedLifetime(dataset) {}
    }

    @Test(arguments: ["virtual-within", "links-within", "other"])
    func `links and virtual datasets within a file are its own`(_ name: String) throws {
        let data = try TrajectoryDataset(contentsOf: fixture(name))
        #expect(data.rowCount == 8)
        #expect(data.trajectories[0].rewards == Array(repeating: 1, count: 8))
        #expect(data.trajectories[0].ending == .timeout)
    }

    @Test func `a group that is a member of itself is refused`() throws {
        let error = try error(reading: "circle")
        #expect(error?.field == "episode_0/observations/a")
        #expect(error?.detail.contains("member of itself") == true)
    }

    // MARK: - In a process of its own

    /// A program that does `body`, a line of shell, instead of reading.
    private func reader(_ body: String, in folder: TemporaryFolder) throws -> DatasetReader {
        let script = folder.url.appendingPathComponent("reader")
        try "#!/bin/sh\n\(body)\n".write(to: script, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: script.path)
        return DatasetReader(program: script)
    }

    @Test(arguments: [
        ("kill -SEGV $$", "it crashed (signal 11)"),
        ("kill -KILL $$", "for want of memory"),
        ("exit 3", "it ended with code 3"),
        ("head -c 4096 /dev/zero", "it ended with code 0"),
        ("head -c 4096 /dev/zero | tr '\\\\0' '\\\\377'", "it ended with code 0"),
    ])
    func `what ends the reader is told in one line`(_ body: String, _ words: String) throws {
        let folder = try TemporaryFolder()
        var options = TrajectoryDataset.ReadingOptions()
        options.reader = try reader(body, in: folder)
        let error = try error(reading: "other", options)
        #expect(error?.code == .unreadable)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    /// The built program, which is a reader.
    private var program: URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("trajectory")
    }

    @Test(arguments: [
        ("crash", "it crashed (signal 11)"), ("hang", "it got nowhere in 1 seconds"),
    ])
    func `a file that ends or stops the C library is refused`(_ name: String, _ words: String)
        throws
    {
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 7
        options.reader = DatasetReader(program: program)
        options.reader?.patience = 1
        let error = try error(reading: name, options)
        #expect(error?.code == .unreadable)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `what another process reads is the same, walked again and again`() throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 7
        let here = try DatasetFile(golden.url("dataset_gzip.hdf5"), options: options)
        options.reader = DatasetReader(program: program)
        let there = try DatasetFile(golden.url("dataset_gzip.hdf5"), options: options)
        #expect(there.layout == here.layout && there.rowCount == here.rowCount)
        #expect(there.attributes == here.attributes && there.format == here.format)
        for _ in 0..<2 {
            var episodes: [[Trajectory]] = [[], []]
            var rewards: [[[Float]]] = [[], []]
            for (place, file) in [here, there].enumerated() {
                try file.forEachEpisode { episodes[place].append($0) }
                try file.forEachEpisodeRewards { values, _ in rewards[place].append(values) }
            }
            #expect(episodes[0] == episodes[1] && rewards[0] == rewards[1])
            #expect(!episodes[0].isEmpty)
        }
    }

    @Test func `a reader that cannot be started is named`() throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.reader = DatasetReader(program: URL(fileURLWithPath: "/nowhere/reader"))
        let error = try error(reading: "other", options)
        #expect(error?.detail.contains("'/nowhere/reader' cannot be started") == true)
    }

    @Test func `who reads is no choice of how`() {
        var options = TrajectoryDataset.ReadingOptions()
        options.reader = .thisProgram
        #expect(options.areDefault)
        options.followsExternal = true
        #expect(!options.areDefault)
    }
}
