import Environments
import Episodes
import RandomNumbers
import Trajectories

/// Logs episodes on the maps of ``RoomsEnvironment``: those of even numbers of a walker that knows
/// the way to the goal, where they end, those between of one that strolls, for some steps.
///
/// Episode `i` depends on the seed and `i` alone.
struct RoomsCollector: Sendable {
    let workers: EpisodeWorkers
    let seed: UInt64
    /// Whether to run no further episode.
    var isStopped: @Sendable () -> Bool = { false }

    /// Standard deviation of the noise on actions, in metres.
    static let noise = 0.2
    /// Steps of a stroll.
    static let strollSteps = 12
    /// How much of a stroll's direction is kept from step to step.
    static let persistence = 0.8

    /// Logs episodes from `first` on.
    func episodes(from first: Int, count: Int) async throws -> [Trajectory] {
        let (seed, isStopped) = (seed, isStopped)
        return try await workers.mapTogether(count) { index, environment -> Trajectory? in
            if isStopped() { return nil }
            guard let rooms = environment as? RoomsEnvironment else {
                preconditionFailure("\(environment.specification.identifier) has no rooms")
            }
            let number = first + index
            var generator = PCG64(seed: seed, UInt64(number))
            let start = rooms.reset(seed: generator.next())
            return number % 2 == 0
                ? Self.walk(in: rooms, from: start, using: &generator)
                : Self.stroll(in: rooms, from: start, using: &generator)
        }.beforeFirstNil
    }

    /// From cell to cell to the goal, with noise.
    private static func walk(
        in rooms: RoomsEnvironment, from start: [Double], using generator: inout PCG64
    ) -> Trajectory {
        let route = MazeRoute(to: rooms.goal, on: rooms.map, cellSize: rooms.cellSize)
        return Trajectory(of: Episode(in: rooms, from: start)) { place in
            let cell = rooms.map.position(x: place[0], y: place[1], cellSize: rooms.cellSize)
            let next = route.nextCell(from: cell).map {
                rooms.map.center(of: $0, cellSize: rooms.cellSize)
            }
            let waypoint = next.map { [$0.x, $0.y] } ?? rooms.goal
            return rooms.specification.clipped(
                (0..<2).map { waypoint[$0] - place[$0] + noise * generator.normal() })
        } arrive: { _ in
            !rooms.isReached()
        }
    }

    /// Wherever it is, on in about the same direction.
    private static func stroll(
        in rooms: RoomsEnvironment, from start: [Double], using generator: inout PCG64
    ) -> Trajectory {
        var direction = [generator.normal(), generator.normal()]
        let spread = (1 - persistence * persistence).squareRoot()
        return Trajectory(of: Episode(in: rooms, from: start, maximumSteps: strollSteps)) { _ in
            direction = direction.map { persistence * $0 + spread * generator.normal() }
            return rooms.specification.clipped(direction)
        }
    }
}
