import Foundation
import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// Proposals behind a level of return, judged behind none.
@Suite struct JudgedTreeTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
    private let untold = 0

    @Test(arguments: [(1, true), (2.5, true), (0, true), (2.5, false)] as [(Float, Bool)])
    func `rewards and values are read where no level is told, all else where it is`(
        _ guidance: Float, _ judges: Bool
    ) throws {
        var generator = SeededGenerator(seed: 4)
        print("seed 4")
        let model = try prefixedModel(layout, seed: 3)
        let tree = JudgedTree(
            CPUEngine.cpu.prefixDecoder(model), place: 1, untold: untold, judges: judges,
            guidance: guidance)
        let whole = CPUTransformer(model)
        let goals = [[3, 7], [3, 4]]
        for _ in 0..<2 {
            try tree.begin(goals: goals)
            var paths: [(goal: [Int], tokens: [Int])] = []
            var judged = 0
            // Calls of several nodes each, which continue any node or begin behind a goal.
            for _ in 0..<6 {
                var nodes: [PrefixNode] = []
                for _ in 0..<8 {
                    let token = Int.random(in: 0..<8, using: &generator)
                    let long = paths.indices.filter { paths[$0].tokens.count < 12 }
                    if let parent = long.randomElement(using: &generator),
                        Int.random(in: 0..<8, using: &generator) > 0
                    {
                        paths.append((paths[parent].goal, paths[parent].tokens + [token]))
                        nodes.append(
                            PrefixNode(parent: .node(parent), token: token, needsOutput: true))
                    } else {
                        let goal = Int.random(in: 0..<2, using: &generator)
                        paths.append((goals[goal], [token]))
                        nodes.append(
                            PrefixNode(parent: .goal(goal), token: token, needsOutput: true))
                    }
                }
                let first = paths.count - nodes.count
                #expect(try tree.extend(nodes) == first..<paths.count)
            }
            for (node, path) in paths.enumerated() {
                let next = path.tokens.count % layout.transitionDimension
                let isJudged = next == layout.rewardIndex || next == layout.valueIndex
                judged += isJudged ? 1 : 0
                let told = try #require(try whole.logits(path.tokens, goal: path.goal).last)
                let plain = try #require(
                    try whole.logits(path.tokens, goal: [path.goal[0], untold]).last)
                // How much of what the level adds counts.
                let share: Float = isJudged ? (judges ? 0 : 1) : next == 2 ? guidance : 1
                let expected = zip(told, plain).map { $1 + share * ($0 - $1) }
                let other = share == 0 ? told : plain
                let found = tree.logits(of: node)
                #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 * (1 + abs($1)) })
                #expect(zip(found, other).contains { abs($0 - $1) > 1e-2 })
            }
            #expect(judged > 5 && judged < paths.count - 5)
        }
    }

    @Test func `a plan's first reward is the one that is expected where no level is told`() throws {
        let model = try prefixedModel(layout, seed: 3)
        let discretizer = unitBins(8, dimension: 5)
        var options = PlannerOptions()
        options.horizon = 2
        options.beamWidth = 4
        options.contextTransitions = 2
        let conditions = Conditions(returns: ReturnLevels(count: 3, binCount: 8))
        let planner = try Planner(
            model: model, discretizer: discretizer, goalColumns: [0], conditions: conditions,
            options: options, engine: .cpu)
        var context = planner.context()
        try context.setGoal([4])
        #expect(try context.prefix(before: [1, 1]) == [7, 4])
        let plan = try planner.plan(context: context, observation: [1, 1])
        let action = discretizer.token(for: plan.actions[0][0], dimension: 2)
        func reward(behind level: Int) throws -> Double {
            let logits = try #require(
                try CPUTransformer(model).logits([1, 1, action], goal: [level, 4]).last)
            let largest = logits.max() ?? 0
            let weights = logits.map { exp($0 - largest) }
            let sum = weights.reduce(0, +)
            return discretizer.expectation(
                of: weights.map { $0 / sum }, dimension: layout.rewardIndex)
        }
        #expect(abs(try reward(behind: untold) - plan.rewards[0]) < 1e-3)
        #expect(abs(try reward(behind: 7) - plan.rewards[0]) > 1e-2)
    }
}
