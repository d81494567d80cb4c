import Learning
import Policies
import TensorBoard

extension EventFile {
    /// Adds what a measurement found and what was learnt since the one before.
    ///
    /// - Parameters:
    ///   - now: The measurement.
    ///   - trainingReturn: Mean return of training's last episodes, if any has ended.
    /// - Throws: An error of the file system when the file cannot be written.
    func add(_ now: BehaviorTrainingJob.Measurement, trainingReturn: Double? = nil) throws {
        let updates = now.updates.flatMap { $0.count > 0 ? $0 : nil }
        try add(
            [
                ("return/measured", now.score.mean), ("return/deviation", now.score.deviation),
                ("return/best", now.best), ("return/training", trainingReturn),
                ("episode/length", now.score.meanLength), ("loss/critic", updates?.criticLoss),
                ("loss/actor", updates?.actorLoss), ("value/q", updates?.q),
                ("policy/entropy", updates?.entropy),
                ("policy/temperature", updates?.temperature),
            ], step: now.steps)
    }
}
