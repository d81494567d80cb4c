public import Foundation

/// A chart of lines over a common horizontal axis, drawn by gnuplot.
public struct Plot: Sendable {
    /// One line of the chart.
    public struct Series: Sendable {
        /// How a line is drawn.
        public enum Style: Sendable, Hashable {
            /// Solid.
            case line
            /// Thin and dashed, for references.
            case dashed
            /// A dot at each point, unconnected.
            case points
        }
        /// Name in the legend.
        public var name: String
        /// Horizontal coordinates.
        public var x: [Double]
        /// Vertical coordinates; numbers that are not finite leave a gap.
        public var y: [Double]
        /// How the line is drawn.
        public var style: Style

        /// Creates a line through the points (x[i], y[i]).
        public init(_ name: String, x: [Double], y: [Double], style: Style = .line) {
            precondition(x.count == y.count, "\(x.count) and \(y.count) coordinates do not pair")
            self.name = name
            self.x = x
            self.y = y
            self.style = style
        }
    }

    /// Above the chart.
    public var title: String
    /// What the horizontal axis shows, with its unit.
    public var xLabel: String
    /// What the vertical axis shows, with its unit.
    public var yLabel: String
    /// The lines, in the order of the legend.
    public var series: [Series]
    /// Width and height of the picture in pixels.
    public var size = (width: 800, height: 480)
    /// Whether the horizontal axis is logarithmic.
    public var hasLogarithmicX = false
    /// Whether the vertical axis is logarithmic.
    public var hasLogarithmicY = false

    /// Creates a chart.
    public init(title: String, xLabel: String, yLabel: String, series: [Series]) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
    }

    /// Draws the chart to a PNG or SVG file, by its extension.
    ///
    /// - Throws: ``RenderingError`` when gnuplot is missing or fails, the extension is another, or
    ///   no series has a point.
    public func write(to url: URL) throws(RenderingError) {
        guard series.contains(where: { zip($0.x, $0.y).contains { $0.isFinite && $1.isFinite } })
        else {
            throw RenderingError(
                code: .empty, file: url.path, detail: "no series has a point; add some")
        }
        let script = try script(for: url)
        let program = try ExternalProgram(
            "gnuplot", package: "gnuplot-nox", arguments: ["-"], making: url.path)
        try program.write(Data(script.utf8))
        try program.finish()
    }

    private static let colors = [
        "#2563EB", "#EA580C", "#059669", "#9333EA", "#DC2626", "#0891B2", "#CA8A04", "#64748B",
    ]

    /// What gnuplot is told.
    package func script(for url: URL) throws(RenderingError) -> String {
        let terminal: String
        switch url.pathExtension.lowercased() {
        case "png": terminal = "pngcairo"
        case "svg": terminal = "svg dynamic"
        case let other:
            throw RenderingError(
                code: .unknownFormat, file: url.path,
                detail: "'\(other)' is no known kind of picture; name the file .png or .svg")
        }
        let horizontal =
            hasLogarithmicX ? Scale(divisor: 1, suffix: "") : Self.scale(series.flatMap(\.x))
        let vertical =
            hasLogarithmicY ? Scale(divisor: 1, suffix: "") : Self.scale(series.flatMap(\.y))
        var lines = [
            "set terminal \(terminal) size \(size.width),\(size.height) noenhanced "
                + "background '#FFFFFF' font 'DejaVu Sans,11'",
            "set output \(Self.quoted(url.path))",
            "set title \(Self.quoted(title)) font 'DejaVu Sans,14' textcolor '#111827'",
            "set xlabel \(Self.quoted(xLabel)) textcolor '#374151'",
            "set ylabel \(Self.quoted(yLabel)) textcolor '#374151'",
            "set border 3 linecolor '#9CA3AF' linewidth 1",
            "set tics nomirror out scale 0.5 textcolor '#374151'",
            "set format x '%.10g\(horizontal.suffix)'", "set format y '%.10g\(vertical.suffix)'",
            "set grid back linecolor '#E5E7EB' linetype 1 linewidth 1",
            "set key outside below center horizontal textcolor '#374151' samplen 2 spacing 1.3",
            "set rmargin 5", "set bmargin 6",
            "set datafile missing 'NaN'", "set offsets graph 0, 0, 0.05, 0.05",
        ]
        if hasLogarithmicX { lines.append("set logscale x") }
        if hasLogarithmicY { lines.append("set logscale y") }
        if series.count < 2 { lines.append("set key off") }
        for (index, line) in series.enumerated() {
            lines.append("$data\(index) << END")
            for (x, y) in zip(line.x, line.y) where x.isFinite {
                let scaled = y.isFinite ? "\(y / vertical.divisor)" : "NaN"
                lines.append("\(x / horizontal.divisor) \(scaled)")
            }
            lines.append("END")
        }
        let curves = series.enumerated().map { index, line in
            let color = Self.colors[index % Self.colors.count]
            let style =
                switch line.style {
                case .line: "lines linewidth 2"
                case .dashed: "lines linewidth 1.5 dashtype 2"
                case .points: "points pointtype 7 pointsize 0.5"
                }
            return "$data\(index) using 1:2 with \(style) linecolor '\(color)' "
                + "title \(Self.quoted(line.name))"
        }
        lines.append("plot " + curves.joined(separator: ", \\\n  "))
        return lines.joined(separator: "\n") + "\n"
    }

    /// What the numbers of an axis are divided by, and how that is written behind them.
    private struct Scale {
        let divisor: Double
        let suffix: String
    }

    private static func scale(_ values: [Double]) -> Scale {
        switch values.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0 {
        case ..<1e4: Scale(divisor: 1, suffix: "")
        case ..<1e6: Scale(divisor: 1e3, suffix: "k")
        case ..<1e9: Scale(divisor: 1e6, suffix: "M")
        default: Scale(divisor: 1e9, suffix: "G")
        }
    }

    /// A gnuplot string: in single quotes only a single quote is special, and doubled.
    private static func quoted(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "'" + line.replacingOccurrences(of: "'", with: "''") + "'"
    }
}
