import Foundation
import Testing
import Trajectories
import Transformer

@Suite struct ShapeTests {
    @Test func `a shape reads as a settings file has it, and makes the configuration`() throws {
        let text = """
            {"layers": 2, "heads": 3, "width": 24, "actionWeight": 4, "rewardWeight": 2,
            "valueWeight": 3, "embeddingDropout": 0.1, "attentionDropout": 0.2,
            "residualDropout": 0.3}
            """
        var shape = try JSONDecoder().decode(
            TransformerConfiguration.Shape.self, from: Data(text.utf8))
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let configuration = TransformerConfiguration(
            layout: layout, contextTransitions: 4, shape: shape)
        #expect(configuration.layerCount == 2 && configuration.headCount == 3)
        #expect(configuration.embeddingWidth == 24 && configuration.contextLength == 19)
        #expect(configuration.actionWeight == 4 && configuration.rewardWeight == 2)
        #expect(configuration.valueWeight == 3 && configuration.embeddingDropout == 0.1)
        #expect(configuration.attentionDropout == 0.2 && configuration.residualDropout == 0.3)
        shape.dropout = 0
        #expect(shape.embeddingDropout == 0 && shape.attentionDropout == 0)
        // The paper's, where nothing is said.
        let paper = TransformerConfiguration(layout: layout)
        #expect(paper.layerCount == 4 && paper.headCount == 4 && paper.embeddingWidth == 128)
        #expect(paper.actionWeight == 5 && paper.residualDropout == 0.1)
    }

    @Test(arguments: [Float.nan, .infinity, -1])
    func `a weight in the loss is a number from 0 up`(weight: Float) {
        for path in [
            \TransformerConfiguration.actionWeight, \.rewardWeight, \.valueWeight,
        ] as [WritableKeyPath<TransformerConfiguration, Float>] {
            var configuration = TransformerConfiguration(
                layout: TransitionLayout(observationDimension: 2, actionDimension: 1))
            #expect(configuration.problem == nil)
            configuration[keyPath: path] = weight
            #expect(configuration.problem?.contains("Weight must be a number") == true)
        }
    }
}
