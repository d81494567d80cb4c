import ArgumentParser
import Environments
import Episodes
import Foundation
import Trajectories

/// `trajectory environments`: what can be acted in.
struct EnvironmentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "environments",
        abstract: "List the environments with dimensions, limits and reference scores.",
        discussion: """
            Names may also be written as Gymnasium does (PointMaze_UMaze-v3); without a version \
            the one whose rewards are D4RL's is meant. pointmaze:FILE and antmaze:FILE build a \
            maze from a text file, a row of cells a line: 1 wall, 0 free, r start, g goal, c both.

            Examples:
              trajectory environments
              trajectory environments hopper pointmaze:map.txt
              trajectory environments --json | jq '.[].name'

            Keys of each JSON object: name, family, observation_dimension, action_dimension, \
            action_low, action_high, maximum_episode_steps, seconds_per_step (of simulations), \
            random_score and expert_score (D4RL's, where there are any).
            """)

    @Argument(help: "Environments to show; all when none is named.")
    var names: [String] = []

    @Flag(help: "Print a JSON array.")
    var json = false

    private struct Entry: Encodable {
        let name: String
        let family: String
        let observationDimension: Int
        let actionDimension: Int
        let actionLow: [Double]
        let actionHigh: [Double]
        let maximumEpisodeSteps: Int
        let secondsPerStep: Double?
        let randomScore: Double?
        let expertScore: Double?

        init(_ environment: any Environment) {
            let specification = environment.specification
            name = specification.identifier
            family = specification.family
            observationDimension = specification.layout.observationDimension
            actionDimension = specification.layout.actionDimension
            actionLow = specification.actionLimits.map(\.lowerBound)
            actionHigh = specification.actionLimits.map(\.upperBound)
            maximumEpisodeSteps = specification.maximumEpisodeSteps
            secondsPerStep = (environment as? any SimulatedEnvironment)?.stepDuration
            randomScore = specification.referenceScores?.random
            expertScore = specification.referenceScores?.expert
        }

        /// Cells of the table's row.
        var cells: [String] {
            let limit = zip(actionLow, actionHigh).allSatisfy { -$0 == $1 && $1 == actionHigh[0] }
            return [
                name, "\(observationDimension)", "\(actionDimension)",
                limit ? String(format: "±%g", actionHigh[0]) : "by dimension",
                "\(maximumEpisodeSteps)", secondsPerStep.map { String(format: "%g", $0) } ?? "-",
                randomScore.map { String(format: "%.1f", $0) } ?? "-",
                expertScore.map { String(format: "%.1f", $0) } ?? "-",
            ]
        }
    }

    func run() throws {
        let wanted = names.isEmpty ? EnvironmentRegistry.names : names
        let entries = try wanted.map { Entry(try EnvironmentRegistry.make($0)) }
        let header = [
            "environment", "observation", "action", "limits", "steps", "s/step", "score 0",
            "score 100",
        ]
        try Console.report(
            entries, json: json, text: TextTable.aligned([header] + entries.map(\.cells)))
    }
}
