public import TensorBoard

extension EventFile {
    /// Adds a report of learning: each loss by its name, steps a second.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public func add(_ progress: LearningProgress) throws {
        try add(
            progress.losses.map { ("loss/\($0.name)", $0.value) } + [
                ("steps_per_second", progress.stepsPerSecond)
            ], step: progress.step)
    }
}
