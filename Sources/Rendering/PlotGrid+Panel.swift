import Foundation

extension PlotGrid.Panel {
    /// What gnuplot is told to draw the chart between margins that are set.
    func script(_ number: Int, isCompact: Bool) -> [String] {
        var lines = [
            "set title \(Gnuplot.quoted(title)) font 'DejaVu Sans,\(isCompact ? 9 : 12)' "
                + "textcolor '\(Gnuplot.ink)' offset 0,-0.5",
            "set xlabel \(Gnuplot.quoted(isCompact ? "" : xLabel)) textcolor '\(Gnuplot.softInk)'",
            "set ylabel \(Gnuplot.quoted(isCompact ? "" : yLabel)) textcolor '\(Gnuplot.softInk)'",
            "set border 1 linecolor '\(Gnuplot.axis)' linewidth 1", "unset arrow", "unset grid",
            "unset label 11", "unset label 12",
            "unset xtics", "unset ytics", "unset colorbox",
        ]
        switch content {
        case .histogram(let edges, let counts):
            lines += histogram(number, edges, counts, isCompact: isCompact)
        case .bars(let bars, let limit):
            lines += self.bars(number, bars, limit: limit)
        case .heatMap(let columns, let range):
            lines += heatMap(number, columns, range)
        }
        return lines
    }

    private func histogram(
        _ number: Int, _ edges: [Double], _ counts: [Int], isCompact: Bool
    ) -> [String] {
        precondition(
            counts.isEmpty || edges.count == counts.count + 1,
            "\(edges.count) edges do not bound \(counts.count) ranges")
        guard let first = edges.first, let last = edges.last, let most = counts.max() else {
            // An empty chart still has its title.
            return [
                "set xrange [0:1]", "set yrange [0:1]", "plot NaN notitle",
            ]
        }
        let horizontal = isCompact ? Gnuplot.Scale.plain : Gnuplot.Scale(for: edges)
        let vertical = Gnuplot.Scale(for: counts.map(Double.init))
        let shown = ([first, last] + marks).map { $0 / horizontal.divisor }
        let (low, high) = (shown.min() ?? 0, shown.max() ?? 1)
        let space = 0.02 * (high - low)
        var lines = [
            "set xrange [\(low - space):\(high + space)]",
            "set yrange [0:\(1.06 * Double(max(1, most)) / vertical.divisor)]",
        ]
        if isCompact {
            // The ends say more in little room than round numbers do.
            for (index, (value, side)) in [(low, "left"), (high, "right")].enumerated() {
                let text = Gnuplot.quoted(String(format: "%.3g", value))
                lines.append(
                    "set label \(11 + index) \(text) at graph \(index), graph 0 \(side) "
                        + "offset 0,-0.8 font 'DejaVu Sans,8' textcolor '\(Gnuplot.softInk)'")
            }
        } else {
            lines += [
                "set xtics nomirror autofreq font 'DejaVu Sans,10'",
                // There is no half of a count.
                "set ytics nomirror \(most < 5 ? "1" : "autofreq") font 'DejaVu Sans,10'",
                "set format x '%.10g\(horizontal.suffix)'",
                "set format y '%.10g\(vertical.suffix)'",
                "set grid ytics back linecolor '\(Gnuplot.grid)' linetype 1 linewidth 1",
            ]
        }
        for (index, mark) in marks.enumerated() {
            let place = mark / horizontal.divisor
            lines.append(
                "set arrow \(index + 1) from \(place), graph 0 to \(place), graph 1 nohead "
                    + "linecolor '\(Gnuplot.axis)' dashtype 2")
        }
        lines.append(
            Gnuplot.block(
                "panel\(number)",
                counts.enumerated().map { index, count in
                    let (from, to) = (edges[index], edges[index + 1])
                    return [
                        (from + to) / 2 / horizontal.divisor, Double(count) / vertical.divisor,
                        (to - from) / horizontal.divisor * (isCompact ? 1 : 0.92),
                    ]
                }))
        lines.append(
            "plot $panel\(number) using 1:2:3 with boxes fillstyle solid 0.85 noborder "
                + "linecolor '\(Gnuplot.colors[color.rawValue])'")
        return lines
    }

    private func bars(_ number: Int, _ bars: [PlotGrid.Bar], limit: Double) -> [String] {
        // More names than fit are thinned out.
        let stride = bars.count <= 48 ? 1 : (bars.count + 23) / 24
        let names = bars.enumerated().filter { $0.offset.isMultiple(of: stride) }.map {
            // What stands at a tick is taken for a format.
            "\(Gnuplot.quoted($1.label.replacing("%", with: "%%"))) \($0)"
        }
        var lines = [
            "set xrange [-0.7:\(Double(bars.count) - 0.3)]", "set yrange [0:\(limit)]",
            "set xtics (\(names.joined(separator: ", "))) scale 0 font 'DejaVu Sans,9'",
            "set ytics nomirror autofreq scale 0.4 font 'DejaVu Sans,10'", "set format y '%.10g'",
            "set grid ytics back linecolor '\(Gnuplot.grid)' linetype 1 linewidth 1",
        ]
        let colors = Set(bars.map(\.color)).sorted { $0.rawValue < $1.rawValue }
        var curves: [String] = []
        for color in colors {
            let name = "panel\(number)_\(color.rawValue)"
            let rows = bars.enumerated().filter { $1.color == color }
            lines.append(Gnuplot.block(name, rows.map { [Double($0), $1.value, $1.behind] }))
            let hue = Gnuplot.colors[color.rawValue]
            curves += [
                "$\(name) using 1:3:(0.78) with boxes fillstyle solid 0.25 noborder "
                    + "linecolor '\(hue)'",
                "$\(name) using 1:2:(0.78) with boxes fillstyle solid 0.85 noborder "
                    + "linecolor '\(hue)'",
            ]
        }
        lines.append("plot " + curves.joined(separator: ", \\\n  "))
        return lines
    }

    private func heatMap(
        _ number: Int, _ columns: [[Double]], _ range: ClosedRange<Double>
    ) -> [String] {
        let height = columns.map(\.count).max() ?? 1
        let step = (range.upperBound - range.lowerBound) / Double(height)
        let cells = columns.enumerated().flatMap { column, shares in
            shares.enumerated().map { row, share in
                [Double(column), range.lowerBound + (Double(row) + 0.5) * step, share]
            }
        }
        return [
            "set xrange [-0.5:\(Double(columns.count) - 0.5)]",
            "set yrange [\(range.lowerBound):\(range.upperBound)]",
            "set xtics nomirror autofreq font 'DejaVu Sans,10'",
            "set ytics nomirror autofreq font 'DejaVu Sans,10'",
            "set format x '%.10g'", "set format y '%.10g'",
            "set palette defined (0 '#FFFFFF', 0.15 '#BFDBFE', 0.5 '#3B82F6', 1 '#1E3A8A')",
            Gnuplot.block("panel\(number)", cells),
            "plot $panel\(number) using 1:2:3 with image",
        ]
    }
}
