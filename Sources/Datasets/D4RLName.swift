/// What the name of a file says of its data, where it is one of those that D4RL gives its files.
enum D4RLName {
    /// A name in small letters, without folder and extension, its underscores as dashes: D4RL
    /// writes both (`ant_medium_replay-v2.hdf5`, `halfcheetah-random-v0.hdf5`).
    static func plain(_ file: String) -> String {
        let name = (file.split(separator: "/").last ?? "").lowercased()
        let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name[...]
        return String(stem.map { $0 == "_" ? "-" : $0 })
    }

    /// Whether the data are of Ant, in the plane rather than in a maze.
    static func isAnt(_ file: String) -> Bool {
        let name = plain(file)
        return name.hasPrefix("ant-") && !name.hasPrefix("ant-maze")
    }

    /// Observation and action dimensions of the robots, those of Ant with and without contact
    /// forces.
    private static let robots: [String: [[Int]]] = [
        "hopper": [[11, 3]], "halfcheetah": [[17, 6]], "walker2d": [[17, 6]],
        "ant": [[111, 8], [27, 8]],
    ]
    private static let levels: Set<String> = [
        "random", "medium", "expert", "medium-replay", "mixed", "medium-expert", "full-replay",
    ]

    /// The robot that a file of D4RL's locomotion data is of; nil for any other name, and where the
    /// data have other dimensions.
    static func robot(ofFile file: String, observation: Int, action: Int) -> String? {
        var name = plain(file)[...]
        for version in ["-v0", "-v1", "-v2"] where name.hasSuffix(version) {
            name = name.dropLast(version.count)
            break
        }
        guard let dash = name.firstIndex(of: "-"),
            levels.contains(String(name[name.index(after: dash)...])),
            robots[String(name[..<dash])]?.contains([observation, action]) == true
        else { return nil }
        return String(name[..<dash])
    }
}
