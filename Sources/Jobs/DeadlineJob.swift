public import Evaluation
import Figures
public import Foundation
import Planning
import Rendering

/// Measures what an action is worth when it must be decided in time: the returns of a trained model
/// under one deadline after the other.
///
/// The speed of the machine decides how far and wide the planner searches.
public struct DeadlineJob: Sendable {
    /// What is evaluated under every deadline, one episode at a time.
    public var evaluation: EvaluationJob
    /// Milliseconds that an action may take.
    public var deadlines: [Double]
    /// A picture of returns against deadlines (png or svg).
    public var chart: URL?

    /// A job; see the properties.
    public init(_ evaluation: EvaluationJob, deadlines: [Double], chart: URL? = nil) {
        self.evaluation = evaluation
        self.deadlines = deadlines
        self.chart = chart
    }

    /// Evaluates under every deadline and draws the chart.
    ///
    /// - Parameters:
    ///   - report: Told each deadline and its report when it is done.
    ///   - progress: Told how far each evaluation is.
    /// - Returns: The reports, in the deadlines' order.
    /// - Throws: ``JobError`` when a policy is to act, which has no deadline; what the evaluation
    ///   throws.
    public func run(
        report: (Double, EvaluationReport) throws -> Void = { _, _ in },
        progress: (JobEvent<EvaluationJob.Progress>) -> Void = { _ in }
    ) throws -> [EvaluationReport] {
        try chart?.requireWritable()
        guard case .model(var model) = evaluation.agent, !deadlines.isEmpty else {
            throw JobError(
                .invalidSetting,
                "cannot measure deadlines of '\(evaluation.agent.name)': give a trained model and "
                    + "one deadline or more")
        }
        var job = evaluation
        let reports = try deadlines.map { deadline in
            model.options.deadlineMilliseconds = deadline
            job.agent = .model(model)
            let done = try job.run(report: progress)
            try report(deadline, done)
            return done
        }
        if let chart { try Plot.deadlines(deadlines, reports).write(to: chart) }
        return reports
    }
}
