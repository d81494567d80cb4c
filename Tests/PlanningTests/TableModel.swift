import Foundation
import Planning
import Trajectories
import Transformer

/// Likes actions near the observation.
struct BinaryCritic: TransitionCritic {
    func values(observations: [[Double]], actions: [[Double]]) -> [Double] {
        zip(observations, actions).map { abs($0[0] - $1[0]) < 0.1 ? 10 : 0 }
    }
}

/// A model that is a table: probabilities of the tokens after a path of tokens.
final class TableModel: PrefixTreeModel {
    let layout: TransitionLayout
    let vocabularySize: Int
    let contextLength: Int
    private let table: ([Int]) -> [Float]
    private var paths: [[Int]] = []

    /// By default transitions of four tokens with two bins.
    init(
        layout: TransitionLayout = TransitionLayout(observationDimension: 1, actionDimension: 1),
        vocabularySize: Int = 3, _ table: @escaping ([Int]) -> [Float]
    ) {
        self.layout = layout
        self.vocabularySize = vocabularySize
        contextLength = 3 * layout.transitionDimension - 1
        self.table = table
    }

    func removeAll() {
        paths = []
    }

    func extend(_ nodes: [PrefixNode]) -> Range<Int> {
        let first = paths.count
        for node in nodes {
            switch node.parent {
            case .goal: paths.append([node.token])
            case .node(let parent): paths.append(paths[parent] + [node.token])
            }
        }
        return first..<paths.count
    }

    func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        let logits = table(paths[node]).map { log($0) }
        return try body(logits.span)
    }
}
