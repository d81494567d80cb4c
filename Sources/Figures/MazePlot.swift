public import Environments
public import Foundation
public import Rendering

/// A maze from above with what moved through it: walls, trajectories, starts and goals.
///
/// Places are those of `MazeMap.center(of:cellSize:)`, in metres.
public struct MazePlot: Sendable {
    /// A place in the maze, in metres.
    public typealias Point = (x: Double, y: Double)

    /// What the colours of trajectories mean.
    public enum Coloring: Sendable, Hashable {
        /// From the first step (blue) to the last (orange).
        case time
        /// A colour for each trajectory.
        case trajectory
    }

    /// Above the maze; no title if empty.
    public var title = ""
    /// The cells.
    public var map: MazeMap
    /// Length of a cell's side in metres.
    public var cellSize: Double
    /// Lines through the maze.
    public var trajectories: [[Point]]
    /// Lines that were planned, each the start of the trajectory of the same number; drawn as pale
    /// bands below it.
    public var plans: [[Point]] = []
    /// What the trajectories' colours mean.
    public var coloring = Coloring.time
    /// Where something starts.
    public var starts: [Point] = []
    /// Where it is to get.
    public var goals: [Point] = []
    /// Pixels of the longer side of the maze.
    public var size = 640

    /// Creates a plot of a maze whose cells have sides of `cellSize` metres.
    public init(map: MazeMap, cellSize: Double, trajectories: [[Point]]) {
        precondition(cellSize > 0, "cells of \(cellSize) m")
        self.map = map
        self.cellSize = cellSize
        self.trajectories = trajectories
    }

    /// The middle of a cell.
    public func center(row: Int, column: Int) -> Point {
        map.center(of: MazeMap.Position(row: row, column: column), cellSize: cellSize)
    }

    /// Draws the plot to a PNG or SVG file, by its extension.
    ///
    /// - Throws: `RenderingError` when gnuplot is missing or fails, or the extension is another.
    public func write(to url: URL) throws(RenderingError) {
        try Gnuplot.draw(script(for: url), to: url)
    }

    // MARK: - Script

    private static let border = 16
    private static let wall = "#334155"
    private static let floor = "#F8FAFC"
    private static let startColor = "#059669"
    private static let goalColor = "#DC2626"
    private static let planColor = "#94A3B8"

    /// The points of each line that are places, with the line's number; lines without any are left
    /// out.
    private static func drawable(_ lines: [[Point]]) -> [(number: Int, points: [Point])] {
        lines.map { $0.filter { $0.x.isFinite && $0.y.isFinite } }.enumerated()
            .filter { !$0.element.isEmpty }.map { (number: $0.offset, points: $0.element) }
    }

