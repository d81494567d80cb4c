import Foundation

/// Tables and bars of plain text.
enum TextTable {
    /// Rows as lines: the first column to the left, the others to the right, two spaces between.
    static func aligned(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - text.count)
                line += (column == 0 ? text + space : "  " + space + text)
            }
            return line.replacing(/\ +$/, with: "")
        }.joined(separator: "\n")
    }

    /// A bar of `share` of `width` characters, in steps of an eighth; a share above 0 shows.
    static func bar(_ share: Double, width: Int = 32) -> String {
        let eighths = Int((share * Double(8 * width)).rounded())
        let shown = share > 0 ? max(1, eighths) : 0
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: shown / 8) + parts[shown % 8]
    }
}
