import Files
import Foundation
import PythonFiles
import TestSupport
import Testing

/// Archives of NumPy's `savez` and `savez_compressed`.
struct NumPyArchiveTests {
    private static let data = GoldenData(Bundle.module)

    @Test func `stored arrays of every type are read`() throws {
        let archive = try NumPyArchive(contentsOf: Self.data.url("stored.npz"))
        #expect(
            archive.arrays.mapValues(\.shape)
                == ["f": [3, 2], "g": [3], "b": [2], "i": [1, 2], "h": [1]])
        #expect(try archive.rows(of: "g").next(3) == [0, 1, 2])
        #expect(try archive.rows(of: "b").next(2) == [1, 0])
        #expect(try archive.rows(of: "i").next(1) == [1, 2])
        #expect(try archive.rows(of: "h").next(1) == [0.5])
    }

    @Test func `deflated arrays are read piece by piece, columns put in order`() throws {
        let archive = try NumPyArchive(contentsOf: Self.data.url("deflated.npz"))
        let rows = try archive.rows(of: "f")
        var values: [Float] = []
        while rows.position < rows.count {
            values += try rows.next(min(777, rows.count - rows.position))
        }
        #expect(values == (0..<20000).map(Float.init))
        #expect(try archive.rows(of: "fortran").next(2) == [0, 1, 2, 3, 4, 5])
    }

    @Test func `arrays of objects are refused by name`() throws {
        let archive = try NumPyArchive(contentsOf: Self.data.url("objects.npz"))
        let error = #expect(throws: PythonFileError.self) { _ = try archive.rows(of: "o") }
        #expect(try #require(error).description.contains("'|O'"))
    }

    @Test(arguments: ["stored.npz", "deflated.npz"])
    func `a damaged or shortened archive is refused`(name: String) throws {
        let bytes = try Data(contentsOf: Self.data.url(name))
        func read(_ bytes: Data) throws {
            let archive = try NumPyArchive(ZipArchive(data: bytes, name: name))
            for (name, header) in archive.arrays {
                _ = try archive.rows(of: name).next(header.shape[0])
            }
        }
        try read(bytes)
        #expect(throws: PythonFileError.self) { try read(bytes.dropLast(30)) }
        var damaged = bytes
        // Within the numbers of the first array, which the checksum covers.
        damaged[200] ^= 0x55
        #expect(throws: PythonFileError.self) { try read(damaged) }
    }

    @Test func `an archive that is written is read`() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("a.npz")
        let pending = try PendingFile(for: url)
        let writer = ZipWriter(pending)
        let header = NumPyHeader.bytes(type: "<f4", shape: [2, 1])
        #expect(header.count == 128)
        try writer.begin("x.npy", size: header.count + 8)
        try writer.write(header)
        try writer.write([0, 0, 128, 63])
        try writer.write([0, 0, 0, 64])
        try writer.end()
        try writer.finish()
        try pending.commit()
        let archive = try NumPyArchive(contentsOf: url)
        #expect(try archive.rows(of: "x").next(2) == [1, 2])
    }
}
