import Foundation
import Rendering
import Testing

@Suite struct PlotGridTests {
    private func write(_ grid: PlotGrid, _ format: String) throws -> Data {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("grid-\(UUID().uuidString).\(format)")
        defer { try? FileManager.default.removeItem(at: url) }
        try grid.write(to: url)
        return try Data(contentsOf: url)
    }

    private func grid() -> PlotGrid {
        var marked = PlotGrid.Panel(
            "small", content: .histogram(edges: [-1, 0, 1], counts: [3, 4]), color: .orange)
        marked.marks = [-2, 2]
        let bars = [
            PlotGrid.Bar("first bar", value: 3, behind: 5, color: .blue),
            PlotGrid.Bar("second 10 % bar", value: 4, behind: 4, color: .orange),
        ]
        return PlotGrid(
            title: "it's all", subtitle: "three rows",
            rows: [
                PlotGrid.Row(
                    [
                        PlotGrid.Panel(
                            "wide", xLabel: "across", yLabel: "up",
                            content: .histogram(edges: [0, 5000, 20000], counts: [12_000, 1])),
                        PlotGrid.Panel("bars", content: .bars(bars, limit: 10)),
                    ], height: 200),
                PlotGrid.Row([marked, marked], columns: 5, height: 100),
                PlotGrid.Row(
                    [
                        PlotGrid.Panel(
                            "heat",
                            content: .heatMap(columns: [[0, 1], [0.5, 0.2]], range: -3...3))
                    ], height: 200),
            ])
    }

    @Test func `a picture is as high as its rows and as wide as asked for`() throws {
        var grid = grid()
        grid.width = 640
        let data = try write(grid, "png")
        #expect(Array(data[16..<24]) == [0, 0, 2, 128, 0, 0, 2, 70])  // 640 x 500 + 82
    }

    @Test func `an SVG holds every title, label and bar's name`() throws {
        let text = String(decoding: try write(grid(), "svg"), as: UTF8.self)
        for part in [
            "s all", "three rows", "wide", "across", "small", "first bar", "second 10 % bar",
            "heat",
            "20k", "10k",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func `the small charts name the ends of their axis, marks included`() throws {
        let script = try grid().script(for: URL(fileURLWithPath: "a.png"))
        #expect(script.contains("set label 11 '-2' at graph 0"))
        #expect(script.contains("set label 12 '2' at graph 1"))
        #expect(script.contains("set arrow 2 from 2.0, graph 0"))
    }

    @Test func `no chart and an unknown kind of picture are refused, and leave no file`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("grid-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let empty = #expect(throws: RenderingError.self) {
            try PlotGrid(title: "", rows: []).write(to: folder.appendingPathComponent("a.png"))
        }
        #expect(empty?.code == .empty)
        let kind = #expect(throws: RenderingError.self) {
            try grid().write(to: folder.appendingPathComponent("a.pdf"))
        }
        #expect(kind?.code == .unknownFormat && kind?.file.hasSuffix("/a.pdf") == true)
        // A name that is a folder cannot be given to the picture.
        let taken = folder.appendingPathComponent("taken.png")
        try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
        let blocked = #expect(throws: RenderingError.self) { try grid().write(to: taken) }
        #expect(blocked?.code == .programFailed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken.png"])
    }
}
