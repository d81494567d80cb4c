package import Foundation

/// What the kinds of plots share: colours, texts, the picture's format, and running gnuplot.
package enum Gnuplot {
    /// Colours that are told apart beside each other on white.
    package static let colors = [
        "#2563EB", "#EA580C", "#059669", "#9333EA", "#DC2626", "#0891B2", "#CA8A04", "#64748B",
    ]
    /// One of ``colors`` for each number; they come again.
    package static func color(_ number: Int) -> String { colors[number % colors.count] }

    /// Colour of titles.
    package static let ink = "#111827"
    /// Colour of labels and tics.
    package static let softInk = "#374151"
    /// Colour of axes.
    package static let axis = "#9CA3AF"
    /// Colour of grid lines.
    package static let grid = "#E5E7EB"

    /// Draws a picture; `script` is what gnuplot is told, which prints the picture.
    ///
    /// - Throws: ``RenderingError`` when gnuplot is missing or fails.
    package static func draw(_ script: String, to url: URL) throws(RenderingError) {
        let format = try format(of: url)
        let program = try ExternalProgram(
            "gnuplot", package: "gnuplot-nox", arguments: ["-"], making: url.path,
            printing: try ExternalProgram.output(url))
        try program.write(Data(script.utf8))
        try program.finish(format)
    }

    private static func format(of url: URL) throws(RenderingError) -> PictureFormat {
        switch url.pathExtension.lowercased() {
        case "png": return .png
        case "svg": return .svg
        case let other:
            throw RenderingError(
                code: .unknownFormat, file: url.path,
                detail: "'\(other)' is no known kind of picture; name the file .png or .svg")
        }
    }

    /// The line that sets kind, by the file's name, and size in pixels of the picture.
    package static func terminal(for url: URL, width: Int, height: Int) throws(RenderingError)
        -> String
    {
        let kind = try format(of: url) == .png ? "pngcairo" : "svg dynamic"
        return "set terminal \(kind) size \(width),\(height) noenhanced "
            + "background '#FFFFFF' font 'DejaVu Sans,11' rounded"
    }

    /// A gnuplot string: in single quotes only a single quote is special, and doubled.
    package static func quoted(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "'" + line.replacingOccurrences(of: "'", with: "''") + "'"
    }

    /// A named block of data, a row a line.
    package static func block(_ name: String, _ rows: [[Double]]) -> String {
        (["$\(name) << END"] + rows.map { $0.map { "\($0)" }.joined(separator: " ") } + ["END"])
            .joined(separator: "\n")
    }

    /// What the numbers of an axis are divided by, and how that is written behind them.
    struct Scale {
        let divisor: Double
        let suffix: String

        /// Numbers as they are.
        static let plain = Scale(divisor: 1, suffix: "")

        private init(divisor: Double, suffix: String) {
            self.divisor = divisor
            self.suffix = suffix
        }

        /// Thousands, millions or more where numbers are large.
        init(for values: [Double]) {
            switch values.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0 {
            case ..<1e4: self = .plain
            case ..<1e6: self = Scale(divisor: 1e3, suffix: "k")
            case ..<1e9: self = Scale(divisor: 1e6, suffix: "M")
            default: self = Scale(divisor: 1e9, suffix: "G")
            }
        }
    }
}
