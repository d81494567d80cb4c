import Evaluation
import Foundation
import Learning
import Planning
import Processes
import Tokenization
import Trajectories
import Transformer

/// What a method predicted of held-out episodes.
struct PredictionForecast: Codable {
    /// For each episode the mean observations after 1, 2, … steps.
    var means: [[[Double]]] = []
    /// For each episode the logarithms of the density of what happened; nil of a method without
    /// distribution.
    var logarithms: [[Double]]?
    /// A sample of the episode that is drawn, since the mean of several moves like none of them.
    var sample: [[Double]] = []

    /// Adds what was predicted of the episodes that follow.
    mutating func append(_ next: PredictionForecast) {
        means += next.means
        logarithms?.append(contentsOf: next.logarithms ?? [])
        if !next.sample.isEmpty { sample = next.sample }
    }

    /// Their mean; the least where there are none.
    var likelihood: Double {
        logarithms.map { PredictionLikelihood($0).mean } ?? -.infinity
    }
}

extension PredictionJob {
    /// Bytes of keys and values that are kept at a time, about.
    private static let cacheBytes = 512 << 20

    /// What is hidden from the models: as in the transformer's training, or as asked for.
    func hiding(of trained: Checkpoint) throws(JobError) -> Hiding? {
        let own = trained.description.tokenization.hiding
        guard let hiding else { return own }
        guard own != nil else {
            throw JobError(
                .mismatch,
                "cannot hide numbers from the model '\(checkpoint.given)': it was trained with all "
                    + "of them, and has no token for what is hidden")
        }
        if let problem = hiding.problem { throw JobError(.invalidSetting, problem) }
        return hiding
    }

    /// What the transformer predicts when it sees so many transitions.
    func forecast(
        _ cases: [HeldOutEpisode], by trained: Checkpoint, _ transitions: Int,
        _ density: ObservationDensity, hiding: Hiding?, ownActions: Bool,
        progress: (_ done: Int, _ count: Int) -> Void
    ) throws -> PredictionForecast {
        let configuration = trained.model.configuration
        let bytes =
            2 * MemoryLayout<Float>.size * configuration.layerCount * configuration.embeddingWidth
            * min(
                configuration.contextLength,
                transitions * configuration.layout.transitionDimension)
        let together = max(1, Self.cacheBytes / bytes / samples)
        // What is drawn depends on who are predicted together, so that these stay together.
        let firsts = Array(stride(from: 0, to: cases.count, by: together))
        var result = PredictionForecast(logarithms: ownActions ? nil : [])
        let decoder = try engine.decoder(trained.model)
        for first in firsts[group.share(of: firsts.count)] {
            let group = first..<min(first + together, cases.count)
            var options = OpenLoopPredictor.Options(contextTransitions: transitions)
            options.samples = samples
            options.seed = seed &+ UInt64(first)
            options.filter.topK = topK
            options.hidden = hiding?.probability ?? 0
            let predictor = try OpenLoopPredictor(
                model: decoder, discretizer: trained.discretizer, options: options)
            let beginnings = try cases[group].map { episode in
                OpenLoopPredictor.Beginning(
                    context: try contextTokens(of: episode, trained, hiding),
                    actions: ownActions ? nil : episode.actions)
            }
            let samples = try predictor.predictTokens(beginnings, horizon: horizon) {
                progress(first * horizon + group.count * $0, cases.count * horizon)
            }
            for (index, samples) in zip(group, samples) {
                result.means.append(samples.mean(trained.discretizer))
                result.logarithms?.append(
                    (0..<horizon).map {
                        density.logarithm(of: cases[index].truth[$0], under: samples, step: $0)
                    })
                if index == videoEpisode {
                    result.sample = samples.observations(trained.discretizer, sample: 0)
                }
            }
        }
        return try ofAll(result)
    }

    /// What all processes predicted, each of its share of the episodes.
    private func ofAll(_ own: PredictionForecast) throws -> PredictionForecast {
        let all = try group.gather(values: own)
        return all.dropFirst().reduce(into: all[0]) { $0.append($1) }
    }

    /// What the transformer sees of an episode's beginning.
    private func contextTokens(
        of episode: HeldOutEpisode, _ trained: Checkpoint, _ hiding: Hiding?
    ) throws -> [Int] {
        let layout = trained.model.configuration.layout
        var past = PlanningContext(
            layout: layout, discretizer: trained.discretizer, limit: max(1, context))
        for step in episode.past {
            try past.append(
                observation: step.observation, action: step.action, reward: step.reward)
        }
        var tokens = try past.tokens(before: episode.present)
        guard let hiding, let hidden = trained.discretizer.hiddenToken else { return tokens }
        for place in tokens.indices {
            let (row, column) = place.quotientAndRemainder(dividingBy: layout.transitionDimension)
            if layout.observationRange.contains(column),
                hiding.hides(row: episode.firstRow + row, column: column)
            {
                tokens[place] = hidden
            }
        }
        return tokens
    }

    /// What an ensemble predicts.
    func forecast(
        _ cases: [HeldOutEpisode], by ensemble: DynamicsEnsemble, _ density: ObservationDensity,
        hiding: Hiding?
    ) throws -> PredictionForecast {
        var result = PredictionForecast(logarithms: [])
        // One episode after the other, whose predictions do not depend on each other.
        for index in group.share(of: cases.count) {
            let episode = cases[index]
            let row = episode.firstRow + episode.past.count
            let hidden = episode.present.indices.filter {
                hiding?.hides(row: row, column: $0) ?? false
            }
            let beginning = DynamicsEnsemble.Beginning(
                observation: episode.present, actions: episode.actions, hidden: Set(hidden))
            var sums = Array(
                repeating: Array(repeating: 0.0, count: episode.present.count), count: horizon)
            let predictions = ensemble.predict([beginning], samples: samples, seed: seed) { next in
                for index in density.dimensions {
                    sums[next.step][index] += ObservationDensity.normal(
                        episode.truth[next.step][index], mean: next.mean[index],
                        deviation: next.deviation[index])
                }
            }
            result.means.append(PredictionError.mean(of: predictions[0]))
            result.logarithms?.append(
                (0..<horizon).map {
                    density.logarithm(of: episode.truth[$0], sums: sums[$0], samples: samples)
                })
            if index == videoEpisode { result.sample = predictions[0][0] }
        }
        return try ofAll(result)
    }

    /// Reads an ensemble that must fit the data and what is hidden of them.
    func ensemble(
        _ url: URL, for layout: TransitionLayout, hiding: Hiding?
    ) throws -> DynamicsEnsemble {
        let ensemble = try DynamicsEnsemble(contentsOf: url)
        guard ensemble.layout == layout else {
            throw JobError(
                .mismatch,
                "cannot use the dynamics model '\(url.given)': it was made for "
                    + "\(ensemble.layout.observationDimension) + "
                    + "\(ensemble.layout.actionDimension) dimensions, the data have "
                    + "\(layout.observationDimension) + \(layout.actionDimension)")
        }
        guard ensemble.hidden == hiding?.probability ?? 0 else {
            throw JobError(
                .mismatch,
                "cannot use the dynamics model '\(url.given)': numbers of its data were hidden with "
                    + "probability \(ensemble.hidden), here they are with "
                    + "\(hiding?.probability ?? 0)")
        }
        return ensemble
    }
}
