import Foundation
import MuJoCo
import Rendering
import Testing

@Suite struct FilmStripTests {
    private func frame(_ shade: UInt8) -> Frame {
        Frame(width: 4, height: 2, pixels: Array(repeating: shade, count: 24))
    }

    @Test func `frames lie in rows with white between and after them`() throws {
        var strip = FilmStrip([frame(10), frame(20), frame(30)], columns: 2)
        strip.gap = 1
        let picture = try #require(strip.picture)
        #expect(picture.width == 9 && picture.height == 5)
        func row(_ index: Int) -> [UInt8] {
            (0..<9).map { picture.pixels[3 * (9 * index + $0)] }
        }
        #expect(row(1) == [10, 10, 10, 10, 255, 20, 20, 20, 20])
        #expect(row(2) == Array(repeating: 255, count: 9))
        #expect(row(4) == [30, 30, 30, 30, 255, 255, 255, 255, 255])
    }

    @Test func `a strip becomes a PNG of its size, and nothing else`() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("strip-\(UUID().uuidString).png")
        defer { try? FileManager.default.removeItem(at: url) }
        try FilmStrip([frame(10), frame(20)], columns: 2).write(to: url)
        let data = try Data(contentsOf: url)
        #expect(data.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
        #expect(Array(data[16..<24]) == [0, 0, 0, 14, 0, 0, 0, 2])
        let empty = #expect(throws: RenderingError.self) {
            try FilmStrip(rows: [[]]).write(to: url)
        }
        #expect(empty?.code == .empty)
        let kind = #expect(throws: RenderingError.self) {
            try FilmStrip(rows: [[frame(0)]]).write(to: URL(fileURLWithPath: "/tmp/strip.jpg"))
        }
        #expect(kind?.code == .unknownFormat)
    }
}
