import Bounds
public import Datasets
import Evaluation
import Figures
public import Foundation
import Rendering
import Training

/// Draws returns, lengths, token usage and every dimension of a dataset.
public struct DatasetPictureJob: Sendable {
    /// What was drawn.
    public struct Result: Sendable, Codable {
        /// The picture.
        public var output: String
        /// Charts in it.
        public var panels: Int
    }

    /// The dataset, and how it is read.
    public var inspection: InspectionJob
    /// The picture (png or svg).
    public var output: URL

    /// A job; see the properties.
    public init(_ inspection: InspectionJob, output: URL) {
        self.inspection = inspection
        self.output = output
    }

    /// Reads and draws.
    ///
    /// - Throws: ``JobError``, errors of reading and drawing.
    public func run() throws -> Result {
        try output.requireWritable()
        let dataset = try TrajectoryDataset(
            contentsOf: inspection.dataset, options: inspection.reading)
        let report = try inspection.report(dataset)
        let grid = DatasetPicture(
            dataset, summary: report.summary, usage: report.usage,
            specification: report.specification, name: inspection.dataset.lastPathComponent
        ).grid
        try grid.write(to: output)
        return Result(
            output: output.given, panels: grid.rows.reduce(0) { $0 + $1.panels.count })
    }
}

/// Draws trajectories of a point in a maze, from above.
public struct MazePictureJob: Sendable {
    /// The dataset.
    public var dataset: URL
    /// The picture (png or svg).
    public var output: URL
    /// Name of the environment of the data; the one that the file names if nil.
    public var environment: String?
    /// Episodes to draw, spread evenly over the data.
    public var episodes = 20
    /// Whether each episode has a colour of its own, instead of colours by time.
    public var colorsEpisodes = false
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(_ dataset: URL, output: URL) {
        self.dataset = dataset
        self.output = output
    }

    /// Reads and draws; returns the picture's title.
    ///
    /// - Throws: `FigureError` when it is no maze; errors of reading and drawing.
    public func run() throws -> String {
        try require(.episodes, ["episodes": episodes])
        let data = try TrajectoryDataset(contentsOf: dataset, options: reading)
        let simulation = try DatasetEnvironment.make(
            environment, for: data, file: dataset.given)
        var plot = try MazePlot(of: data, in: simulation, episodes: episodes)
        plot.coloring = colorsEpisodes ? .trajectory : .time
        try plot.write(to: output)
        return plot.title
    }
}

/// Draws the learning curve of a training run.
public struct LearningCurveJob: Sendable {
    /// The run folder.
    public var folder: URL
    /// The picture (png or svg).
    public var output: URL

    /// A job; see the properties.
    public init(of folder: URL, output: URL) {
        self.folder = folder
        self.output = output
    }

    /// Reads and draws.
    ///
    /// - Throws: ``JobError`` when the folder is no run or has nothing to show; errors of drawing.
    public func run() throws {
        try output.requireWritable()
        let reports: [TrainingProgress]
        do {
            reports = try MetricsLog.read(directory: folder)
        } catch {
            throw JobError(
                .noRun,
                "cannot read '\(folder.given)/metrics.csv': give the folder of a training run")
        }
        guard !reports.isEmpty else {
            throw JobError(
                .noRun,
                "there is no line in '\(folder.given)/metrics.csv'; train for a while first")
        }
        try Plot.learningCurve(of: reports).write(to: output)
    }
}
