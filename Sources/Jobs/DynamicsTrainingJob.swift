import Bounds
public import Datasets
import Evaluation
public import Foundation
public import Learning
import Trajectories

/// Trains an ensemble of single-step dynamics models, the baseline of predictions.
public struct DynamicsTrainingJob: Sendable {
    /// What was learnt.
    public struct Result: Sendable, Codable {
        /// The file of the ensemble.
        public var output: String
        /// What it learnt from, and how.
        public var transitions, episodes, members, steps: Int
        /// The loss over the last steps.
        public var loss: Double
        /// Wall-clock time.
        public var seconds: Double
    }

    /// The dataset.
    public var dataset: URL
    /// The file of the ensemble.
    public var output: URL
    /// Settings of the training.
    public var settings = DynamicsTrainer.Settings()
    /// Episodes at the end of the file that are not trained on.
    public var skippedEpisodes = 0
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// A folder that also gets the learning curve as TensorBoard's events, if any.
    public var tensorBoard: URL?
    /// Whether to keep what was learnt so far and stop.
    public var isStopped: StopQuestion = { false }

    /// A job with settings near the published ones.
    public init(dataset: URL, output: URL) {
        self.dataset = dataset
        self.output = output
    }

    /// Trains and writes the ensemble.
    ///
    /// - Throws: ``JobError`` where it was stopped; `LearningError`, and errors of reading and
    ///   writing.
    public func run(
        report: (JobEvent<LearningProgress>) -> Void = { _ in }
    ) throws -> Result {
        try require(Bound.steps.orNone, ["skippedEpisodes": skippedEpisodes])
        try output.requireWritable()
        try tensorBoard?.requireWritableFolder()
        let data = try TrajectoryDataset(contentsOf: dataset, options: reading)
        data.notes.forEach { report(.note($0)) }
        Plausibility.warnings(of: data.trajectories).forEach { report(.note("warning: \($0)")) }
        let episodes = Array(data.trajectories.dropLast(skippedEpisodes))
        let trainer = try DynamicsTrainer(episodes, settings: settings)
        let reports = try LearningReports(eventsIn: tensorBoard)
        let start = ContinuousClock.now
        let (ensemble, last) = try trainer.train(
            report: { reports.take($0, report) }, until: isStopped)
        let learning = settings.learning
        var metadata = ["seed": "\(learning.seed)", "steps": "\(last.step)"]
        metadata["environment"] =
            RecordedEnvironment(
                data.attributes, file: dataset.given
            ).name
        let file = last.isWhole ? output : output.partial
        try ensemble.write(to: file, metadata: metadata)
        try last.requireWhole(keptIn: [file])
        try reports.requireWritten()
        return Result(
            output: output.given, transitions: episodes.reduce(0) { $0 + $1.count },
            episodes: episodes.count, members: settings.members, steps: learning.steps,
            loss: last.losses[0].value, seconds: elapsed(since: start))
    }
}
