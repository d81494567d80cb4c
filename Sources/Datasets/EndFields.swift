import Trajectories

/// Where a file of arrays over all steps says that episodes end: D4RL's fields, or those of others
/// that mean the same.
struct EndFields {
    /// Terminal states.
    let terminals: String
    /// Other ends, if the file has a field of them.
    let timeouts: String?

    init(in root: any ArrayTable) {
        terminals =
            ["terminals", "terminations", "dones"].first(where: root.contains) ?? "terminals"
        let terminals = terminals
        // d3rlpy marks all ends in episode_terminals; those that are terminal count as such.
        timeouts = ["timeouts", "truncations", "episode_terminals", "dones"].first {
            $0 != terminals && root.contains($0)
        }
    }

    /// The flags of D4RL's fields for episodes that lie one after the other.
    ///
    /// The format cannot say that an episode breaks off unless it is the last.
    static func flags(
        of episodes: [(length: Int, ending: Trajectory.Ending)]
    ) -> (terminals: [Bool], timeouts: [Bool]) {
        let rows = episodes.reduce(0) { $0 + $1.length }
        var terminals = [Bool](repeating: false, count: rows)
        var timeouts = terminals
        var row = -1
        for (index, episode) in episodes.enumerated() {
            row += episode.length
            let isLast = index == episodes.count - 1
            terminals[row] = episode.ending == .terminal
            timeouts[row] =
                episode.ending == .timeout || (episode.ending == .unfinished && !isLast)
        }
        return (terminals, timeouts)
    }

    /// What is not as D4RL has it.
    func note(file: String) -> String? {
        if terminals == "dones", timeouts == nil {
            return "'\(file)' has 'dones' alone: every end of an episode is taken for a terminal "
                + "state"
        }
        let others = [
            terminals == "terminals" ? nil : terminals, timeouts == "timeouts" ? nil : timeouts,
        ]
        .compactMap(\.self)
        guard !others.isEmpty else { return nil }
        return "episodes of '\(file)' end where "
            + others.map { "'\($0)'" }.joined(separator: " or ") + " says"
    }

    /// Refuses options that do not go with the fields there are.
    func require(
        _ options: TrajectoryDataset.ReadingOptions, file: String, _ marks: () throws -> EndMarks
    ) throws {
        if options.hasNoTimeLimit, let timeouts {
            throw DatasetError(
                .unusedOption, file: file, field: timeouts,
                "the file marks where a time limit cut, so it cannot be read as one that has none")
        }
        let known = timeouts != nil || terminals == "dones" || options.hasNoTimeLimit
        guard !known, options.maxEpisodeLength == nil else { return }
        let marks = try marks()
        let (count, longest) = (marks.terminalCount, marks.longest)
        let seen =
            count == 0
            ? "and no terminal state; say after how many steps the time limit cut"
            : "but \(count) terminal state\(count == 1 ? "" : "s"), with at most \(longest) rows "
                + "from one to the next; say that there was no time limit, or after how many "
                + "steps it cut"
        throw DatasetError(
            .missingField, file: file, field: "timeouts",
            "there is no such field, \(seen) (1000 in D4RL's older files)")
    }
}

/// The flags of all rows.
struct EndMarks {
    let terminals: [Bool]
    let timeouts: [Bool]?

    /// Terminal rows.
    var terminalCount: Int { terminals.count { $0 } }

    /// Rows of the longest part between two terminal rows, or before or after them.
    var longest: Int {
        var (longest, current) = (0, 0)
        for isTerminal in terminals {
            current += 1
            longest = max(longest, current)
            if isTerminal { current = 0 }
        }
        return longest
    }

    /// The rows after which an episode is cut because it has `length` rows, though the file marks
    /// no end there.
    func cuts(at length: Int) -> [Int] {
        var rows: [Int] = []
        var current = 0
        for row in terminals.indices {
            current += 1
            if terminals[row] || timeouts?[row] ?? false {
                current = 0
            } else if current == length {
                rows.append(row)
                current = 0
            }
        }
        return rows
    }

    /// Cuts that are looked at, at most.
    private static let sample = 32

    /// What deserves a word about cutting episodes at `length`: beside ends that the file marks, or
    /// where `next_observations` say that the episode went on.
    func notes(
        cutAt length: Int, _ reader: CheckedReader, _ observations: any RowArray,
        next root: any ArrayTable
    ) throws -> [String] {
        let cuts = cuts(at: length).filter { $0 + 1 < terminals.count }
        guard !cuts.isEmpty else { return [] }
        var lines: [String] = []
        if timeouts != nil {
            lines.append(
                "'\(reader.file)' marks the ends of its episodes; \(cuts.count) more are made where "
                    + "one is longer than \(length) steps")
        }
        guard root.contains("next_observations"),
            let next = try? root.array("next_observations"), next.shape == observations.shape
        else { return lines }
        let looked = (0..<min(cuts.count, Self.sample)).map {
            cuts[$0 * cuts.count / min(cuts.count, Self.sample)]
        }
        let goingOn = try looked.count { row in
            try next.floats(rows: row..<(row + 1))
                == observations.floats(rows: (row + 1)..<(row + 2))
        }
        if goingOn > 0 {
            lines.append(
                "warning: \(goingOn) of \(looked.count) cuts after \(length) steps that were looked "
                    + "at are not where an episode ends: 'next_observations' is the next row's "
                    + "observation")
        }
        return lines
    }
}
