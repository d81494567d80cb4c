/// A picture that cannot be drawn from what it was to show.
public struct FigureError: Error, Hashable, CustomStringConvertible, Sendable {
    /// What is wrong.
    public enum Code: Sendable, Hashable {
        /// The data have no such episode.
        case noEpisode
        /// The episode has no such step.
        case noStep
        /// Observations do not tell the state of the simulation.
        case unobservable
        /// Too few observation dimensions were kept.
        case tooFewDimensions
        /// No plan lies within the steps that are drawn.
        case noPlan
        /// It is no maze whose observations say where the agent is.
        case noMaze
    }

    /// What is wrong.
    public let code: Code
    /// What was to be drawn.
    public let subject: String
    /// What about it, and what to do.
    public let detail: String

    /// Creates an error.
    public init(code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot draw \(subject): \(detail)" }
}
