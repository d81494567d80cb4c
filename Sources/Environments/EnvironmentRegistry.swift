public import MuJoCo

/// Environments by name.
public enum EnvironmentRegistry {
    private typealias Maker = @Sendable () throws(SimulationError) -> any SimulatedEnvironment

    private static let makers: [(name: String, make: Maker)] = [
        (
            "hopper-v4",
            { () throws(SimulationError) in try LocomotionEnvironment(Hopper(.v4)) }
        ),
        (
            "hopper-v5",
            { () throws(SimulationError) in try LocomotionEnvironment(Hopper(.v5)) }
        ),
        (
            "halfcheetah-v4",
            { () throws(SimulationError) in try LocomotionEnvironment(HalfCheetah(.v4)) }
        ),
        (
            "halfcheetah-v5",
            { () throws(SimulationError) in try LocomotionEnvironment(HalfCheetah(.v5)) }
        ),
    ]

    /// The canonical names.
    public static var names: [String] { makers.map(\.name) }

    /// Makes an environment by its name, such as `hopper-v4` or `Hopper-v5`.
    ///
    /// Case does not matter; without a version the name means `v4`, whose rewards are D4RL's.
    ///
    /// - Throws: ``EnvironmentError`` when there is no such environment or it cannot be set up.
    public static func make(_ name: String) throws(EnvironmentError)
        -> any SimulatedEnvironment
    {
        let wanted = name.lowercased()
        guard
            let (canonical, make) = makers.first(where: {
                $0.name == wanted || $0.name == wanted + "-v4"
            })
        else {
            throw EnvironmentError(
                code: .unknownName, environment: name,
                detail: "there is no such environment; "
                    + suggestion(for: wanted, among: names))
        }
        do {
            return try make()
        } catch {
            throw EnvironmentError(
                code: .simulation(error.code), environment: canonical, detail: "\(error)")
        }
    }

    /// "did you mean" where a name is near, and the list of all in any case.
    package static func suggestion(for name: String, among names: [String]) -> String {
        let all = "the environments are " + names.joined(separator: ", ")
        // Compared with and without the version, as names may be written.
        let nearest = names.map { candidate in
            let family = String(candidate.prefix { $0 != "-" })
            return (
                name: candidate, distance: min(distance(name, candidate), distance(name, family))
            )
        }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, name.count / 3) else { return all }
        return "did you mean '\(nearest.name)'? (\(all))"
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
