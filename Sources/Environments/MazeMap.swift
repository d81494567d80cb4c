/// A maze of square cells, as Gymnasium-Robotics writes it down.
///
/// One character a cell: `1` or `#` wall, `0`, `.` or space free, `r` a start, `g` a goal, `c`
/// both. Without such letters every free cell may be start and goal; with some, only those of its
/// kind.
public struct MazeMap: Sendable, Hashable {
    /// What a cell is.
    public enum Cell: Character, Sendable, Hashable {
        /// Nobody can be here.
        case wall = "1"
        /// Free floor.
        case free = "0"
        /// Free, and where episodes start.
        case start = "r"
        /// Free, and where goals are.
        case goal = "g"
        /// Free, and both of these.
        case startAndGoal = "c"
    }

    /// A cell's place: row from the top, column from the left.
    public struct Position: Sendable, Hashable {
        /// Row, from 0 at the top.
        public var row: Int
        /// Column, from 0 at the left.
        public var column: Int

        /// Creates a place.
        public init(row: Int, column: Int) {
            self.row = row
            self.column = column
        }
    }

    /// Where a map lies in metres.
    public enum Frame: Sendable, Hashable {
        /// Gymnasium-Robotics': the origin is the middle of the map, x grows with the column, y
        /// shrinks with the row.
        case middle
        /// D4RL's: the origin is the middle of a cell, x grows with the column and y with the row,
        /// so that from above the first row lies below.
        case cell(Position)
    }

    /// The cells, row by row from the top; all rows are equally long.
    public let cells: [[Cell]]
    /// Where they lie in metres.
    public var frame = Frame.middle

    /// A map of these cells, at least one.
    package init(cells: [[Cell]], frame: Frame = .middle) {
        self.cells = cells
        self.frame = frame
    }

    /// Number of rows.
    public var rowCount: Int { cells.count }
    /// Number of columns.
    public var columnCount: Int { cells[0].count }

    /// The cell at a place; what lies outside counts as wall.
    public subscript(_ position: Position) -> Cell {
        guard cells.indices.contains(position.row),
            cells[position.row].indices.contains(position.column)
        else { return .wall }
        return cells[position.row][position.column]
    }

    /// All cells that are `wanted`, row by row.
    public func positions(where wanted: (Cell) -> Bool) -> [Position] {
        cells.indices.flatMap { row in
            cells[row].indices.filter { wanted(cells[row][$0]) }
                .map { Position(row: row, column: $0) }
        }
    }

    /// Cells where goals are drawn.
    public var goalCells: [Position] { cells(of: .goal, other: .start) }
    /// Cells where episodes start.
    public var startCells: [Position] { cells(of: .start, other: .goal) }

    private func cells(of kind: Cell, other: Cell) -> [Position] {
        let own = positions { $0 == kind }
        let both = positions { $0 == .startAndGoal }
        // Letters of the other kind alone leave this kind free to be anywhere unmarked.
        return own.isEmpty && both.isEmpty ? positions { $0 == .free } : own + both
    }

    /// The free cells next to a place: up, down, left, right.
    public func neighbours(of position: Position) -> [Position] {
        [(-1, 0), (1, 0), (0, -1), (0, 1)].map {
            Position(row: position.row + $0.0, column: position.column + $0.1)
        }.filter { self[$0] != .wall }
    }

    /// Steps from cell to cell to `goal`, for every cell from which it can be reached.
    public func distances(to goal: Position) -> [Position: Int] {
        guard self[goal] != .wall else { return [:] }
        var distances = [goal: 0]
        var frontier = [goal]
        var distance = 0
        while !frontier.isEmpty {
            distance += 1
            frontier = frontier.flatMap { neighbours(of: $0) }.filter {
                guard distances[$0] == nil else { return false }
                distances[$0] = distance
                return true
            }
        }
        return distances
    }

    // MARK: - From cells to metres

    /// The centre of a cell in metres, as ``frame`` has it.
    public func center(of position: Position, cellSize: Double) -> (x: Double, y: Double) {
        switch frame {
        case .middle:
            (
                (Double(position.column) + 0.5) * cellSize - Double(columnCount) / 2 * cellSize,
                Double(rowCount) / 2 * cellSize - (Double(position.row) + 0.5) * cellSize
            )
        case .cell(let origin):
            (
                Double(position.column - origin.column) * cellSize,
                Double(position.row - origin.row) * cellSize
            )
        }
    }

    /// The cell in which a point lies, perhaps one outside the map.
    public func position(x: Double, y: Double, cellSize: Double) -> Position {
        switch frame {
        case .middle:
            Position(
                row: Int((Double(rowCount) / 2 - y / cellSize).rounded(.down)),
                column: Int((x / cellSize + Double(columnCount) / 2).rounded(.down)))
        case .cell(let origin):
            Position(
                row: origin.row + Int((y / cellSize + 0.5).rounded(.down)),
                column: origin.column + Int((x / cellSize + 0.5).rounded(.down)))
        }
    }

