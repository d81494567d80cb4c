public import RandomNumbers

/// Nine rooms, three by three, and the doors between them.
///
/// A wall between neighbours is closed or has a door at one of three places. The doors are a tree:
/// every room can be reached, by one way alone.
public struct RoomPlan: Sendable, Hashable {
    /// For each of the twelve walls 0 where it is closed, else the place of its door, from 1 at the
    /// top or left to 3.
    ///
    /// First the walls between neighbours in a row, two for each row from the top, then those
    /// between neighbours in a column, three for each pair of rows.
    public let doors: [Int]

    /// Rooms in a row, and rows.
    static let side = 3
    /// Cells along the side of a room, each of which may have a door.
    static let roomSide = 3
    /// The rooms on either side of each wall.
    static let walls: [(first: Int, second: Int)] =
        (0..<side).flatMap { row in
            (0..<(side - 1)).map { (row * side + $0, row * side + $0 + 1) }
        }
        + (0..<(side - 1)).flatMap { row in
            (0..<side).map { (row * side + $0, (row + 1) * side + $0) }
        }

    /// A plan in which a random order decides which walls get doors, and a random place each door.
    public init(using generator: inout PCG64) {
        var doors = Array(repeating: 0, count: Self.walls.count)
        var part = Array(0..<(Self.side * Self.side))
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
        let size = Self.side * pitch + 1
        var cells = (0..<size).map { row in
            (0..<size).map { row % pitch == 0 || $0 % pitch == 0 ? MazeMap.Cell.wall : .free }
        }
        for (door, wall) in zip(doors, Self.walls) where door > 0 {
            let (row, column) = (wall.first / Self.side, wall.first % Self.side)
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
    static let seenCount = 5000

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
        // There are a million maps, so that this ends at once.
        while true {
            let plan = RoomPlan(using: &generator)
            if !seenPlans.contains(plan) { return plan }
        }
    }
}
