import Foundation
import Learning
import TensorBoard

/// Reports of learning on their way to who asked for them, and to an event file where one is kept.
final class LearningReports {
    private let events: EventFile?
    private var failure: (any Error)?

    /// Keeps an event file in `folder`, where one is given.
    ///
    /// - Throws: An error of the file system when it cannot be written.
    init(eventsIn folder: URL?) throws {
        events = try folder.map { try EventFile(in: $0, after: 0) }
    }

    /// Writes a report down, and hands it on.
    func take(_ progress: LearningProgress, _ report: (JobEvent<LearningProgress>) -> Void) {
        do {
            if failure == nil { try events?.add(progress) }
        } catch {
            failure = error
        }
        report(.progress(progress))
    }

    /// - Throws: The error of the report that could not be written.
    func requireWritten() throws {
        if let failure { throw failure }
    }
}
