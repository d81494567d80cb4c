import Tensors
import Testing
import Trajectories
import Transformer

@Suite struct StartTests {
    private static func configuration(width: Int = 64) -> TransformerConfiguration {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
            contextTransitions: 3)
        (configuration.layerCount, configuration.embeddingWidth) = (1, width)
        configuration.goalDimension = 2
        return configuration
    }

    private static func model(
        _ start: TransformerStart, seed: UInt64 = 7
    ) throws -> TrajectoryTransformer {
        TrajectoryTransformer(configuration(), seed: seed, start: start)
    }

    private static func rows(
        _ name: String, of model: TrajectoryTransformer
    ) throws -> [[Float]] {
        let values = try #require(model.parameter(named: name)).values
        let width = model.configuration.embeddingWidth
        return stride(from: 0, to: values.count, by: width).map {
            Array(values[$0..<($0 + width)])
        }
    }

    private static func distance(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }

    private static func deviation(_ rows: some Sequence<[Float]>) -> Float {
        let all = rows.flatMap(\.self)
        return (all.reduce(0) { $0 + $1 * $1 } / Float(all.count)).squareRoot()
    }

    /// The vocabularies of a table: of each dimension the rows of its bins.
    private static func vocabularies(_ name: String, of model: TrajectoryTransformer) throws
        -> [ArraySlice<[Float]>]
    {
        let rows = try rows(name, of: model)
        let step = name == "head.weight" ? 101 : 100
        return stride(from: 0, to: rows.count - 1, by: step).map { rows[$0..<($0 + 100)] }
    }

    @Test(arguments: [("tok_emb.weight", 7), ("goal_emb.weight", 2), ("head.weight", 7)])
    func `neighbouring bins begin alike, in numbers as large as the authors'`(
        _ name: String, _ count: Int
    ) throws {
        let (smooth, authors) = (try Self.model(.smooth), try Self.model(.authors))
        let vocabularies = try Self.vocabularies(name, of: smooth)
        #expect(vocabularies.count == count)
        // Not the same curve for every dimension.
        #expect(Set(vocabularies.map(\.first)).count == count)
        for bins in vocabularies {
            let first = bins.startIndex
            let steps = (0..<99).map { Self.distance(bins[first + $0], bins[first + $0 + 1]) }
            let across = Self.distance(bins[first], bins[first + 50])
            #expect((steps.max() ?? 0) < 0.2 * across)
        }
        let ratio =
            Self.deviation(vocabularies.joined())
            / Self.deviation(try Self.vocabularies(name, of: authors).joined())
        #expect((0.75...1.3).contains(ratio), "\(ratio)")
    }

    @Test func `all but the bins' rows is as the authors' start has it`() throws {
        let (smooth, authors) = (try Self.model(.smooth), try Self.model(.authors))
        for name in smooth.parameterNames
        where !["tok_emb.weight", "goal_emb.weight", "head.weight"].contains(name) {
            #expect(smooth.parameter(named: name)?.values == authors.parameter(named: name)?.values)
        }
        let last = try [smooth, authors].map { try Self.rows("tok_emb.weight", of: $0).last }
        #expect(last[0] == last[1])
        let heads = (
            try Self.rows("head.weight", of: smooth), try Self.rows("head.weight", of: authors)
        )
        for extra in stride(from: 100, to: heads.0.count, by: 101) {
            #expect(heads.0[extra] == heads.1[extra] && heads.0[extra - 1] != heads.1[extra - 1])
        }
    }

    @Test func `a start follows from its seed`() throws {
        #expect(try Self.model(.smooth).values == Self.model(.smooth).values)
        #expect(try Self.model(.smooth).values != Self.model(.smooth, seed: 8).values)
        #expect(
            TrajectoryTransformer(Self.configuration(), seed: 7).values
                == (try Self.model(.authors).values))
        // As versions before there was a choice drew them.
        let known = try Self.model(.authors).values
        #expect(Array(known[0..<3]) == [0.019769486, -0.037285116, 7.840415e-05])
    }

    @Test func `the matrices that Muon turns are those of the blocks' dense layers`() throws {
        let model = try Self.model(.authors)
        let matrices = model.parameters.layout.entries.filter {
            $0.name.hasPrefix("blocks.") && $0.decays
        }.map(\.slot)
        #expect(Set(model.parameters.blockMatrices) == Set(matrices) && matrices.count == 6)
    }
}
