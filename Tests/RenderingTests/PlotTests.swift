import Foundation
import Rendering
import Testing

@Suite struct PlotTests {
    private func plot(_ names: [String] = ["train", "held out"]) -> Plot {
        Plot(
            title: "It's a loss", xLabel: "tokens", yLabel: "loss",
            series: names.map { Plot.Series($0, x: [0, 1, 2], y: [3, .nan, 1]) })
    }

    private func write(_ plot: Plot, _ format: String) throws -> Data {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("plot-\(UUID().uuidString).\(format)")
        defer { try? FileManager.default.removeItem(at: url) }
        try plot.write(to: url)
        return try Data(contentsOf: url)
    }

    @Test func `a PNG of the size asked for is drawn`() throws {
        var plot = plot()
        plot.size = (width: 320, height: 200)
        let data = try write(plot, "png")
        #expect(data.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
        #expect(Array(data[16..<24]) == [0, 0, 1, 64, 0, 0, 0, 200])
    }

    @Test func `an SVG holds title, labels and legend`() throws {
        let text = String(decoding: try write(plot(), "svg"), as: UTF8.self)
        for part in ["loss", "tokens", "train", "held out", "It", "s a loss"] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func `an axis of values that are never negative starts at zero or above`() throws {
        var plot = plot()
        let url = URL(fileURLWithPath: "a.png")
        #expect(try plot.script(for: url).contains("set yrange [0<*:]"))
        plot.series.append(Plot.Series("below", x: [0, 1], y: [-1, 2]))
        #expect(try !plot.script(for: url).contains("set yrange"))
    }

    @Test func `quotes and line ends in texts do not leave their string`() throws {
        let script = try plot(["a'; system 'x\nb"]).script(for: URL(fileURLWithPath: "a.png"))
        #expect(script.contains("title 'a''; system ''x b'"))
    }

    @Test func `an unknown kind of picture and an empty chart are refused`() {
        let kind = #expect(throws: RenderingError.self) {
            try plot().write(to: URL(fileURLWithPath: "/tmp/plot.jpeg"))
        }
        #expect(kind?.code == .unknownFormat)
        #expect(kind?.description.contains(".png or .svg") == true)
        let empty = #expect(throws: RenderingError.self) {
            try plot([]).write(to: URL(fileURLWithPath: "/tmp/plot.png"))
        }
        #expect(empty?.code == .empty)
    }

    @Test func `a missing program is named with its package`() {
        let error = #expect(throws: RenderingError.self) {
            _ = try ExternalProgram(
                "gnuplot", package: "gnuplot-nox", arguments: [], making: "plot.png",
                searchPath: "/nowhere")
        }
        #expect(error?.code == .missingProgram)
        #expect(error?.description.contains("install gnuplot-nox") == true)
    }
}
