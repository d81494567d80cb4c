import Foundation
import MuJoCo
import Rendering
import TestSupport
import Testing

@Suite struct `Pictures and videos that other programs cut short` {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func draw(_ format: PictureFormat, to url: URL, seconds: Double = 0.5) throws {
        switch format {
        case .png, .svg:
            let x = (0..<500).map { Double($0) }
            try Plot(
                title: "A plot", xLabel: "x", yLabel: "y",
                series: [.init("noise", x: x, y: x.map { sin($0 * $0) })]
            ).write(to: url)
        case .gif, .mp4:
            let frames = Int(seconds * 25)
            var generator = SeededGenerator(seed: 7)
            let writer = try VideoWriter(to: url, width: 64, height: 64, framesPerSecond: 25)
            for _ in 0..<frames {
                let pixels = (0..<(3 * 64 * 64)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                try writer.append(Frame(width: 64, height: 64, pixels: pixels))
            }
            try writer.finish()
        }
    }

    @Test(arguments: PictureFormat.allCases)
    func `a whole one is seen to be whole, and one that is cut anywhere not`(
        _ format: PictureFormat
    ) throws {
        let url = folder.file("whole.\(format.rawValue)")
        try draw(format, to: url)
        let data = try Data(contentsOf: url)
        #expect(format.isWhole(data))
        let seed: UInt64 = 8
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let lengths = (0..<200).map { _ in Int.random(in: 0..<data.count, using: &generator) }
        for length in lengths + [0, 1, 8, data.count - 9] {
            // A GIF may by chance have its last byte where it is cut.
            if format == .gif, length > 0, data[length - 1] == 0x3B { continue }
            // What is behind the end of an SVG is white space.
            if format == .svg, length > data.count - 3 { continue }
            #expect(!format.isWhole(data.prefix(length)), "\(length) of \(data.count)")
        }
        for other in PictureFormat.allCases where other != format {
            #expect(!other.isWhole(data))
        }
    }

    @Test(arguments: PictureFormat.allCases)
    func `on a full disk the old one stays, and the program's word is not taken for it`(
        _ format: PictureFormat
    ) throws {
        guard let disk = SmallDisk(kilobytes: 64) else {
            print("no disk can be mounted here: not tested")
            return
        }
        let url = disk.url.appendingPathComponent("a.\(format.rawValue)")
        let old = Data("the old one".utf8)
        try old.write(to: url)
        try Data(count: 60_000).write(to: disk.url.appendingPathComponent("fill"))
        let error = #expect(throws: RenderingError.self) { try draw(format, to: url, seconds: 2) }
        #expect(error?.code == .programFailed)
        #expect(error?.description.contains("\n") == false)
        #expect(try Data(contentsOf: url) == old)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: disk.url.path).sorted()
                == ["a.\(format.rawValue)", "fill"])
    }

    @Test func `a pipe gets a whole video, although its writer goes back in it`() throws {
        let pipe = folder.file("pipe.mp4")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        let reader = InBackground { try FileHandle(forReadingFrom: pipe).readToEnd() }
        try draw(.mp4, to: pipe)
        #expect(PictureFormat.mp4.isWhole(try #require(try reader.value())))
    }
}
