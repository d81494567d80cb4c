import Trajectories

/// Several sources, one after the other.
struct JoinedEpisodes: EpisodeSource {
    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String]
    let notes: [String]
    private let sources: [any EpisodeSource]

    /// Joins sources of one layout.
    ///
    /// What they say about themselves stays where all say the same.
    ///
    /// - Throws: ``DatasetError`` when one has another layout.
    init(_ sources: [any EpisodeSource], files: [String]) throws {
        let first = sources[0]
        layout = first.layout
        for (source, file) in zip(sources, files) where source.layout != first.layout {
            throw DatasetError(
                .shapeMismatch, file: file,
                "it has \(source.layout.observationDimension) observation and "
                    + "\(source.layout.actionDimension) action dimensions, '\(files[0])' has "
                    + "\(first.layout.observationDimension) and \(first.layout.actionDimension); "
                    + "only data of one environment can be joined")
        }
        rowCount = sources.reduce(0) { $0 + $1.rowCount }
        attributes = first.attributes.filter { key, value in
            sources.allSatisfy { $0.attributes[key] == value }
        }
        let names = Set(sources.compactMap { $0.attributes["environment"] })
        notes =
            sources.flatMap(\.notes)
            + (names.count > 1
                ? [
                    "warning: the joined data name different environments: "
                        + names.sorted().joined(separator: ", ")
                ] : [])
        self.sources = sources
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        for source in sources { try source.walk(rewardsOnly: rewardsOnly, body) }
    }
}

/// A source without the episodes that hold NaN or infinite numbers.
struct FiniteEpisodes: EpisodeSource {
    let rowCount: Int
    let notes: [String]
    private let source: any EpisodeSource
    /// Places of the episodes that are left out.
    private let dropped: Set<Int>

    var layout: TransitionLayout { source.layout }
    var attributes: [String: String] { source.attributes }

    /// Goes through all episodes once to see which are finite.
    init(_ source: any EpisodeSource, file: String) throws {
        var (index, rows) = (0, 0)
        var dropped: Set<Int> = []
        try source.walk(rewardsOnly: false) { episode in
            let isFinite = [episode.observations, episode.actions, episode.rewards].allSatisfy {
                $0.allSatisfy(\.isFinite)
            }
            if isFinite { rows += episode.rewards.count } else { dropped.insert(index) }
            index += 1
        }
        guard rows > 0 else {
            throw DatasetError(
                .empty, file: file, "every episode has a number that is NaN or infinite")
        }
        rowCount = rows
        notes =
            source.notes
            + (dropped.isEmpty
                ? []
                : [
                    "\(dropped.count) of \(index) episodes of '\(file)' are left out: they hold "
                        + "numbers that are NaN or infinite"
                ])
        self.source = source
        self.dropped = dropped
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        var index = 0
        try source.walk(rewardsOnly: rewardsOnly) { episode in
            if !dropped.contains(index) { try body(episode) }
            index += 1
        }
    }
}

/// A source with a line more about itself.
struct NotedSource: EpisodeSource {
    let notes: [String]
    private let source: any EpisodeSource

    var layout: TransitionLayout { source.layout }
    var rowCount: Int { source.rowCount }
    var attributes: [String: String] { source.attributes }

    init(_ source: any EpisodeSource, _ note: String) {
        self.source = source
        notes = [note] + source.notes
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        try source.walk(rewardsOnly: rewardsOnly, body)
    }
}
