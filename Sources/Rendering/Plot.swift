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
        try Gnuplot.draw(script(for: url), to: url)
    }

    /// What gnuplot is told.
    package func script(for url: URL) throws(RenderingError) -> String {
        let horizontal =
            hasLogarithmicX ? .plain : Gnuplot.Scale(for: series.flatMap(\.x))
        let vertical =
            hasLogarithmicY ? .plain : Gnuplot.Scale(for: series.flatMap(\.y))
        var lines = [
            try Gnuplot.terminal(for: url, width: size.width, height: size.height),
            "set title \(Gnuplot.quoted(title)) font 'DejaVu Sans,14' textcolor '\(Gnuplot.ink)'",
            "set xlabel \(Gnuplot.quoted(xLabel)) textcolor '\(Gnuplot.softInk)'",
            "set ylabel \(Gnuplot.quoted(yLabel)) textcolor '\(Gnuplot.softInk)'",
            "set border 3 linecolor '\(Gnuplot.axis)' linewidth 1",
            "set tics nomirror out scale 0.5 textcolor '\(Gnuplot.softInk)'",
            "set format x '%.10g\(horizontal.suffix)'", "set format y '%.10g\(vertical.suffix)'",
            "set grid back linecolor '\(Gnuplot.grid)' linetype 1 linewidth 1",
            "set key outside below center horizontal textcolor '\(Gnuplot.softInk)' samplen 2 spacing 1.3",
            "set rmargin 5",
            "set datafile missing 'NaN'", "set offsets graph 0, graph 0, graph 0.05, graph 0.05",
        ]
        if hasLogarithmicX { lines.append("set logscale x") }
        if hasLogarithmicY {
            lines.append("set logscale y")
        } else if series.allSatisfy({ $0.y.allSatisfy { !($0 < 0) } }) {
            // The room below the lines would show values that there cannot be.
            lines.append("set yrange [0<*:]")
        }
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
            let color = Gnuplot.color(index)
            let style =
                switch line.style {
                case .line: "lines linewidth 2"
                case .dashed: "lines linewidth 1.5 dashtype 2"
                case .points: "points pointtype 7 pointsize 0.5"
                }
            return "$data\(index) using 1:2 with \(style) linecolor '\(color)' "
                + "title \(Gnuplot.quoted(line.name))"
        }
        lines.append("plot " + curves.joined(separator: ", \\\n  "))
        return lines.joined(separator: "\n") + "\n"
    }
}
