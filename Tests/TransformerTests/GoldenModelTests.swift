import Safetensors
import TestSupport
import Testing
import Tokenization
import Transformer
import TransformerCPU

@Suite struct GoldenModelTests {
    @Test(arguments: TestedEngine.all)
    func `logits agree with the authors' code at every position`(_ tested: TestedEngine) throws {
        let model = try Golden.model("model_tiny")
        let golden = try Golden.data.tensors("model_tiny_io.safetensors")
        let tokens = try golden.integers("tokens")
        for (name, length) in [("logits", 27), ("logits_t17", 17)] {
            let sequences = (0..<4).map { Array(tokens[($0 * 27)..<($0 * 27 + length)]) }
            let logits = try sequences.flatMap { try tested.engine.logits(model, $0) }
                .flatMap { $0 }
            #expect(relativeError(logits, try golden.floats(name)) < goldenTolerance)
        }
    }

    @Test func `attention weights agree with the authors' code in both layers`() throws {
        let model = try Golden.model("model_tiny")
        let golden = try Golden.data.tensors("model_tiny_io.safetensors")
        let tokens = Array(try golden.integers("tokens")[..<27])
        for layer in 0..<2 {
            let weights = try CPUTransformer(model).attentionWeights(tokens)[layer].flatMap {
                $0.flatMap { $0 }
            }
            #expect(
                relativeError(weights, try golden.floats("attn.\(layer)")) < goldenTolerance)
        }
    }

    @Test func `whole sequences have the logits that a tree of prefixes has`() throws {
        let model = try Golden.model("model_tiny")
        let golden = try Golden.data.tensors("model_tiny_io.safetensors")
        let tokens = Array(try golden.integers("tokens")[..<27])
        let logits = try CPUTransformer(model).logits(tokens).flatMap { $0 }
        #expect(
            relativeError(logits, Array(try golden.floats("logits")[..<logits.count]))
                < goldenTolerance)
    }

    @Test(arguments: TestedEngine.all)
    func `loss and every gradient agree with the authors' code`(_ tested: TestedEngine) throws {
        let model = try Golden.model("model_tiny")
        let golden = try Golden.data.tensors("model_tiny_io.safetensors")
        let engine = try tested.engine.training(model)
        let loss = try engine.lossAndGradient(try Golden.batch(golden), dropoutStream: nil)
        #expect(abs(loss / (try Golden.loss("model_tiny")) - 1) < 1e-6)
        let gradients = try engine.gradient()
        for name in model.parameterNames {
            let gradient = Array(gradients[try #require(model.range(ofParameter: name))])
            if name.hasSuffix("attn.key.bias") {
                // Zero in exact arithmetic: it shifts all scores of a query equally.
                #expect(gradient.allSatisfy { abs($0) < 1e-6 }, "\(name)")
            } else {
                let error = relativeError(gradient, try golden.floats("grad.\(name)"))
                #expect(error < goldenTolerance, "\(name)")
            }
        }
    }

    @Test(arguments: TestedEngine.all)
    func `the loss with unit weights agrees with the authors' code`(_ tested: TestedEngine) throws {
        var configuration = try Golden.configuration("model_tiny")
        configuration.actionWeight = 1
        let model = try TrajectoryTransformer(
            configuration, tensors: Golden.data.tensors("model_tiny.safetensors"))
        let golden = try Golden.data.tensors("model_tiny_io.safetensors")
        let loss = try tested.engine.training(model).loss(try Golden.batch(golden))
        #expect(abs(loss / (try Golden.loss("model_tiny", key: "loss_unit_weights")) - 1) < 1e-6)
    }

    @Test(arguments: TestedEngine.all)
    func `the paper's Hopper model agrees with the authors' code`(_ tested: TestedEngine) throws {
        let model = try Golden.model("model_mid")
        #expect(model.parameterCount == 1_225_472)
        let golden = try Golden.data.tensors("model_mid_io.safetensors")
        let batch = try Golden.batch(golden)
        let loss = try tested.engine.training(model).loss(batch)
        #expect(abs(loss / (try Golden.loss("model_mid")) - 1) < 1e-6)
        let sequences = (0..<2).map { row in
            batch.inputs[(row * 159)..<((row + 1) * 159)].map(Int.init)
        }
        let logits = try sequences.flatMap { try tested.engine.logits(model, $0).suffix(5) }
            .flatMap { $0 }
        #expect(relativeError(logits, try golden.floats("logits_last5")) < goldenTolerance)
    }

    @Test func `weights of another configuration are refused with both shapes named`() throws {
        var configuration = try Golden.configuration("model_tiny")
        configuration.embeddingWidth = 32
        let error = #expect(throws: SafetensorsError.self) {
            try TrajectoryTransformer(
                configuration, tensors: Golden.data.tensors("model_tiny.safetensors"))
        }
        #expect(error?.description.contains("expected shape [71, 32], found [71, 16]") == true)
    }
}