    /// What gnuplot is told.
    package func script(for url: URL) throws(RenderingError) -> String {
        let shown = Self.drawable(trajectories)
        let planned = Self.drawable(plans)
        let isTimed = coloring == .time && !shown.isEmpty
        let (x, y) = map.bounds(cellSize: cellSize)
        let (across, down) = (x.upperBound - x.lowerBound, y.upperBound - y.lowerBound)
        let pixels = Double(size) / max(across, down)
        let header = title.isEmpty ? Self.border : 48
        let hasMarks = !starts.isEmpty || !goals.isEmpty || !planned.isEmpty
        let footer = Self.border + (isTimed ? 30 : 0) + (hasMarks ? 24 : 0)
        let width = Int((across * pixels).rounded()) + 2 * Self.border
        let height = Int((down * pixels).rounded()) + header + footer
        func share(_ pixels: Int, _ total: Int) -> Double { Double(pixels) / Double(total) }

        var lines = [
            try Gnuplot.terminal(for: url, width: width, height: height),
            "set lmargin at screen \(share(Self.border, width))",
            "set rmargin at screen \(1 - share(Self.border, width))",
            "set tmargin at screen \(1 - share(header, height))",
            "set bmargin at screen \(share(footer, height))",
            "set xrange [\(x.lowerBound):\(x.upperBound)]",
            "set yrange [\(y.lowerBound):\(y.upperBound)]",
            "unset border", "unset tics", "set key off",
            "set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 behind "
                + "fillcolor rgb '\(Self.floor)' fillstyle solid noborder",
        ]
        if !title.isEmpty {
            lines.append(
                "set title \(Gnuplot.quoted(title)) font 'DejaVu Sans,14' "
                    + "textcolor '\(Gnuplot.ink)'")
        }
        lines += walls()
        let bar = (from: share(14, height), to: share(26, height))
        if hasMarks {
            let line = share(footer - 20, height)
            for (number, (isShown, sign, name, color)) in [
                (!starts.isEmpty, "●", "start", Self.startColor),
                (!goals.isEmpty, "◉", "goal", Self.goalColor),
                (!planned.isEmpty, "▬", "first plan", Self.planColor),
            ].enumerated() where isShown {
                let place = share(Self.border + 76 * number, width)
                lines += [
                    "set label \(2 * number + 11) '\(sign)' at screen \(place), screen \(line) left "
                        + "font 'DejaVu Sans,12' textcolor '\(color)'",
                    "set label \(2 * number + 12) '\(name)' at screen \(place + share(20, width)), "
                        + "screen \(line) left font 'DejaVu Sans,10' "
                        + "textcolor '\(Gnuplot.softInk)'",
                ]
            }
        }
        if isTimed {
            lines += [
                "set palette defined (0 '#2563EB', 0.5 '#C026D3', 1 '#F97316')",
                "set cbrange [0:1]",
                "set colorbox horizontal user origin screen 0.32, screen \(bar.from) "
                    + "size screen 0.36, screen \(bar.to - bar.from) noborder",
                "unset cbtics",
                "set label 1 'first step' at screen 0.30, screen \((bar.from + bar.to) / 2) right "
                    + "font 'DejaVu Sans,10' textcolor '\(Gnuplot.softInk)'",
                "set label 2 'last step' at screen 0.70, screen \((bar.from + bar.to) / 2) left "
                    + "font 'DejaVu Sans,10' textcolor '\(Gnuplot.softInk)'",
            ]
        } else {
            lines.append("unset colorbox")
        }
        var curves: [String] = []
        for (number, line) in planned {
            lines.append(Gnuplot.block("plan\(number)", line.map { [$0.x, $0.y] }))
            let color = isTimed ? Self.planColor : Gnuplot.color(number)
            // The first two digits of eight are how transparent a colour is.
            curves.append(
                "$plan\(number) using 1:2 with lines linewidth 9 linecolor rgb "
                    + "'#A0\(color.dropFirst())'")
        }
        // Many lines over each other are told apart better where they are thin.
        let weight = shown.count > 12 ? 1.2 : 2.5
        for (index, (number, line)) in shown.enumerated() {
            let last = Double(max(1, line.count - 1))
            lines.append(
                Gnuplot.block(
                    "line\(index)",
                    line.enumerated().map { [$1.x, $1.y, Double($0) / last] }))
            let color =
                isTimed ? "palette" : "rgb '\(Gnuplot.color(number))'"
            curves.append(
                "$line\(index) using 1:2\(isTimed ? ":3" : "") with lines linewidth \(weight) "
                    + "linecolor \(color)")
        }
        curves += marks("start", starts, rings: [(2.0, "#FFFFFF"), (1.5, Self.startColor)], &lines)
        curves += marks(
            "goal", goals,
            rings: [
                (2.8, "#FFFFFF"), (2.4, Self.goalColor), (1.7, "#FFFFFF"), (1.0, Self.goalColor),
            ], &lines)
        lines.append("plot " + (curves.isEmpty ? ["NaN"] : curves).joined(separator: ", \\\n  "))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Walls beside each other in a row are one rectangle, so that no seam shows between them.
    private func walls() -> [String] {
        var lines: [String] = []
        for (row, cells) in map.cells.enumerated() {
            var first: Int?
            for (column, cell) in (cells + [.free]).enumerated() {
                if cell == .wall {
                    first = first ?? column
                } else if let start = first {
                    let (from, to) = (
                        center(row: row, column: start), center(row: row, column: column - 1)
                    )
                    let half = cellSize / 2
                    lines.append(
                        "set object \(lines.count + 2) rectangle from \(from.x - half), "
                            + "\(from.y - half) to \(to.x + half), \(to.y + half) behind fillcolor "
                            + "rgb '\(Self.wall)' fillstyle solid border rgb '\(Self.wall)' "
                            + "linewidth 1")
                    first = nil
                }
            }
        }
        return lines
    }

    /// Discs of falling size over each other.
    private func marks(
        _ name: String, _ points: [Point], rings: [(size: Double, color: String)],
        _ lines: inout [String]
    ) -> [String] {
        guard !points.isEmpty else { return [] }
        lines.append(Gnuplot.block(name, points.map { [$0.x, $0.y] }))
        // Of many, which lie close together, small ones hide less.
        let scale = points.count > 12 ? 0.5 : 1
        return rings.map {
            "$\(name) using 1:2 with points pointtype 7 pointsize \($0.size * scale) "
                + "linecolor rgb '\($0.color)'"
        }
    }
}
