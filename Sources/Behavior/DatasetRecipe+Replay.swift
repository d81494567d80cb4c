public import Episodes
import Environments
import Foundation
package import Learning
import Policies
package import Trajectories

extension DatasetRecipe {
    /// The training that a replay sees again.
    enum Training {
        case softActorCritic(SoftActorCriticSettings, steps: Int)
        case randomSearch(RandomSearch.Record)

        /// Environment steps of it.
        var steps: Int {
            switch self {
            case .softActorCritic(_, let steps): steps
            case .randomSearch(let record): record.steps
            }
        }
    }

    /// Steps that the training took which a replay sees again; nil of other kinds.
    ///
    /// - Throws: `PolicyError` when there is no policy of the level for the environment, and
    ///   ``BehaviorError`` when it does not say how it was trained.
    public func trainingSteps(for specification: EnvironmentSpecification) throws -> Int? {
        guard isReplay else { return nil }
        return try training(for: specification).steps
    }

    /// How the policy of the level was trained.
    private func training(for specification: EnvironmentSpecification) throws -> Training {
        guard !specification.identifier.contains("@") else {
            throw BehaviorError(
                code: .unknownDataset, subject: "\(environment)-\(kind.rawValue)",
                detail: "training held no action for several steps; leave out the @ and what "
                    + "follows it")
        }
        let file = try PolicyParser(specification).url(ofLevel: replayedLevel)
        let metadata = try LinearPolicy.metadata(ofFile: file)
        if let record = RandomSearch.Record(metadata) { return .randomSearch(record) }
        guard let settings = SoftActorCriticSettings(metadata),
            let steps = metadata["steps"].flatMap({ Int($0) }), steps > 0,
            metadata["memory_refilled_at"] == nil
        else {
            throw BehaviorError(
                code: .unrecordedPolicy, subject: file.path,
                detail: "it does not say how it was trained in one go; train one that does")
        }
        return .softActorCritic(settings, steps: steps)
    }

    /// What training saw, again.
    func replay(
        steps: Int, workers: EpisodeWorkers, engine: SoftActorCriticTrainer.EngineMaker?,
        until isStopped: () -> Bool, progress: (Int, Int) -> Void
    ) async throws -> [Trajectory] {
        switch try training(for: workers.specification) {
        case .softActorCritic(let settings, let total):
            return try await Self.replay(
                settings, steps: min(steps, total), in: environment, workers: workers.count,
                engine: engine, until: isStopped, progress: progress)
        case .randomSearch(let record):
            return try await Self.replay(
                record, steps: steps, workers: workers, until: isStopped, progress: progress)
        }
    }

    /// The first transitions that soft actor-critic sees, on the processor where no `engine` is given.
    ///
    /// Episodes come in the order of their ends, those that are going on at the end last, of which
    /// the last that do not fit are cut.
    package static func replay(
        _ settings: SoftActorCriticSettings, steps: Int, in environment: String, workers: Int,
        engine: SoftActorCriticTrainer.EngineMaker? = nil,
        until isStopped: () -> Bool = { false }, progress: (Int, Int) -> Void
    ) async throws -> [Trajectory] {
        var execution = SoftActorCriticTrainer.Execution(
            workers: workers, hasDevice: engine != nil)
        execution.recordsEpisodes = true
        var trainer = try SoftActorCriticTrainer(
            settings, execution: execution,
            engine: engine ?? SoftActorCriticTrainer.processor(workers: workers),
            make: { try EnvironmentRegistry.make(environment) })
        var episodes: [Trajectory] = []
        while trainer.steps < steps, !isStopped() {
            episodes += try await trainer.advance().episodes
            progress(min(trainer.steps, steps), steps)
        }
        // Of a replay that was stopped whole episodes are kept.
        guard trainer.steps >= steps else { return episodes }
        episodes += await trainer.unfinishedEpisodes()
        var surplus = trainer.steps - steps
        while surplus > 0, let last = episodes.popLast() {
            if last.count > surplus { episodes.append(last.rows(0..<(last.count - surplus))) }
            surplus -= min(last.count, surplus)
        }
        return episodes
    }

    /// What a search sees, again; where that is more than `steps`, episodes spread evenly.
    private static func replay(
        _ record: RandomSearch.Record, steps: Int, workers: EpisodeWorkers,
        until isStopped: () -> Bool, progress: (Int, Int) -> Void
    ) async throws -> [Trajectory] {
        var search = try RandomSearch(record.settings, workers: workers)
        var kept: [Trajectory] = []
        var count = 0
        while search.iteration < record.iterations, !isStopped() {
            for episode in await search.advance(recordsEpisodes: true).episodes {
                // An episode is kept whenever less than its share of all that was seen is there.
                let share = min(1, Double(steps) / Double(max(record.steps, 1)))
                let due = Double(search.steps) * share
                guard Double(count + episode.count) <= min(due, Double(steps)) else { continue }
                kept.append(episode)
                count += episode.count
            }
            progress(search.steps, record.steps)
        }
        return kept
    }
}
