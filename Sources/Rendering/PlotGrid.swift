public import Foundation

/// Rows of charts in one picture, drawn by gnuplot: histograms, bars and heat maps.
public struct PlotGrid: Sendable {
    /// The colour of what is shown; the same thing has the same colour in every chart.
    public enum Color: Int, Sendable, Hashable {
        case blue, orange, green, violet
    }

    /// One bar.
    public struct Bar: Sendable, Hashable {
        /// Name below the bar.
        public var label: String
        /// Height of the bar.
        public var value: Double
        /// Height of a paler bar behind it.
        public var behind: Double
        /// Colour of both.
        public var color: Color

        /// Creates a bar.
        public init(_ label: String, value: Double, behind: Double, color: Color) {
            self.label = label
            self.value = value
            self.behind = behind
            self.color = color
        }
    }

    /// One chart.
    public struct Panel: Sendable {
        /// What a chart shows.
        public enum Content: Sendable {
            /// Counts in ranges; `edges` rise and are one more than `counts`.
            case histogram(edges: [Double], counts: [Int])
            /// Bars side by side, on an axis from 0 to `limit`.
            case bars([Bar], limit: Double)
            /// Columns of shares, the first number of a column lowest; `range` is what a column
            /// spans.
            case heatMap(columns: [[Double]], range: ClosedRange<Double>)
        }
        /// Above the chart.
        public var title: String
        /// What the horizontal axis shows; rows of many charts leave it out.
        public var xLabel: String
        /// What the vertical axis shows; rows of many charts leave it out.
        public var yLabel: String
        /// What is shown.
        public var content: Content
        /// Its colour; bars have their own.
        public var color: Color
        /// Places on the horizontal axis to mark by a dashed line, such as limits.
        public var marks: [Double] = []

        /// Creates a chart.
        public init(
            _ title: String, xLabel: String = "", yLabel: String = "", content: Content,
            color: Color = .blue
        ) {
            self.title = title
            self.xLabel = xLabel
            self.yLabel = yLabel
            self.content = content
            self.color = color
        }
    }

    /// Charts side by side.
    public struct Row: Sendable {
        /// The charts, from the left.
        public var panels: [Panel]
        /// How many charts share the width, as many as there are or more.
        public var columns: Int
        /// Height in pixels.
        public var height: Int

        /// Creates a row; from four `columns` on, charts have no axis but the ends of the
        /// horizontal one.
        public init(_ panels: [Panel], columns: Int? = nil, height: Int) {
            self.panels = panels
            self.columns = max(columns ?? panels.count, panels.count)
            self.height = height
        }

        var isCompact: Bool { columns >= 4 }
    }

    /// Above all charts.
    public var title: String
    /// A line below the title.
    public var subtitle: String
    /// The charts, row after row.
    public var rows: [Row]
    /// Width of the picture in pixels.
    public var width = 1200

    /// Creates a picture.
    public init(title: String, subtitle: String = "", rows: [Row]) {
        self.title = title
        self.subtitle = subtitle
        self.rows = rows
    }

    /// Draws the charts to a PNG or SVG file, by its extension.
    ///
    /// - Throws: ``RenderingError`` when gnuplot is missing or fails, the extension is another, or
    ///   there is no chart.
    public func write(to url: URL) throws(RenderingError) {
        guard rows.contains(where: { !$0.panels.isEmpty }) else {
            throw RenderingError(
                code: .empty, file: url.path, detail: "there is no chart; add some")
        }
        try Gnuplot.draw(script(for: url), to: url)
    }

    private static let header = 68
    private static let footer = 14
    private static let sides = 24

    /// What gnuplot is told.
    package func script(for url: URL) throws(RenderingError) -> String {
        let height = rows.reduce(Self.header + Self.footer) { $0 + $1.height }
        var lines = [
            try Gnuplot.terminal(for: url, width: width, height: height),
            "set multiplot",
            "set label 1 \(Gnuplot.quoted(title)) at screen 0.5, "
                + "screen \(1 - 22 / Double(height)) center font 'DejaVu Sans,15' "
                + "textcolor '\(Gnuplot.ink)'",
            "set label 2 \(Gnuplot.quoted(subtitle)) at screen 0.5, "
                + "screen \(1 - 46 / Double(height)) center font 'DejaVu Sans,10' "
                + "textcolor '\(Gnuplot.axis)'",
            "set key off", "set tics nomirror out scale 0.4 textcolor '\(Gnuplot.softInk)'",
        ]
        var top = Self.header
        var number = 0
        for row in rows {
            let share = (width - 2 * Self.sides) / max(1, row.columns)
            for (column, panel) in row.panels.enumerated() {
                let place = Place(
                    left: Self.sides + column * share, top: top, width: share, height: row.height,
                    isCompact: row.isCompact)
                lines += place.margins(width: width, height: height)
                lines += panel.script(number, isCompact: row.isCompact)
                // They belong to the picture, not to every chart.
                if number == 0 { lines += ["unset label 1", "unset label 2"] }
                number += 1
            }
            top += row.height
        }
        return (lines + ["unset multiplot"]).joined(separator: "\n") + "\n"
    }

    /// The rectangle of a chart with its title and labels, in pixels.
    private struct Place {
        let left: Int
        let top: Int
        let width: Int
        let height: Int
        let isCompact: Bool

        func margins(width total: Int, height full: Int) -> [String] {
            let (leftGap, rightGap, topGap, bottomGap) =
                isCompact ? (10, 10, 26, 30) : (62, 14, 34, 56)
            func x(_ pixels: Int) -> Double { Double(pixels) / Double(total) }
            func y(_ pixels: Int) -> Double { 1 - Double(pixels) / Double(full) }
            return [
                "set lmargin at screen \(x(left + leftGap))",
                "set rmargin at screen \(x(left + width - rightGap))",
                "set tmargin at screen \(y(top + topGap))",
                "set bmargin at screen \(y(top + height - bottomGap))",
            ]
        }
    }
}
