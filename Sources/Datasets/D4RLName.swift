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

    /// The mazes of AntMaze as their files call them.
    private static let antMazes = [
        "u-maze": "umaze", "big-maze": "medium", "hardest-maze": "large",
    ]

    /// The environment that a file of D4RL's locomotion or maze data is of; nil for any other name,
    /// and where the data have other dimensions.
    static func environment(ofFile file: String, observation: Int, action: Int) -> String? {
        var name = plain(file)[...]
        for version in ["-v0", "-v1", "-v2"] where name.hasSuffix(version) {
            name = name.dropLast(version.count)
            break
        }
        let dimensions = [observation, action]
        if name.hasPrefix("ant-maze-") {
            return dimensions == [29, 8] ? antMaze(String(name.dropFirst("ant-maze-".count))) : nil
        }
        let words = name.split(separator: "-")
        if words.first == "maze2d", words.count == 3, dimensions == [4, 2],
            ["umaze", "medium", "large"].contains(words[1]), ["sparse", "dense"].contains(words[2])
        {
            return "maze2d-\(words[1])\(words[2] == "dense" ? "-dense" : "")-v1"
        }
        guard let dash = name.firstIndex(of: "-"),
            levels.contains(String(name[name.index(after: dash)...]))
        else { return nil }
        // The first version's file is called so.
        let robot = name[..<dash] == "walker" ? "walker2d" : String(name[..<dash])
        return robots[robot]?.contains(dimensions) == true ? robot : nil
    }

    /// AntMaze's environment by the rest of a name such as
    /// `Ant_maze_big-maze_noisy_multistart_True_multigoal_False_sparse_fixed`: with several goals
    /// the data are called diverse, with several starts and one goal play.
    private static func antMaze(_ name: String) -> String? {
        guard let maze = antMazes.first(where: { name.hasPrefix("\($0.key)-") })?.value,
            name.contains("multigoal-")
        else { return nil }
        let isDiverse = name.contains("multigoal-true")
        let kind = isDiverse ? "-diverse" : maze == "umaze" ? "" : "-play"
        return "antmaze-\(maze)\(kind)-v2"
    }
}
