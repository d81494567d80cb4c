import Planning
import TestSupport
import Trajectories
import Transformer

/// A model whose logits are random numbers that depend on the whole window and nothing else.
///
/// Also keeps account of how it is used.
final class HashedModel: PrefixTreeModel {
    let layout: TransitionLayout
    let vocabularySize: Int
    let contextLength: Int
    private let seed: UInt64
    /// Standing logits from which a hash chooses, so that timing the planner is not timing this.
    private let pool: [Float]
    private static let poolRows: UInt64 = 1024

    private var hashes: [UInt64] = []
    private var positions: [Int] = []
    private var hasOutput: [Bool] = []
    private var wasRead: [Bool] = []
    /// Prefixes that were added to a tree more than once.
    private(set) var repeatedNodes = 0
    /// Outputs that were asked for in a tree and not read before it was dropped.
    private(set) var unreadOutputs = 0
    /// Nodes that cost something: all but value tokens without output.
    private(set) var computedNodes = 0
    private var distinct: Set<UInt64> = []
    private let keepsAccount: Bool

    init(
        layout: TransitionLayout, vocabularySize: Int, contextLength: Int, seed: UInt64,
        keepsAccount: Bool = true
    ) {
        self.layout = layout
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        // Far from zero, which the hash of a first token would otherwise be for some small seeds.
        self.seed = seed &+ 0x5851_F42D_4C95_7F2D
        self.keepsAccount = keepsAccount
        var generator = SeededGenerator(seed: seed)
        pool = (0..<(Int(Self.poolRows) * vocabularySize)).map { _ in
            generator.float(in: -3...3)
        }
    }

    /// The logits after a window.
    func logits(after window: [Int]) -> [Float] {
        let hash = window.reduce(seed, Self.extended)
        return Array(pool[rowRange(hash)])
    }

    func removeAll() {
        settle()
        hashes.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        hasOutput.removeAll(keepingCapacity: true)
        wasRead.removeAll(keepingCapacity: true)
        distinct.removeAll(keepingCapacity: true)
    }

    /// Counts what the present tree left unread.
    func settle() {
        for node in hasOutput.indices where hasOutput[node] && !wasRead[node] {
            unreadOutputs += 1
        }
    }

    func extend(_ nodes: [PrefixNode]) -> Range<Int> {
        let first = hashes.count
        for node in nodes {
            precondition((0..<vocabularySize).contains(node.token), "no such token")
            let (position, before) =
                switch node.parent {
                case .goal: (0, seed)
                case .node(let parent): (positions[parent] + 1, hashes[parent])
                }
            precondition(position < contextLength, "a window longer than the context")
            let hash = Self.extended(before, node.token)
            hashes.append(hash)
            positions.append(position)
            hasOutput.append(node.needsOutput)
            wasRead.append(false)
            guard keepsAccount else { continue }
            if !distinct.insert(hash).inserted { repeatedNodes += 1 }
            let isValue = position % layout.transitionDimension == layout.valueIndex
            if node.needsOutput || !isValue { computedNodes += 1 }
        }
        return first..<hashes.count
    }

    func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        precondition(hasOutput[node], "node \(node) was added without output")
        wasRead[node] = true
        let pool = pool
        return try body(pool.span.extracting(rowRange(hashes[node])))
    }

    private func rowRange(_ hash: UInt64) -> Range<Int> {
        let row = Int(hash % Self.poolRows)
        return (row * vocabularySize)..<((row + 1) * vocabularySize)
    }

    private static func extended(_ hash: UInt64, _ token: Int) -> UInt64 {
        var z = (hash ^ UInt64(token &+ 1)) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 29)) &* 0xBF58_476D_1CE4_E5B9
        return z ^ (z >> 32)
    }
}
