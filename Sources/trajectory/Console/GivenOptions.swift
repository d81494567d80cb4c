import ArgumentParser
import Engines
import Planning

/// The options that stand on the command line, also where they say what is the default anyway.
struct GivenOptions {
    /// Names such as `--beam-width`.
    let names: Set<String>

    /// Those of this process.
    static let here = GivenOptions(Array(CommandLine.arguments.dropFirst()))

    init(_ arguments: [String]) {
        names = Set(
            arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
                .map { String($0.prefix { $0 != "=" }) })
    }

    /// Refuses options that would do nothing, unless `isUsed`; `purpose` says when they do
    /// something, such as "is for --video".
    func refuse(_ options: [String], unless isUsed: Bool, _ purpose: String) throws {
        guard !isUsed, let option = options.first(where: names.contains) else { return }
        throw ValidationError("\(option) \(purpose); leave it out")
    }
}

extension PlannerOptionsGroup {
    /// What every search has.
    private static let common = [
        "--preset", "--objective", "--critic", "--horizon", "--beam-width", "--context-transitions",
        "--replan-interval", "--window",
    ]
    /// What a search for likelihood has no use for.
    private static let sampling = [
        "--expansion-factor", "--observation-top-k", "--action-top-k", "--reward-top-k",
        "--observation-cdf", "--action-cdf", "--reward-cdf", "--readout", "--temperature",
        "--discount", "--warm-start", "--deadline-ms", "--authors-quirks", "--unlikely-share",
        "--likelihood-weight", "--averaged-rows",
    ]
    private static let likelihood = ["--likelihood-top-k"]

    /// The names of all.
    static var names: [String] { common + sampling + likelihood }

    /// Refuses options that the objective has no use for.
    func refuseUnused(of given: GivenOptions = .here) throws {
        let imitates = objective == .likelihood
        try given.refuse(
            Self.sampling, unless: !imitates, "does nothing with --objective imitation")
        try given.refuse(Self.likelihood, unless: imitates, "is for --objective imitation")
    }
}

extension EngineOptionsGroup {
    /// The names of all.
    static var names: [String] { ["--device", "--precision"] }

    /// Refuses what only a card has.
    func refuseUnused(of given: GivenOptions = .here) throws {
        try given.refuse(
            ["--workers"], unless: device != .cuda, "is for the processor, not for --device cuda")
    }
}

extension DatasetReadingOptions {
    /// The names of all.
    static var names: [String] {
        [
            "--max-episode-length", "--no-time-limit", "--drop-last-row",
            "--observation-dimensions", "--observation-keys", "--drop-nan-episodes",
            "--follow-external",
        ]
    }
}