    /// What the map covers, in metres.
    public func bounds(cellSize: Double) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        let corners = [
            Position(row: 0, column: 0), .init(row: rowCount - 1, column: columnCount - 1),
        ]
        .map { center(of: $0, cellSize: cellSize) }
        func range(_ a: Double, _ b: Double) -> ClosedRange<Double> {
            (min(a, b) - cellSize / 2)...(max(a, b) + cellSize / 2)
        }
        return (range(corners[0].x, corners[1].x), range(corners[0].y, corners[1].y))
    }
}

// MARK: - Reading

extension MazeMap {
    /// Reads a map from text, a row a line; `name` is what errors call it.
    ///
    /// - Throws: ``EnvironmentError`` when a character is unknown, rows differ in length, the map
    ///   is open at its border, or there are not two free cells that can reach each other.
    public init(_ text: String, name: String) throws(EnvironmentError) {
        func fail(_ detail: String) -> EnvironmentError {
            EnvironmentError(code: .invalidMap, environment: name, detail: detail)
        }
        var rows: [[Cell]] = []
        for (line, row) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        where !row.allSatisfy(\.isWhitespace) {
            var cells: [Cell] = []
            for character in row {
                switch character {
                case "#": cells.append(.wall)
                case ".", " ": cells.append(.free)
                case let other:
                    guard let cell = Cell(rawValue: other) else {
                        throw fail(
                            "line \(line + 1), column \(cells.count + 1) is '\(other)'; write "
                                + "1 for a wall, 0 for a free cell, r, g or c for starts and goals")
                    }
                    cells.append(cell)
                }
            }
            guard cells.count == rows.first?.count ?? cells.count else {
                throw fail(
                    "line \(line + 1) has \(cells.count) cells and the first row \(rows[0].count); "
                        + "make all rows equally long")
            }
            rows.append(cells)
        }
        guard !rows.isEmpty else { throw fail("there is no row; write a row of cells a line") }
        self.init(cells: rows)
        let isClosed = positions { $0 != .wall }.allSatisfy {
            0 < $0.row && $0.row < rowCount - 1 && 0 < $0.column && $0.column < columnCount - 1
        }
        guard isClosed else { throw fail("there is a gap in its border; put walls all around") }
        let free = positions { $0 != .wall }
        let (starts, goals) = (startCells, goalCells)
        // An episode starts elsewhere than at its goal.
        guard free.count > 1, let goal = goals.first, !starts.isEmpty,
            starts.count > 1 || goals.contains(where: { $0 != starts[0] })
        else {
            throw fail(
                "there is no room for a start and a goal in different cells; leave at least two "
                    + "cells free, and a start that is not the only goal")
        }
        guard distances(to: goal).count == free.count else {
            throw fail("its free cells are not all connected; open a wall between them")
        }
    }

    /// A map that is known to be good.
    private init(known rows: [String]) {
        self.init(cells: rows.map { $0.compactMap(Cell.init(rawValue:)) })
    }
}

// MARK: - Maps by name

extension MazeMap {
    /// The maps that environments are named after; all but `fourrooms` are Gymnasium-Robotics'.
    public static let named: [(name: String, map: MazeMap)] = [
        ("umaze", MazeMap(known: ["11111", "10001", "11101", "10001", "11111"])),
        ("open", MazeMap(known: ["1111111", "1000001", "1000001", "1000001", "1111111"])),
        (
            "open-diverse-g",
            MazeMap(known: ["1111111", "1rgggg1", "1ggggg1", "1ggggg1", "1111111"])
        ),
        (
            "open-diverse-gr",
            MazeMap(known: ["1111111", "1ccccc1", "1ccccc1", "1ccccc1", "1111111"])
        ),
        (
            "medium",
            MazeMap(known: [
                "11111111", "10011001", "10010001", "11000111", "10010001", "10100101", "10001001",
                "11111111",
            ])
        ),
        (
            "medium-diverse-g",
            MazeMap(known: [
                "11111111", "1r011001", "100100g1", "11000111", "10010001", "1g100101", "10001g01",
                "11111111",
            ])
        ),
        (
            "medium-diverse-gr",
            MazeMap(known: [
                "11111111", "1c011001", "100100c1", "11000111", "10010001", "1c100101", "10001c01",
                "11111111",
            ])
        ),
        (
            "large",
            MazeMap(known: [
                "111111111111", "100001000001", "101101010101", "100000010001", "101111011101",
                "100101000001", "110101010111", "100100010001", "111111111111",
            ])
        ),
        (
            "large-diverse-g",
            MazeMap(known: [
                "111111111111", "1r0001g00001", "101101010101", "10000g0100g1", "101111011101",
                "10g101000001", "110101010111", "1001g0g10g01", "111111111111",
            ])
        ),
        (
            "large-diverse-gr",
            MazeMap(known: [
                "111111111111", "1c0001c00001", "101101010101", "10000c0100c1", "101111011101",
                "10c101000001", "110101010111", "1001c0c10c01", "111111111111",
            ])
        ),
        (
            "fourrooms",
            MazeMap(known: [
                "11111111111", "10000100001", "10000000001", "10000100001", "10000100001",
                "11011111011", "10000100001", "10000100001", "10000000001", "10000100001",
                "11111111111",
            ])
        ),
    ]
}
