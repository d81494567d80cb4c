import Trajectories

/// A file in D4RL's layout, HDF5 or an archive of NumPy's, whose shapes are checked: five arrays
/// over all steps.
struct D4RLFile: EpisodeSource {
    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String]
    let notes: [String]

    private let reader: CheckedReader
    private let observations: any RowArray
    private let actions: any RowArray
    private let rewards: any RowArray
    private let terminals: any RowArray
    /// Further ends of episodes; a row that is terminal, too, counts as terminal.
    private let timeouts: (any RowArray)?
    private let maxEpisodeLength: Int?

    init(_ table: any ArrayTable, options: TrajectoryDataset.ReadingOptions) throws {
        let file = table.file
        try options.requireNoKeys(file: file)
        let reader = CheckedReader(file: file, allowsNonFinite: options.allowsNonFinite)
        (observations, actions) = try reader.observationsAndActions(of: table)
        let rows = observations.shape[0]
        func column(_ field: String) throws -> any RowArray {
            try reader.column(field, of: table, rows: rows, fitting: "observations")
        }
        rewards = try column("rewards")
        let ends = EndFields(in: table)
        terminals = try column(ends.terminals)
        timeouts = try ends.timeouts.map(column)
        var attributes = table.texts
        rowCount = max(0, rows - (options.dropsLastRow ? 1 : 0))
        guard rowCount > 0 else {
            throw DatasetError(
                .empty, file: file,
                "there are no transitions\(rows == 0 ? "" : " but the last, left out")")
        }
        // Read whole where something depends on it alone: they may be many.
        let marks = { [terminals, timeouts, rowCount] in
            EndMarks(
                terminals: try reader.flags(terminals, rows: 0..<rowCount),
                timeouts: try timeouts.map { try reader.flags($0, rows: 0..<rowCount) })
        }
        try ends.require(options, file: file, marks)
        var robotNote: String?
        if attributes["environment"] == nil,
            let robot = D4RLName.environment(
                ofFile: file, observation: observations.width, action: actions.width)
        {
            attributes["environment"] = robot
            robotNote = "'\(file)' is taken for data of \(robot), by its name"
        }
        let (dimension, note) = try options.observationDimension(
            of: observations.width, file: file, field: "observations",
            environment: attributes["environment"])
        layout = TransitionLayout(
            observationDimension: dimension, actionDimension: actions.width)
        var notes = [note, robotNote, ends.note(file: file)].compactMap(\.self)
        if let length = options.maxEpisodeLength {
            notes += try marks().notes(cutAt: length, reader, observations, next: table)
        }
        self.notes = notes
        self.attributes = attributes
        maxEpisodeLength = options.maxEpisodeLength
        self.reader = reader
    }

    /// Bytes of observations to read at a time, about.
    static let blockBytes = 4 << 20

    /// Rows to read at a time: whole chunks, so that none is decompressed twice.
    private var blockRows: Int {
        let wanted = max(1, D4RLFile.blockBytes / (4 * observations.width))
        let chunk = min(observations.chunkRows ?? 1, rowCount)
        return max(1, (wanted + chunk - 1) / chunk) * chunk
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        var cutter = EpisodeCutter(layout, maxLength: maxEpisodeLength)
        let step = blockRows
        for start in stride(from: 0, to: rowCount, by: step) {
            let rows = start..<min(start + step, rowCount)
            try cutter.add(
                block(rows, rewardsOnly: rewardsOnly), isLast: rows.upperBound == rowCount, body)
        }
    }

    private func block(_ rows: Range<Int>, rewardsOnly: Bool) throws -> EpisodeCutter.Block {
        EpisodeCutter.Block(
            observations: rewardsOnly
                ? []
                : try reader.numbers(
                    observations, rows: rows, columns: observations.width,
                    kept: layout.observationDimension),
            actions: rewardsOnly
                ? [] : try reader.numbers(actions, rows: rows, columns: layout.actionDimension),
            rewards: try reader.numbers(rewards, rows: rows, columns: 1),
            terminals: try reader.flags(terminals, rows: rows),
            timeouts: try timeouts.map { try reader.flags($0, rows: rows) })
    }
}

extension TrajectoryDataset.ReadingOptions {
    /// How many of `width` observation dimensions to keep, with a note where this was decided here.
    ///
    /// - Throws: ``DatasetError`` when more are asked for than there are.
    func observationDimension(
        of width: Int, file: String, field: String, environment: String?
    ) throws -> (Int, note: String?) {
        if let wanted = observationDimensions {
            guard 1 <= wanted, wanted <= width else {
                throw DatasetError(
                    .shapeMismatch, file: file, field: field,
                    "\(wanted) observation dimensions were asked for, it has \(width)")
            }
            return (wanted, nil)
        }
        let name = (environment ?? "").lowercased()
        let isAnt = name == "ant" || name.hasPrefix("ant-") || D4RLName.isAnt(file)
        guard isAnt, width == 111 else { return (width, nil) }
        return (
            27,
            "'\(file)' is of Ant: the first 27 of 111 observation dimensions are kept, as the "
                + "authors do (the others are contact forces); ask for 111 to keep all"
        )
    }
}
