import Episodes
import Foundation
import MuJoCo

extension EnvironmentRegistry {
    /// Every named map for an agent, with sparse and with dense rewards.
    static func mazes<Agent: MazeAgent>(_ agent: Agent) -> [(name: String, make: Maker)] {
        [MazeRules.Reward.sparse, .dense].flatMap { reward in
            MazeMap.named.map { name, map in
                let kind = reward == .dense ? "-dense" : ""
                let identifier = "\(agent.family)-\(name)\(kind)-\(agent.version)"
                var rules = MazeRules()
                rules.reward = reward
                return (identifier, maker(agent, map, name, identifier, rules))
            }
        }
    }

    /// D4RL's maze2d, in Gymnasium-Robotics' mazes: the goal is always in the same cell, and a step
    /// within 0.5 m of it is paid.
    ///
    /// The reference scores are D4RL's, whose mazes differ in details: scores are comparable with
    /// each other rather than with published ones.
    static let singleGoalMazes: [(name: String, make: Maker)] = [
        (
            map: "umaze", goal: MazeMap.Position(row: 1, column: 1), sparse: (23.85, 161.86),
            dense: (68.537689, 193.66285642381482)
        ),
        (
            map: "medium", goal: .init(row: 6, column: 6), sparse: (13.13, 277.39),
            dense: (44.264742, 297.4552547777125)
        ),
        (
            map: "large", goal: .init(row: 7, column: 9), sparse: (6.7, 273.99),
            dense: (30.569041, 303.4857382709002)
        ),
    ].flatMap { maze -> [(name: String, make: Maker)] in
        guard let map = MazeMap.named.first(where: { $0.name == maze.map })?.map else { return [] }
        var rules = MazeRules()
        rules.goalCell = maze.goal
        rules.successRadius = 0.5
        var dense = rules
        dense.reward = .dense
        return [
            (
                "maze2d-\(maze.map)-v1",
                maker(PointAgent(), map, maze.map, "maze2d-\(maze.map)-v1", rules, maze.sparse)
            ),
            (
                "maze2d-\(maze.map)-dense-v1",
                maker(PointAgent(), map, maze.map, "maze2d-\(maze.map)-dense-v1", dense, maze.dense)
            ),
        ]
    }

    /// D4RL's six AntMazes.
    ///
    /// Without its version `antmaze-umaze` is Gymnasium-Robotics', the others are these.
    static let d4rlAntMazes: [(name: String, make: Maker)] = AntMazeTask.all.map { task in
        (task.identifier, { () throws(SimulationError) in try D4RLAntMaze(task) })
    }

    /// The maze that `pointmaze:FILE`, `antmaze:FILE` or either with `-dense` describes, or one
    /// whose rows are written out (`pointmaze:11111;1r0g1;11111`); nil if `name` is not of that
    /// form.
    static func mazeOfFile(_ name: String) throws(EnvironmentError) -> Maker? {
        guard let colon = name.firstIndex(of: ":") else { return nil }
        let kind = name[..<colon].lowercased()
        let path = String(name[name.index(after: colon)...])
        var rules = MazeRules()
        if kind.hasSuffix("-dense") { rules.reward = .dense }
        let agent = kind.replacing("-dense", with: "")
        guard ["pointmaze", "antmaze"].contains(agent) else {
            throw EnvironmentError(
                code: .unknownName, environment: name,
                detail: "only pointmaze and antmaze take a map, as in pointmaze:map.txt")
        }
        // A map may be written out, its rows with semicolons between.
        let written = path.contains(";") ? path.replacing(";", with: "\n") : nil
        guard let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? written else {
            throw EnvironmentError(
                code: .invalidMap, environment: name,
                detail:
                    "there is no readable text file '\(path)'; give a map, a row of cells a line")
        }
        let map = try MazeMap(text, name: name)
        return agent == "pointmaze"
            ? maker(PointAgent(), map, "", name, rules) : maker(AntAgent(.v4), map, "", name, rules)
    }

    private static func maker<Agent: MazeAgent>(
        _ agent: Agent, _ map: MazeMap, _ mapName: String, _ identifier: String,
        _ rules: MazeRules, _ scores: (random: Double, expert: Double)? = nil
    ) -> Maker {
        let references = scores.map { ReferenceScores(random: $0.random, expert: $0.expert) }
        return { () throws(SimulationError) in
            try MazeEnvironment(
                agent, map: map, mapName: mapName, identifier: identifier, rules: rules,
                referenceScores: references)
        }
    }
}
