import Datasets
import Foundation
import HDF5
import TestSupport
import Testing
import Trajectories

/// Files that are no HDF5, or HDF5 that the library does not know or cannot read whole.
@Suite struct ForeignFileTests {
    private func failure(_ url: URL) -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try TrajectoryDataset(contentsOf: url) }
        #expect(error?.description.contains("\n") == false)
        return error
    }

    private func fixture(_ name: String) throws -> URL { try golden.url("foreign/\(name).hdf5") }

    @Test(
        arguments: [
            ([0x50, 0x4B, 3, 4] + Array("....observations.npy".utf8), "zip directory is damaged"),
            ([0x93] + Array("NUMPY\u{1}".utf8), "array of NumPy (npy)"),
            ([0x80, 4, 0x95], "pickle of Python"),
            ([0x1F, 0x8B, 8], "compressed by gzip, not HDF5; unpack it"),
            (Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "git lfs pull"),
            (Array("\n <!DOCTYPE HTML><html>".utf8), "a web page"),
            (Array("{\"detail\": \"not found\"}".utf8), "it is JSON"),
            ([0x93] + Array("TRJTOK\n".utf8), "a token file, not HDF5; give the dataset"),
            ([40, 0, 0, 0, 0, 0, 0, 0] + Array("{\"weights\"".utf8), "a safetensors file"),
            (Array(repeating: 0, count: 600), "begins with zeros"),
            (Array(repeating: 65, count: 257) + Array("ustar".utf8), "a tar archive"),
            ([], "it is empty"),
            (Array("observations".utf8), "not an HDF5 file, or damaged"),
        ] as [([UInt8], String)])
    func `what a file is instead is told by its first bytes`(bytes: [UInt8], words: String) throws {
        let folder = try TemporaryFolder()
        let url = folder.file("with a space.hdf5")
        try Data(bytes).write(to: url)
        let error = failure(url)
        #expect(error?.code == .unreadable)
        #expect(error?.detail.contains(words) == true, "\(error?.detail ?? "")")
    }

    @Test func `LZF is read`() throws {
        let dataset = try TrajectoryDataset(contentsOf: fixture("lzf"))
        var expected: [Float] = []
        for index in 0..<80 { expected.append(Float(1 + index / 20)) }
        #expect(dataset.trajectories[0].observations == expected)
    }

    @Test(arguments: [
        ("blosc", "Blosc (number 32001)"),
        ("zstd", "Zstandard (number 32015)"),
    ])
    func `a filter that is not part of HDF5 is named, with a way out`(
        name: String, words: String
    ) throws {
        let error = try failure(fixture(name))
        #expect(error?.field == "observations")
        #expect(error?.detail.contains("compressed by \(words)") == true)
        #expect(error?.detail.contains("h5repack -f GZIP=4") == true)
        #expect(error?.detail.contains("damaged") == false)
    }

    @Test func `a newer format is no damage`() throws {
        let error = try failure(fixture("newer"))
        #expect(error?.field == "terminals")
        #expect(error?.detail.contains("newer version of the format") == true)
        #expect(error?.detail.contains("libver='v110'") == true)
        #expect(error?.detail.contains("damaged") == false)
    }

    @Test func `a virtual dataset with its source beside it, or in it, is read`() throws {
        let own = try TrajectoryDataset(contentsOf: fixture("virtual-own"))
        #expect(
            Array(own.trajectories[0].observations.prefix(22)) == Array(repeating: 1, count: 20) + [
                2, 2,
            ])
    }

    @Test(arguments: [
        ("virtual-missing", "in a file that is missing"),
        ("virtual-own-missing", "'copy' of '.' is missing"),
        ("virtual-name", "'none' of 'short.hdf5' is missing"),
        ("virtual-short", "has the shape [20, 2], too small"),
        ("virtual-part", "fill 60 of its 80 elements"),
    ])
    func `a virtual dataset without all of its source is refused, not read as zeros`(
        name: String, words: String
    ) throws {
        let url = try fixture(name)
        let error = #expect(throws: HDF5Error.self) {
            try HDF5File(reading: url, followsExternal: true).root.dataset("observations")
        }
        #expect(error?.key == "observations")
        #expect(error?.detail.contains(words) == true, "\(error?.detail ?? "")")
        #expect(failure(url)?.field == "observations")
    }
}
