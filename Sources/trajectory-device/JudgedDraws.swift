import Foundation
import Planning
import Trajectories
import Transformer

/// A card's decoder whose draws are judged one by one: a CPU decoder follows it from node to node,
/// so that every draw has the CPU's distribution of the same prefix to be held to.
///
/// What a search does with a draw that fell on the other side of a boundary does not matter: the
/// next ones are judged behind the token that the card drew.
final class JudgedDraws: TokenDrawingModel {
    /// Draws so far, and those that the CPU would have drawn otherwise.
    private(set) var draws = 0, different = 0
    /// Of the draws that differ, the farthest that one's number lies from its token's share of the
    /// CPU's cumulative probabilities.
    private(set) var farthest = 0.0

    private let card: any TokenDrawingModel
    private let reference: any PrefixTreeModel
    /// How far the edge of a filter may be off, in mass and in logits over the largest of them:
    /// which tokens it removes follows from numbers that rounding moves as well.
    private let tolerance: Double

    init(_ card: any TokenDrawingModel, reference: any PrefixTreeModel, tolerance: Double) {
        self.card = card
        self.reference = reference
        self.tolerance = tolerance
    }

    var layout: TransitionLayout { card.layout }
    var vocabularySize: Int { card.vocabularySize }
    var contextLength: Int { card.contextLength }
    var goalDimension: Int { card.goalDimension }
    var workerCount: Int { card.workerCount }

    func begin(goals: [[Int]]) throws(EngineError) {
        try card.begin(goals: goals)
        try reference.begin(goals: goals)
    }

    func removeAll() throws(EngineError) {
        try card.removeAll()
        try reference.removeAll()
    }

    func extend(_ nodes: [PrefixNode]) throws(EngineError) -> Range<Int> {
        _ = try reference.extend(nodes)
        return try card.extend(nodes)
    }

    func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        try card.withLogits(of: node, body)
    }

    func concurrently(_ body: (_ worker: Int) -> Void) { card.concurrently(body) }

    func draw(_ draws: TokenDraws) throws(EngineError) -> DrawnTokens {
        let drawn = try card.draw(draws)
        let rows = draws.nodes.count
        var nodes = draws.nodes
        for (step, rule) in draws.rules.enumerated() {
            let tokens = drawn.tokens[(step * rows)..<((step + 1) * rows)].map(Int.init)
            for (row, token) in tokens.enumerated()
            where (draws.forced?[step * rows + row] ?? -1) < 0 {
                judge(
                    token, rule, reference.logits(of: nodes[row]),
                    number: draws.uniforms[step * rows + row])
            }
            guard step < draws.rules.count - 1 else { break }
            nodes = Array(
                try reference.extend(
                    zip(nodes, tokens).map {
                        PrefixNode(parent: .node($0), token: $1, needsOutput: true)
                    }))
            guard nodes.first == drawn.firstNode + step * rows else {
                throw EngineError(
                    code: .mismatch, engine: "the card",
                    detail: "its nodes are numbered otherwise than the protocol says")
            }
        }
        return drawn
    }

    private func judge(_ token: Int, _ rule: TokenDraws.Rule, _ logits: [Float], number: Double) {
        draws += 1
        let largest = logits.reduce(0) { max($0, $1.magnitude) }
        var raised = logits
        raised[token] += Float(tolerance) * largest
        // The filters as they are, and with their edges as far off as rounding may move them.
        let masses = rule.tailMass.map { [$0, $0 - tolerance, $0 + tolerance] } ?? [nil]
        let distances = [logits, raised].flatMap { logits in
            masses.map { mass in
                let filter = TokenFilter(
                    topK: rule.topK, cdf: mass, temperature: rule.temperature,
                    cdfRule: rule.keepsLikeliest ? .careful : .authors)
                return Self.distance(of: number, to: token, filter.logProbabilities(logits))
            }
        }
        guard distances[0] > 0 else { return }
        different += 1
        farthest = max(farthest, distances.min() ?? distances[0])
    }

    /// How far `number` lies from what `token` takes of the cumulative probabilities.
    private static func distance(
        of number: Double, to token: Int, _ logProbabilities: [Float]
    ) -> Double {
        let probabilities = logProbabilities.map { exp(Double($0)) }
        let below = probabilities[..<token].reduce(0, +)
        guard probabilities[token] > 0 else { return .infinity }
        return max(below - number, number - (below + probabilities[token]), 0)
    }
}
