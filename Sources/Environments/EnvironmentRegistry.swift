public import Episodes
public import MuJoCo

/// Environments by name.
public enum EnvironmentRegistry {
    /// Makes an environment, called by its canonical name.
    typealias Maker = @Sendable () throws(SimulationError) -> any Environment

    private static let makers: [(name: String, make: Maker)] =
        robots(Hopper(.v4), Hopper(.v5)) + robots(HalfCheetah(.v4), HalfCheetah(.v5))
        + robots(Walker2d(.v4), Walker2d(.v5))
        + robots(Ant(.v4), Ant(.v4, withContactForces: true), Ant(.v5))
        + robots(Humanoid(.v4), Humanoid(.v5))
        + mazes(PointAgent()) + mazes(AntAgent(.v4)) + mazes(AntAgent(.v5)) + singleGoalMazes
        + antGoal + d4rlAntMazes + rooms

    /// The walker's task of D4RL's AntMaze.
    private static let antGoal: [(name: String, make: Maker)] = [
        (
            AntGoalEnvironment.identifier,
            { () throws(SimulationError) in try AntGoalEnvironment() }
        )
    ]

    /// Rooms with a map of its own in every episode, on no simulation.
    private static let rooms: [(name: String, make: Maker)] = RoomsEnvironment.Maps.allCases.map {
        maps in (maps.rawValue, { RoomsEnvironment(maps) })
    }

    private static func robots<Task: LocomotionTask>(_ tasks: Task...) -> [(
        name: String, make: Maker
    )] {
        tasks.map { task in
            (task.identifier, { () throws(SimulationError) in try LocomotionEnvironment(task) })
        }
    }

    /// The canonical names.
    public static var names: [String] { makers.map(\.name) }

    /// Makes an environment by its name, such as `hopper-v4`, `Hopper-v5` or `PointMaze_Medium-v3`,
    /// or a maze of one's own, such as `pointmaze:map.txt`.
    ///
    /// Case, dashes and underscores do not matter; without a version the first of that name is
    /// meant, whose rewards are D4RL's. `@K` at the end holds every action for K steps
    /// (`pointmaze-fourrooms@5`).
    ///
    /// - Throws: ``EnvironmentError`` when there is no such environment or it cannot be set up.
    public static func make(_ name: String) throws(EnvironmentError) -> any Environment {
        let (single, count) = try actionRepeat(in: name)
        let (canonical, make) = try maker(for: single)
        let environment: any Environment
        do {
            environment = try make()
        } catch {
            throw EnvironmentError(
                code: .simulation(error.code), environment: canonical, detail: "\(error)")
        }
        guard let count else { return environment }
        guard let simulation = environment as? any SimulatedEnvironment else {
            throw EnvironmentError(
                code: .notSimulated, environment: name,
                detail: "actions are held in simulations alone; leave out @\(count)")
        }
        return ActionRepeat.wrap(simulation, count: count)
    }

    /// Makes an environment on MuJoCo by its name, as ``make(_:)`` does.
    ///
    /// - Throws: ``EnvironmentError``, also where the environment is on no simulation.
    public static func simulation(_ name: String) throws(EnvironmentError)
        -> any SimulatedEnvironment
    {
        let environment = try make(name)
        guard let simulation = environment as? any SimulatedEnvironment else {
            throw EnvironmentError(
                code: .notSimulated, environment: name,
                detail: "it is no simulation of a robot, which this needs; give another")
        }
        return simulation
    }

    /// What comes before `@K` at the end of a name, and K.
    private static func actionRepeat(in name: String) throws(EnvironmentError) -> (String, Int?) {
        guard let sign = name.lastIndex(of: "@"),
            let count = Int(name[name.index(after: sign)...])
        else { return (name, nil) }
        guard ActionRepeat.counts.contains(count) else {
            throw EnvironmentError(
                code: .unknownName, environment: name,
                detail: "an action cannot be held for \(count) steps; give 1 to "
                    + "\(ActionRepeat.counts.upperBound) after the @")
        }
        return (String(name[..<sign]), count)
    }

    private static func maker(for name: String) throws(EnvironmentError) -> (String, Maker) {
        if let maze = try mazeOfFile(name) { return (name, maze) }
        let wanted = plain(name)
        if let exact = makers.first(where: { plain($0.name) == wanted }) { return exact }
        if let family = makers.first(where: { plain(withoutVersion($0.name)) == wanted }) {
            return family
        }
        if name.hasSuffix(")"), name.contains("(") {
            throw EnvironmentError(
                code: .unknownName, environment: name,
                detail: "it was made with settings that no environment here has; name the one to "
                    + "be in all the same")
        }
        throw EnvironmentError(
            code: .unknownName, environment: name,
            detail: "there is no such environment"
                + (suggestion(for: name, among: names).map { "; \($0)" } ?? ""))
    }

    private static func plain(_ name: String) -> String {
        name.lowercased().filter { $0 != "-" && $0 != "_" }
    }

    private static func withoutVersion(_ name: String) -> String {
        name.lastIndex(of: "-").map { String(name[..<$0]) } ?? name
    }

    /// "did you mean" where a name is near; nil where none is.
    package static func suggestion(for name: String, among names: [String]) -> String? {
        // Compared with and without the version, as names may be written.
        let nearest = names.map { candidate in
            (
                name: candidate,
                distance: min(
                    distance(plain(name), plain(candidate)),
                    distance(plain(name), plain(withoutVersion(candidate))))
            )
        }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, name.count / 3) else { return nil }
        return "did you mean '\(nearest.name)'?"
    }

    /// The number of characters to add, remove or replace to get from `a` to `b`.
    private static func distance(_ a: String, _ b: String) -> Int {
        let target = Array(b)
        var row = Array(0...target.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in target.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[target.count]
    }
}

/// Why an environment could not be made.
public struct EnvironmentError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// No environment has this name.
        case unknownName
        /// The map of a maze is not one.
        case invalidMap
        /// It is on no simulation, which what is asked for needs.
        case notSimulated
        /// The simulation behind it could not be set up.
        case simulation(SimulationError.Code)
    }
    /// What kind of failure this is.
    public let code: Code
    /// The environment asked for.
    public let environment: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        "cannot make the environment '\(environment)': \(detail)"
    }
}
