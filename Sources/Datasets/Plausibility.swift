public import Trajectories

/// Signs that data are not what they seem: rows that were never written, and episodes within which
/// another one begins.
///
/// Two passes: ``look(at:)`` for every episode, ``finishLook()``, then ``lookAgain(at:)``. Both
/// cost about as much as adding up the numbers.
///
/// Where an observation changes, most of its dimensions change little: between episodes most of
/// them jump. A change is measured by the median over the dimensions, in their standard deviations.
/// A jump is one of at least half a deviation, and eight times the change that is usual in these
/// data. Of robots that run and fall, no step came to that (`docs/datasets.md`).
public struct Plausibility: Sendable {
    private let layout: TransitionLayout
    private var rows = 0
    /// Rows at the end whose observations, and actions, are all 0.
    private var zeroObservations = 0, zeroActions = 0
    private var origin: [Double] = []
    private var sums: [Double], squares: [Double]
    /// Changes of the observation, every `stride`-th of `steps`, one after the other.
    private var sample: [Float] = []
    private var steps = 0, stride = 1
    /// How far each dimension must change to count as a jump; empty where nothing can be said.
    private var limits: [Float] = []
    private var varyingCount = 0
    private var seen = 0, jumps = 0
    private var firstJump: Int?

    private static let sampleSize = 1024
    private static let leastSteps = 100
    private static let leastDimensions = 3

    /// Nothing looked at yet.
    public init(_ layout: TransitionLayout) {
        self.layout = layout
        sums = Array(repeating: 0, count: layout.observationDimension)
        squares = sums
    }

    /// Looks at an episode for the first time.
    public mutating func look(at episode: Trajectory) {
        let width = layout.observationDimension
        zeroObservations = tail(episode.observations, width, zeroObservations)
        zeroActions = tail(episode.actions, layout.actionDimension, zeroActions)
        rows += episode.count
        let values = episode.observations
        // Measured from the first row, so that a far-off mean costs no digits.
        if origin.isEmpty { origin = values.prefix(width).map(Double.init) }
        for start in Swift.stride(from: 0, to: values.count, by: width) {
            for column in 0..<width {
                let value = Double(values[start + column]) - origin[column]
                sums[column] += value
                squares[column] += value * value
            }
        }
        for row in 0..<max(0, episode.count - 1) {
            if steps % stride == 0 {
                for index in (row * width)..<((row + 1) * width) {
                    sample.append((values[index + width] - values[index]).magnitude)
                }
                if sample.count >= 2 * Self.sampleSize * width { thinOut(width) }
            }
            steps += 1
        }
    }

    /// How many rows at the end are all 0, after `earlier` of them before these.
    private func tail(_ values: [Float], _ width: Int, _ earlier: Int) -> Int {
        let zeros = (values.lastIndex { $0 != 0 }).map { values.count - 1 - $0 }
        return zeros.map { $0 / width } ?? earlier + values.count / width
    }

    /// Keeps every second change.
    private mutating func thinOut(_ width: Int) {
        var kept: [Float] = []
        for start in Swift.stride(from: 0, to: sample.count, by: 2 * width) {
            kept += sample[start..<(start + width)]
        }
        sample = kept
        stride *= 2
    }

    /// Ends the first pass: says what is a jump.
    public mutating func finishLook() {
        let width = layout.observationDimension
        let count = Double(max(1, rows))
        let deviations = zip(sums, squares).map { sum, square in
            Float(max(0, square / count - sum / count * (sum / count)).squareRoot())
        }
        let varying = (0..<width).filter { deviations[$0] > 0 && deviations[$0].isFinite }
        guard steps >= Self.leastSteps, varying.count >= Self.leastDimensions else { return }
        var changes = Swift.stride(from: 0, to: sample.count, by: width).map { start in
            let parts = varying.map { sample[start + $0] / deviations[$0] }.sorted()
            return parts[(parts.count - 1) / 2]
        }
        changes.sort()
        let usual = changes[changes.count / 2]
        let limit = max(0.5, 8 * usual)
        guard limit.isFinite else { return }
        limits = (0..<width).map {
            deviations[$0] > 0 ? limit * deviations[$0] : .infinity
        }
        varyingCount = varying.count
    }

    /// Looks at an episode for the second time, in the order of the first.
    public mutating func lookAgain(at episode: Trajectory) {
        defer { seen += episode.count }
        guard !limits.isEmpty else { return }
        let width = layout.observationDimension
        let values = episode.observations
        // What was never written is told of once.
        let last = min(episode.count, rows - zeroObservations - seen)
        for row in 0..<max(0, last - 1) {
            var above = 0
            let start = row * width
            for column in 0..<width {
                let change = (values[start + width + column] - values[start + column]).magnitude
                above += change > limits[column] ? 1 : 0
            }
            if 2 * above > varyingCount {
                jumps += 1
                firstJump = firstJump ?? seen + row
            }
        }
    }

    /// What was found, a line each.
    public var warnings: [String] {
        var lines: [String] = []
        if zeroObservations >= 2 || zeroActions >= 10 {
            let names = [("observations", zeroObservations >= 2), ("actions", zeroActions >= 10)]
                .filter(\.1).map(\.0).joined(separator: " and ")
            let tail =
                [zeroObservations >= 2 ? zeroObservations : Int.max]
                + [zeroActions >= 10 ? zeroActions : Int.max]
            lines.append(
                "\(names) are all 0 in the last \(tail.min() ?? 0) of \(rows) rows: was the file "
                    + "written to its end?")
        }
        if let firstJump {
            lines.append(
                "observations jump within episodes \(jumps == 1 ? "once" : "\(jumps) times"), first "
                    + "after row \(firstJump): are all ends of episodes marked?")
        }
        return lines
    }

    /// What is found in episodes that are all of one layout.
    public static func warnings(of trajectories: [Trajectory]) -> [String] {
        guard let layout = trajectories.first?.layout,
            trajectories.allSatisfy({ $0.layout == layout })
        else { return [] }
        var result = Plausibility(layout)
        for trajectory in trajectories { result.look(at: trajectory) }
        result.finishLook()
        for trajectory in trajectories { result.lookAgain(at: trajectory) }
        return result.warnings
    }
}

/// Episodes that are looked at while somebody reads them, at least twice.
public final class WatchedStream: EpisodeStream {
    private let source: any EpisodeStream
    private var found: Plausibility
    private var pass = 0

    /// Watches whoever reads `source`.
    public init(_ source: any EpisodeStream) {
        self.source = source
        found = Plausibility(source.layout)
    }

    /// The source's.
    public var layout: TransitionLayout { source.layout }
    /// The source's.
    public var rowCount: Int { source.rowCount }
    /// What was found, a line each, once all episodes were read twice.
    public var warnings: [String] { found.warnings }

    /// As the source.
    public func forEachEpisode(_ body: (Trajectory) throws -> Void) throws {
        let pass = pass
        try source.forEachEpisode {
            if pass == 0 { found.look(at: $0) } else if pass == 1 { found.lookAgain(at: $0) }
            try body($0)
        }
        if pass == 0 { found.finishLook() }
        self.pass += 1
    }

    /// As the source.
    public func forEachEpisodeRewards(_ body: ([Float], Trajectory.Ending) throws -> Void) throws {
        try source.forEachEpisodeRewards(body)
    }
}
