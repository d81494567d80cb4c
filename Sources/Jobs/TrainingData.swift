import Datasets
import Evaluation
import Foundation
import Tokenization
import Trajectories

extension JobError {
    /// What is wrong with the data of a file.
    init(_ error: DiscretizerError, of url: URL) {
        let place = error.dimension.map { "dimension \($0) of " } ?? ""
        self.init(.unsuitableData, "cannot tokenize \(place)'\(url.path)': \(error.detail)")
    }
}

/// What a model is trained on: a dataset file, or one that was tokenized before.
struct TrainingData {
    /// The windows and bins.
    let tokenized: TokenizedDataset
    /// The environment that the data say they come from.
    let environment: String?
    /// How many observation dimensions were kept, where this was asked for.
    let observationDimensions: Int?

    /// Reads a dataset and tokenizes it, or maps a token file.
    ///
    /// A dataset is tokenized with `bins`, where they are given, in place of bins of its own.
    /// `note` is told what a user should know, such as which termination penalty the data ask for.
    ///
    /// - Throws: What reading throws; ``JobError`` when settings or reading options were given with
    ///   which the token file was not made.
    init(
        _ url: URL, settings: TokenizedDataset.Settings, settled: Set<String> = [],
        bins: Discretizer? = nil, reading: TrajectoryDataset.ReadingOptions, note: (String) -> Void
    ) throws {
        guard TokenFile.isTokenFile(url) else {
            let data = try TrajectoryDataset(contentsOf: url, options: reading)
            data.notes.forEach(note)
            let states = TerminalStates(of: data.trajectories)
            var settings = settings
            settings.discrete = settings.discrete ?? data.attributes.discreteColumns(data.layout)
            do {
                let decided = settings.decided(by: states)
                tokenized = try TokenizedDataset(data.trajectories, settings: decided, bins: bins)
            } catch {
                throw JobError(error, of: url)
            }
            bins?.remark(on: data.trajectories, besides: settings.conditionColumns ?? []).map(note)
            guard tokenized.windows.count > 0 else {
                throw JobError(
                    .unsuitableData,
                    "cannot use '\(url.path)': no episode has two transitions or more, "
                        + "so there is nothing to train on")
            }
            if settings.terminationPenalty == .automatic { states.explanation.map(note) }
            let recorded = RecordedEnvironment(data.attributes, file: url.given)
            (recorded.notes + Plausibility.warnings(of: data.trajectories))
                .forEach { note("warning: \($0)") }
            environment = recorded.name
            observationDimensions = reading.observationDimensions
            return
        }
        guard reading.areDefault else {
            throw JobError(
                .settledReading,
                "cannot use reading options with the token file '\(url.path)', which was made with "
                    + "its own")
        }
        let file = try TokenFile(contentsOf: url)
        tokenized = try TokenizedDataset(file, settings: settings)
        environment = file.description.source.environment
        observationDimensions = file.description.source.observationDimensions
        func check<Value: Equatable>(
            _ name: String, _ setting: KeyPath<TokenizedDataset.Settings, Value>
        ) throws(JobError) {
            try Self.check(
                name, settings, setting, tokenized, url,
                mayGiveWay: !settled.contains("tokenization.\(name)"))
        }
        try check("discount", \.discount)
        try check("terminationPenalty", \.terminationPenalty)
        try check("binCount", \.binCount)
        try check("strategy", \.strategy)
    }

    /// Refuses a setting with another value than the file's, unless it is the default and may give
    /// way.
    private static func check<Value: Equatable>(
        _ name: String, _ given: TokenizedDataset.Settings,
        _ setting: KeyPath<TokenizedDataset.Settings, Value>, _ tokenized: TokenizedDataset,
        _ url: URL, mayGiveWay: Bool
    ) throws(JobError) {
        let value = given[keyPath: setting]
        let present = tokenized.settings[keyPath: setting]
        let isDefault = value == TokenizedDataset.Settings()[keyPath: setting]
        guard
            value == present || (isDefault && mayGiveWay)
                || value as? TerminationPenalty == .automatic
        else {
            throw JobError(
                .tokenFile,
                "cannot use '\(url.path)' with tokenization.\(name) \(value): it was "
                    + "made with \(present); leave the setting out or make the file again")
        }
    }
}

extension [String: String] {
    /// The discrete columns that a dataset names among what it says of itself, if it does.
    func discreteColumns(_ layout: TransitionLayout) -> [DiscreteColumn]? {
        self[DiscreteColumn.attribute].flatMap { DiscreteColumn.columns($0, of: layout) }
    }
}
