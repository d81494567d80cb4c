import Processes
import Tokenization
import Trajectories
import Transformer

/// What a model's predictions of held-out windows are worth, without dropout.
public struct HeldOutLoss: Sendable, Hashable {
    /// The loss as in training: weighted, over all places of the windows.
    public var loss: Double
    /// Mean cross entropy of the tokens that count, in nats; nil where a kind of them has no weight
    /// in the loss, from which it is computed.
    public var crossEntropy: Double?
    /// Mean cross entropy of the action tokens alone; nil where they have no weight.
    public var actionCrossEntropy: Double?
}

/// Measures on the same held-out windows again and again, so that two measurements of a run differ
/// by the model alone.
struct HeldOutMeasure {
    /// Tokens of all windows, about, and bounds for how many these are.
    private static let tokens = 1 << 16
    private static let leastWindows = 256
    private static let mostWindows = 1024
    /// Windows that a device has to hold at once.
    static let windowsPerPass = 256

    private let windows: TokenWindows
    private let configuration: TransformerConfiguration
    private let count: Int
    /// This process's share of the windows, read once: they lie all over a file.
    private let batches: [TokenBatch]
    private let group: any ProcessGroup

    /// Of windows spread over all that are held out, of which each process measures a share.
    init(
        _ windows: TokenWindows, _ configuration: TransformerConfiguration,
        _ group: any ProcessGroup
    ) {
        self.group = group
        self.windows = windows
        self.configuration = configuration
        let wanted = Self.tokens / max(windows.length, 1)
        let count = min(windows.count, max(Self.leastWindows, min(wanted, Self.mostWindows)))
        self.count = count
        let share = group.share(of: count)
        batches = stride(from: share.lowerBound, to: share.upperBound, by: Self.windowsPerPass).map
        {
            first in
            let rows = min(Self.windowsPerPass, share.upperBound - first)
            var batch = TokenBatch(
                rows: rows, length: windows.length, goalDimension: windows.goalDimension,
                firstRow: first, totalRows: count)
            for row in 0..<rows {
                windows.fill(
                    &batch, row: row, window: (first + row) * windows.count / count,
                    goalSeed: UInt64(first + row))
            }
            return batch
        }
    }

    /// The loss of what `learner` has learnt; nil where nothing is held out.
    ///
    /// - Throws: `EngineError` when the device fails, or the other processes do not answer.
    func callAsFunction(_ learner: any TrainingEngine) throws(EngineError) -> HeldOutLoss? {
        guard count > 0 else { return nil }
        // An engine tells weighted sums: one for each weight, all but the last by masks.
        let width = configuration.layout.transitionDimension
        let weights = (0..<width).map { configuration.lossWeight(ofDimension: $0) }
        let actions = Set((0..<width).filter { configuration.layout.kind(at: $0) == .action })
        let others = Dictionary(
            grouping: (0..<width).filter { !actions.contains($0) }, by: { weights[$0] }
        ).sorted { $0.key < $1.key }.map { Set($0.value) }
        let masked = [actions] + others.dropLast()
        var loss = 0.0
        var sums = [Double](repeating: 0, count: masked.count)
        var counts = [Int](repeating: 0, count: width)
        for var batch in batches {
            loss += try learner.loss(batch)
            let mask = batch.mask
            // The target behind input i is of dimension i + 1.
            func dimension(_ place: Int) -> Int { (place % windows.length + 1) % width }
            for place in mask.indices where mask[place] != 0 { counts[dimension(place)] += 1 }
            for (index, dimensions) in masked.enumerated() {
                for place in mask.indices {
                    batch.mask[place] = dimensions.contains(dimension(place)) ? mask[place] : 0
                }
                sums[index] += try learner.loss(batch)
            }
        }
        if !group.isAlone {
            let own = [loss] + sums + counts.map(Double.init)
            let all = try EngineError.ofExchange { () throws(ProcessGroupError) in
                try group.gather(own)
            }
            let total = own.indices.map { index in all.reduce(0) { $0 + $1[index] } }
            loss = total[0]
            sums = Array(total[1...sums.count])
            counts = total[(1 + sums.count)...].map { Int($0) }
        }
        let places = Double(count * windows.length)
        let groups = zip(
            masked + others.suffix(1), sums + [loss - sums.reduce(0, +)]
        ).map { dimensions, sum -> (count: Int, entropy: Double?) in
            let weight = dimensions.first.map { Double(weights[$0]) } ?? 0
            return (
                dimensions.reduce(0) { $0 + counts[$1] }, weight > 0 ? sum * places / weight : nil
            )
        }
        func mean(_ groups: [(count: Int, entropy: Double?)]) -> Double? {
            let count = groups.reduce(0) { $0 + $1.count }
            let entropies = groups.compactMap(\.entropy)
            guard entropies.count == groups.count, count > 0 else { return nil }
            return entropies.reduce(0, +) / Double(count)
        }
        return HeldOutLoss(
            loss: loss, crossEntropy: mean(groups), actionCrossEntropy: mean([groups[0]]))
    }
}
