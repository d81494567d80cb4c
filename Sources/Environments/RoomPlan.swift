public import RandomNumbers

/// Six rooms, three by two, and the doors between them.
///
/// A wall between neighbours is closed or has a door at one of three places. The doors are a tree:
/// every room can be reached, by one way alone.
public struct RoomPlan: Sendable, Hashable {
    /// For each of the seven walls 0 where it is closed, else the place of its door, from 1 at the
    /// top or left to 3.
    ///
    /// First the walls between neighbours in a row, two for each row from the top, then those
    /// between neighbours in a column, three of them.
    public let doors: [Int]

    /// Rooms in a row.
    static let columns = 3
    /// Rows of rooms.
    static let rows = 2
    /// Cells along the side of a room, each of which may have a door.
    static let roomSide = 3
    /// The rooms on either side of each wall.
    static let walls: [(first: Int, second: Int)] =
        (0..<rows).flatMap { row in
            (0..<(columns - 1)).map { (row * columns + $0, row * columns + $0 + 1) }
        }
        + (0..<(rows - 1)).flatMap { row in
            (0..<columns).map { (row * columns + $0, (row + 1) * columns + $0) }
        }

    /// A plan in which a random order decides which walls get doors, and a random place each door.
    public init(using generator: inout PCG64) {
        var doors = Array(repeating: 0, count: Self.walls.count)
        var part = Array(0..<(Self.rows * Self.columns))
        var order = Array(Self.walls.indices)
        for last in order.indices.reversed() {
            order.swapAt(last, generator.index(below: last + 1))
        }
        for wall in order {
            let (first, second) = Self.walls[wall]
            let (kept, joined) = (part[first], part[second])
            guard kept != joined else { continue }
            part = part.map { $0 == joined ? kept : $0 }
            doors[wall] = 1 + generator.index(below: Self.roomSide)
        }
        self.doors = doors
    }

    /// The cells: rooms of three by three, walls and doors of one.
    public var map: MazeMap {
        let pitch = Self.roomSide + 1
        let (height, width) = (Self.rows * pitch + 1, Self.columns * pitch + 1)
        var cells = (0..<height).map { row in
            (0..<width).map { row % pitch == 0 || $0 % pitch == 0 ? MazeMap.Cell.wall : .free }
        }
        for (door, wall) in zip(doors, Self.walls) where door > 0 {
            let (row, column) = (wall.first / Self.columns, wall.first % Self.columns)
            if wall.second == wall.first + 1 {
                cells[row * pitch + door][(column + 1) * pitch] = .free
            } else {
                cells[(row + 1) * pitch][column * pitch + door] = .free
            }
        }
        return MazeMap(cells: cells)
    }
}

extension RoomPlan {
    /// How many maps data are collected on.
    static let seenCount = 1000

    /// The maps that data are collected on, the same always.
    package static let seen: [RoomPlan] = (0..<seenCount).map {
        var generator = PCG64(seed: 0x700A, UInt64($0))
        return RoomPlan(using: &generator)
    }

    private static let seenPlans = Set(seen)

    /// One of the maps that data are collected on.
    static func drawSeen(using generator: inout PCG64) -> RoomPlan {
        seen[generator.index(below: seen.count)]
    }

    /// Any map that is none of those.
    static func drawUnseen(using generator: inout PCG64) -> RoomPlan {
        // There are 3,645 maps, so that this ends soon.
        while true {
            let plan = RoomPlan(using: &generator)
            if !seenPlans.contains(plan) { return plan }
        }
    }
}
