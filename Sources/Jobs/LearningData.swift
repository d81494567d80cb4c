import Datasets
import Episodes
import Evaluation
import Foundation
import Learning
import Tokenization
import Trajectories

/// A dataset to learn a policy or critic from, and the limits of its actions.
struct LearningData {
    let dataset: TrajectoryDataset
    /// Canonical name of the environment, where it is known.
    let environment: String?
    let actionLimits: [ClosedRange<Double>]
    /// What is fixed about the environment, or where that is unknown about the data.
    let specification: EnvironmentSpecification

    /// Reads a dataset of the environment `name`, or else of the one that the file names.
    ///
    /// Action limits are the environment's, or where that is unknown the range of the data.
    ///
    /// - Throws: ``JobError`` for a token file; what reading and the environment throw.
    init(
        _ url: URL, environment name: String?, reading: TrajectoryDataset.ReadingOptions,
        note: (String) -> Void
    ) throws {
        guard !TokenFile.isTokenFile(url) else {
            throw JobError(
                .tokenFile,
                "cannot use the token file '\(url.path)': policies and critics learn from numbers; "
                    + "give the dataset that it was made from")
        }
        dataset = try TrajectoryDataset(contentsOf: url, options: reading)
        dataset.notes.forEach(note)
        Plausibility.warnings(of: dataset.trajectories).forEach { note("warning: \($0)") }
        let (known, warnings) = try DatasetEnvironment.specification(
            name, for: dataset, file: url.given)
        warnings.forEach { note("warning: \($0)") }
        environment = known?.identifier
        actionLimits = known?.actionLimits ?? Self.range(of: dataset)
        specification =
            known
            ?? EnvironmentSpecification(
                identifier: "the environment of the data", family: "", layout: dataset.layout,
                actionLimits: actionLimits,
                maximumEpisodeSteps: max(dataset.trajectories.map(\.count).max() ?? 1, 1))
        if known == nil {
            note("environment unknown: actions are taken to reach as far as in the data")
        }
    }

    private static func range(of dataset: TrajectoryDataset) -> [ClosedRange<Double>] {
        let width = dataset.layout.actionDimension
        var lower = Array(repeating: Double.infinity, count: width)
        var upper = Array(repeating: -Double.infinity, count: width)
        for trajectory in dataset.trajectories {
            for (index, number) in trajectory.actions.enumerated() {
                lower[index % width] = min(lower[index % width], Double(number))
                upper[index % width] = max(upper[index % width], Double(number))
            }
        }
        // An action that never varies still needs a range.
        return zip(lower, upper).map {
            $0 < $1 ? $0...$1 : ($0.isFinite ? ($0 - 1)...($0 + 1) : -1...1)
        }
    }
}

extension LearningSettings {
    /// What the data are and how they are learnt from, for the metadata of a file.
    func record(method: String, dataset: URL, environment: String?) -> [String: String] {
        var record = [
            "method": method, "dataset": dataset.lastPathComponent, "steps": "\(steps)",
            "seed": "\(seed)", "batch_size": "\(batchSize)", "learning_rate": "\(learningRate)",
            "hidden_sizes": hiddenSizes.map(String.init).joined(separator: ","),
        ]
        record["environment"] = environment
        return record
    }
}

extension ImplicitQLearning.Settings {
    /// The settings for the metadata of a file.
    var record: [String: String] {
        ["expectile": "\(expectile)", "temperature": "\(temperature)"]
    }
}

extension TD3PlusBC.Settings {
    /// The settings for the metadata of a file.
    var record: [String: String] {
        [
            "alpha": "\(alpha)", "discount": "\(discount)", "target_rate": "\(targetRate)",
            "policy_noise": "\(policyNoise)", "noise_limit": "\(noiseLimit)",
            "policy_delay": "\(policyDelay)",
        ]
    }
}

extension LearningProgress {
    /// The losses by name.
    var lossesByName: [String: Double] {
        Dictionary(uniqueKeysWithValues: losses.map { ($0.name, $0.value) })
    }
}

extension LearningProgress {
    /// Whether all steps were made.
    var isWhole: Bool { step == steps }

    /// Says of learning that was stopped what was kept.
    func requireWhole(keptIn files: [URL]) throws(JobError) {
        guard !isWhole else { return }
        let names = files.map { "'\($0.given)'" }.joined(separator: " and ")
        throw JobError(
            .stopped,
            "stopped after step \(step) of \(steps); what was learnt so far is in \(names); learning "
                + "cannot be resumed, the same command begins anew")
    }
}
