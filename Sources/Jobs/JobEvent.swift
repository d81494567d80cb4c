/// What a job says while it runs.
public enum JobEvent<Progress> {
    /// A line for a person that stays true: what was left out of a file, how many rows there are.
    case note(String)
    /// How far the job has come.
    case progress(Progress)
}

extension JobEvent: Sendable where Progress: Sendable {}

/// How much of a job is done, counted in something.
public struct Share: Sendable, Hashable {
    /// What is being done.
    public let name: String
    /// So many are done.
    public let done: Int
    /// So many there are in all.
    public let total: Int

    init(_ name: String, _ done: Int, of total: Int) {
        self.name = name
        self.done = done
        self.total = total
    }
}
