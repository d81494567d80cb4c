import Foundation
import HDF5
import TestSupport
import Testing

/// Nothing may stay open.
///
/// Other tests run at the same time, so what they have open may pass first;
/// what is never closed does not.
func expectNothingOpen(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<500 where HDF5Library.openObjectCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
    }
    #expect(HDF5Library.openObjectCount == 0, sourceLocation: sourceLocation)
}

@Suite struct HDF5FileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func sample(_ name: String = "sample.hdf5", storage: HDF5Storage = .contiguous) throws
        -> URL
    {
        let url = folder.file(name)
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            try root.write(
                "floats", (0..<12).map { Float($0) / 3 }, shape: [4, 3], storage: storage)
            try root.write("doubles", [0.1, -1e300, .infinity], shape: [3], storage: storage)
            try root.write("integers", [-1, .max, .min, 7], shape: [2, 2], storage: storage)
            try root.write("flags", [true, false, true], shape: [3], storage: storage)
            try root.write("scalar", [2.5], shape: [], storage: storage)
            try root.write("empty", [Float](), shape: [0, 3], storage: storage)
            let group = try root.createGroup("group")
            try group.createGroup("inner").write("one", [Float(1)], shape: [1])
            try root.setAttribute("title", "Läufer 🏃")
            try root.setAttribute("nothing", "")
            try group.setAttribute("count", -7)
        }
        return url
    }

    @Test(arguments: [HDF5Storage.contiguous, .chunked(gzipLevel: nil), .chunked(gzipLevel: 9)])
    func `what is written is read back`(storage: HDF5Storage) async throws {
        do {
            let root = try HDF5File(reading: sample(storage: storage)).root
            #expect(HDF5Library.openObjectCount > 0)
            #expect(
                try root.members()
                    == ["doubles", "empty", "flags", "floats", "group", "integers", "scalar"])
            let floats = try root.dataset("floats")
            #expect(floats.shape == [4, 3])
            #expect(floats.elementType == .float(bytes: 4))
            #expect(try floats.floats() == (0..<12).map { Float($0) / 3 })
            #expect(try floats.floats(rows: 1..<3) == (3..<9).map { Float($0) / 3 })
            #expect(try floats.floats(rows: 2..<2) == [])
            #expect(try root.dataset("doubles").doubles() == [0.1, -1e300, .infinity])
            #expect(try root.dataset("integers").integers() == [-1, .max, .min, 7])
            #expect(try root.dataset("integers").integers(rows: 1..<2) == [.min, 7])
            #expect(try root.dataset("flags").elementType == .boolean)
            #expect(try root.dataset("flags").booleans() == [true, false, true])
            #expect(try root.dataset("flags").booleans(rows: 1..<3) == [false, true])
            #expect(try root.dataset("scalar").shape == [])
            #expect(try root.dataset("scalar").doubles() == [2.5])
            #expect(try root.dataset("empty").floats() == [])
            #expect(try root.dataset("group/inner/one").floats() == [1])
            #expect(try root.group("group").group("inner").dataset("one").floats() == [1])
            #expect(try root.stringAttributes() == ["title": "Läufer 🏃", "nothing": ""])
            #expect(try root.group("group").integerAttribute("count") == -7)
            #expect(root.integerAttribute("count") == nil)
            #expect(root.integerAttribute("title") == nil)
            #expect(root.containsGroup("group/inner"))
            #expect(!root.containsGroup("floats") && !root.containsGroup("none"))
            #expect(floats.chunkRows == (storage == .contiguous ? nil : 4))
        }
        try await expectNothingOpen()
    }

    @Test func `compression makes repetitive data small`() throws {
        let url = folder.file("zeros.hdf5")
        let zeros = [Float](repeating: 0, count: 1_000_000)
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            try root.write(
                "zeros", zeros, shape: [zeros.count], storage: .chunked(gzipLevel: 4))
        }
        #expect(try Data(contentsOf: url).count < 40_000)
        #expect(try HDF5File(reading: url).root.dataset("zeros").floats() == zeros)
    }

    @Test func `the same content gives the same bytes`() async throws {
        let first = try Data(contentsOf: sample("first.hdf5"))
        try await Task.sleep(for: .milliseconds(1100))  // times in the format count seconds
        #expect(try Data(contentsOf: sample("second.hdf5")) == first)
    }

    @Test func `members outlive the file that they were opened from`() throws {
        let dataset = try HDF5File(reading: sample()).root.dataset("floats")
        #expect(try dataset.floats(rows: 0..<1) == [0, 1.0 / 3, 2.0 / 3])
    }

    @Test func `many threads may read at once`() async throws {
        let file = try HDF5File(reading: sample(storage: .chunked(gzipLevel: 1)))
        let sums = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<50 {
                group.addTask { try file.root.dataset("floats").doubles().reduce(0, +) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums.count == 50)
        #expect(Set(sums).count == 1)
    }

    @Test func `errors name the file, the key and the cause`() async throws {
        let url = try sample()
        do {
            let root = try HDF5File(reading: url).root
            let missing = #expect(throws: HDF5Error.self) { try root.dataset("group/none") }
            #expect(
                missing?.description
                    == "cannot read 'group/none' of '\(url.path)': there is no such dataset")
            let group = #expect(throws: HDF5Error.self) { try root.dataset("group") }
            #expect(group?.detail == "it is not a dataset")
            let beyond = #expect(throws: HDF5Error.self) { try root.dataset("floats/inner") }
            #expect(beyond?.code == .missing)
            let rows = #expect(throws: HDF5Error.self) {
                try root.dataset("floats").floats(rows: 3..<5)
            }
            #expect(rows?.code == .outOfBounds)
            let type = #expect(throws: HDF5Error.self) { try root.dataset("flags").floats() }
            #expect(type?.detail == "expected numbers, found truth values")
            let lossy = #expect(throws: HDF5Error.self) { try root.dataset("floats").integers() }
            #expect(
                lossy?.detail == "expected integers, found 32-bit floating-point numbers")
        }
        let absent = #expect(throws: HDF5Error.self) {
            try HDF5File(reading: folder.file("absent.hdf5"))
        }
        #expect(absent?.code == .unreadable)
        let directory = #expect(throws: HDF5Error.self) { try HDF5File(reading: folder.url) }
        #expect(directory?.detail == "it is a folder")
        let text = folder.file("text.hdf5")
        try Data("observations,actions\n1,2\n".utf8).write(to: text)
        let foreign = #expect(throws: HDF5Error.self) { try HDF5File(reading: text) }
        #expect(foreign?.code == .malformed)
        try await expectNothingOpen()
    }

    @Test func `a failed write leaves the old file and nothing else`() async throws {
        let url = try sample()
        let before = try Data(contentsOf: url)
        let error = #expect(throws: HDF5Error.self) {
            try HDF5File.write(to: url) { root throws(HDF5Error) in
                try root.write("twice", [1.0], shape: [1])
                try root.write("twice", [2.0], shape: [1])
            }
        }
        #expect(error?.description.hasPrefix("cannot write 'twice' of '\(url.path)'") == true)
        #expect(error?.description.contains("exists") == true)
        #expect(try Data(contentsOf: url) == before)
        #expect(try folder.contents() == ["sample.hdf5"])
        let nowhere = #expect(throws: HDF5Error.self) {
            try HDF5File.write(to: URL(fileURLWithPath: "/proc/none/all.hdf5")) { _ in }
        }
        #expect(nowhere?.code == .unwritable)
        try await expectNothingOpen()
    }

    @Test(arguments: [HDF5Storage.contiguous, .chunked(gzipLevel: 6)])
    func `a file cut short anywhere is refused`(storage: HDF5Storage) async throws {
        let seed: UInt64 = storage == .contiguous ? 11 : 12
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let data = try Data(contentsOf: sample(storage: storage))
        let url = folder.file("damaged.hdf5")
        let lengths = [0, 1, 8, data.count / 2, data.count - 1]
        let random = (0..<100).map { _ in Int.random(in: 0..<data.count, using: &generator) }
        for length in lengths + random {
            try data.prefix(length).write(to: url)
            let error = #expect(throws: HDF5Error.self) { try HDF5File(reading: url) }
            #expect(error?.code == .malformed, "\(length) of \(data.count) bytes")
            #expect(error?.file == url.path)
            #expect(error?.description.contains("\n") == false)
        }
        try await expectNothingOpen()
    }

    @Test func `compressed data with wrong bytes are refused`() async throws {
        let url = folder.file("noise.hdf5")
        var generator = SeededGenerator(seed: 13)
        let noise = (0..<100_000).map { _ in generator.float(in: 0...1) }
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            try root.write(
                "noise", noise, shape: [noise.count], storage: .chunked(gzipLevel: 1))
        }
        var data = try Data(contentsOf: url)
        // All but the first few kilobytes is the data; the bytes in the middle are surely of it.
        for place in (data.count / 2)..<(data.count / 2 + 100) { data[place] ^= 0x5A }
        try data.write(to: url)
        do {
            let dataset = try HDF5File(reading: url).root.dataset("noise")
            let error = #expect(throws: HDF5Error.self) { try dataset.floats() }
            #expect(error?.code == .malformed)
            #expect(error?.key == "noise")
            print(error?.description ?? "")
        }
        try await expectNothingOpen()
    }
}
