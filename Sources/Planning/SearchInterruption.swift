/// How a program that plans outside of Swift's tasks ends a search: by a question that is asked
/// before each token.
public enum SearchInterruption {
    @TaskLocal private static var question: (@Sendable () -> Bool)?

    /// Ends searches inside `body` with ``PlanningError/Code-swift.enum/cancelled`` once `isAsked`
    /// says so.
    ///
    /// Asked before every planned token, which takes some milliseconds, so the answer must be
    /// quick.
    ///
    /// - Throws: What `body` throws.
    public static func watching<Result>(
        _ isAsked: @escaping @Sendable () -> Bool, _ body: () throws -> Result
    ) rethrows -> Result {
        try $question.withValue(isAsked, operation: body)
    }

    /// Whether the search under way is to end: its task was cancelled, or the question says so.
    static var isRequested: Bool { Task.isCancelled || question?() ?? false }
}
