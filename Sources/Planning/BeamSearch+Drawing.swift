import Tokenization
import Trajectories
import Transformer

extension BeamSearch {
    /// Samples the tokens of some dimensions, one after the other, for every row; rewards and
    /// values on the way are read from the unfiltered distributions.
    ///
    /// A model that draws itself is waited for once.
    mutating func sample(
        _ dimensions: Range<Int>, _ uniforms: inout [some UniformSource]
    ) throws(PlanningError) {
        if trace == nil, frontier.room >= dimensions.count - 1,
            let model = planner.model as? any TokenDrawingModel
        {
            try evaluate()
            return try draw(dimensions, with: model, &uniforms)
        }
        for dimension in dimensions {
            switch dimension {
            case layout.rewardIndex: try sampleReward(&uniforms)
            case layout.valueIndex: try sampleValue(&uniforms)
            default: try sample(dimension, filter(of: dimension), &uniforms)
            }
        }
    }

    private func filter(of dimension: Int) -> TokenFilter {
        switch layout.kind(at: dimension) {
        case .observation: options.observationFilter
        case .action: options.actionFilter
        case .reward, .value: options.rewardFilter
        }
    }

    /// Has the model draw, from where ``evaluate()`` left the rows.
    private mutating func draw(
        _ dimensions: Range<Int>, with model: any TokenDrawingModel,
        _ uniforms: inout [some UniformSource]
    ) throws(PlanningError) {
        let rows = frontier.rowCount
        var numbers: [Double] = []
        numbers.reserveCapacity(rows * dimensions.count)
        for _ in dimensions {
            for request in requests.indices {
                for _ in 0..<rowsPerRequest { numbers.append(uniforms[request].next()) }
            }
        }
        let draws = TokenDraws(
            nodes: frontier.places.map { frontier.nodes[Int($0)] },
            rules: dimensions.map { dimension in
                var rule = filter(of: dimension).rule
                rule.keepsOutput =
                    dimension >= layout.rewardIndex || countsLikelihood(of: dimension)
                return rule
            }, uniforms: numbers, forced: suggestedTokens(dimensions))
        let drawn = try frontier.draw(draws, with: model)
        for (index, dimension) in dimensions.enumerated() {
            if dimension == layout.rewardIndex { readNumbers(dimension, into: \.rewards) }
            if dimension == layout.valueIndex { readNumbers(dimension, into: \.values) }
            let isLast = index == dimensions.count - 1
            let tokens = Array(drawn.tokens[(index * rows)..<((index + 1) * rows)])
            if countsLikelihood(of: dimension) {
                frontier.stand()
                countLikelihood(of: tokens, dimension: dimension)
            }
            frontier.append(
                tokens,
                nodesFrom: isLast ? nil : drawn.firstNode + index * rows)
        }
    }

    /// What the distributions that the rows stand on say of their rewards or values.
    private mutating func readNumbers(
        _ dimension: Int, into path: WritableKeyPath<BeamSearch, [Double]>
    ) {
        frontier.stand()
        let numbers = samplers.read(
            frontier.nodes, readout: options.readout, dimension: dimension,
            discretizer: planner.discretizer, keeping: false
        ).numbers
        for row in 0..<frontier.rowCount {
            self[keyPath: path][row * options.horizon + step] = numbers[Int(frontier.places[row])]
        }
    }

    /// The actions that are suggested to one row of a request, among tokens that are drawn.
    private func suggestedTokens(_ dimensions: Range<Int>) -> [Int32]? {
        guard suggestedRows.contains(where: { $0 != nil }) else { return nil }
        let rows = frontier.rowCount
        var forced = Array(repeating: Int32(-1), count: rows * dimensions.count)
        for (request, row) in suggestedRows.enumerated() {
            guard let row else { continue }
            let action = requests[request].suggestedActions[step]
            for (index, dimension) in dimensions.enumerated()
            where layout.actionRange.contains(dimension) {
                forced[index * rows + row] =
                    Int32(action[dimension - layout.actionRange.lowerBound])
            }
        }
        return forced
    }
}

extension TokenFilter {
    /// The filter as a model that draws takes it.
    fileprivate var rule: TokenDraws.Rule {
        TokenDraws.Rule(
            temperature: temperature, tailMass: cdf, keepsLikeliest: cdfRule == .careful,
            topK: topK)
    }
}
