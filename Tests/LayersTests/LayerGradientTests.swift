import Layers
import RandomNumbers
import Tensors
import TestSupport
import Testing

@Suite struct LayerGradientTests {
    @Test(arguments: [(5, 11, 7), (37, 32, 48), (3, 40, 65)])
    func `linear backward agrees with finite differences`(rows: Int, input: Int, output: Int) {
        var check = FiniteDifferences(seed: 1)
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let weight = layout.add("w", shape: [output, input], decays: true)
        let bias = layout.add("b", shape: [output], decays: false)
        let layer = Linear(weight: weight, bias: bias, in: &panels)
        let parameters = ParameterValues(panels, values: check.random(layout.count))
        let gradients = FloatStorage(count: layout.count)
        let x = check.random(rows * input)
        let dx = FloatStorage(count: rows * input)
        let y = FloatStorage(count: rows * output)
        let weights = check.random(rows * output)
        func loss() -> Double {
            parameters.pack(pool: WorkerPool.shared)
            layer.forward(
                parameters, input: x.matrix(columns: input), output: y.matrix(columns: output))
            return weightedSum(y, weights)
        }
        let dOutput = weights.matrix(columns: output)
        layer.weightBackward(
            gradients: gradients, input: x.matrix(columns: input), dOutput: dOutput)
        layer.biasBackward(gradients: gradients, dOutput: dOutput)
        layer.inputBackward(parameters, dOutput: dOutput, dInput: dx.matrix(columns: input))
        #expect(
            FiniteDifferences.error(of: gradients, at: parameters.values, loss: loss)
                < FiniteDifferences.tolerance)
        #expect(
            FiniteDifferences.error(of: dx, at: x, loss: loss) < FiniteDifferences.tolerance)
    }

    @Test(arguments: [8, 16, 13]) func `layer norm backward agrees with finite differences`(
        width: Int
    ) {
        var check = FiniteDifferences(seed: 2)
        let rows = 4
        var layout = ParameterLayout()
        let layer = LayerNorm(
            weight: layout.add("w", shape: [width], decays: false),
            bias: layout.add("b", shape: [width], decays: false))
        let parameters = ParameterValues(PanelLayout(), values: check.random(layout.count))
        let gradients = FloatStorage(count: layout.count)
        let x = check.random(rows * width)
        let dx = FloatStorage(count: rows * width)
        let y = FloatStorage(count: rows * width)
        let weights = check.random(rows * width)
        let statistics = LayerNorm.Statistics(rows: rows)
        let order: [Int32] = [2, 0, 3, 1]
        func loss() -> Double {
            layer.forward(
                parameters, input: x.matrix(columns: width), output: y.matrix(columns: width),
                statistics: statistics, destination: order)
            return weightedSum(y, weights)
        }
        _ = loss()
        layer.backward(
            parameters, gradients: gradients, input: x.matrix(columns: width),
            statistics: statistics, dOutput: weights.matrix(columns: width),
            dInput: dx.matrix(columns: width), destination: order)
        #expect(
            FiniteDifferences.error(of: gradients, at: parameters.values, loss: loss)
                < FiniteDifferences.tolerance)
        #expect(
            FiniteDifferences.error(of: dx, at: x, step: 3e-3, loss: loss)
                < FiniteDifferences.tolerance)
    }

    @Test func `GELU backward agrees with finite differences`() {
        var check = FiniteDifferences(seed: 3)
        let (rows, width) = (6, 13)
        var layout = ParameterLayout()
        let bias = layout.add("b", shape: [width], decays: false)
        let shift = check.random(width)
        let gradients = FloatStorage(count: layout.count)
        let x = check.random(rows * width, scale: 3)
        let work = FloatStorage(count: rows * width)
        let y = FloatStorage(count: rows * width)
        let weights = check.random(rows * width)
        func loss() -> Double {
            for index in 0..<x.count {
                work.base[index] = x.base[index] + shift.base[index % width]
            }
            GELU.forward(input: work.matrix(columns: width), output: y.matrix(columns: width))
            return weightedSum(y, weights)
        }
        _ = loss()
        let gradient = FloatStorage(count: rows * width)
        gradient.write(weights.values)
        GELU.backward(
            gradients: gradients, bias: bias, derivative: work.matrix(columns: width),
            gradient: gradient.matrix(columns: width))
        #expect(
            FiniteDifferences.error(of: gradient, at: x, loss: loss)
                < FiniteDifferences.tolerance)
        #expect(
            FiniteDifferences.error(of: gradients, at: shift, loss: loss)
                < FiniteDifferences.tolerance)
    }

    @Test(arguments: [0, 0.3] as [Float])
    func `the residual connection's backward agrees with finite differences`(
        probability: Float
    ) {
        var check = FiniteDifferences(seed: 4)
        let (rows, width) = (6, 13)
        let dropout = Dropout(probability: probability, stream: 9)
        var layout = ParameterLayout()
        let bias = layout.add("b", shape: [width], decays: false)
        let shift = check.random(width)
        let gradients = FloatStorage(count: layout.count)
        let (x, branch) = (check.random(rows * width), check.random(rows * width))
        let (y, dBranch) = (FloatStorage(count: x.count), FloatStorage(count: x.count))
        let biased = FloatStorage(count: x.count)
        let weights = check.random(rows * width)
        func loss() -> Double {
            for index in 0..<x.count {
                biased.base[index] = branch.base[index] + shift.base[index % width]
            }
            Residual.forward(
                x: x.matrix(columns: width), branch: biased.matrix(columns: width),
                output: y.matrix(columns: width), dropout: dropout, firstRow: 3)
            return weightedSum(y, weights)
        }
        Residual.backward(
            gradients: gradients, bias: bias, dOutput: weights.matrix(columns: width),
            dBranch: dBranch.matrix(columns: width), dropout: dropout, firstRow: 3)
        #expect(
            FiniteDifferences.error(of: dBranch, at: branch, loss: loss)
                < FiniteDifferences.tolerance)
        #expect(
            FiniteDifferences.error(of: gradients, at: shift, loss: loss)
                < FiniteDifferences.tolerance)
    }

    @Test(arguments: [0, 0.3] as [Float])
    func `the embedding's backward agrees with finite differences`(probability: Float) {
        var check = FiniteDifferences(seed: 5)
        let (sequences, length, width, vocabulary) = (3, 4, 9, 6)
        let dropout = Dropout(probability: probability, stream: 1)
        var layout = ParameterLayout()
        let layer = TokenEmbedding(
            table: layout.add("t", shape: [vocabulary, width], decays: false),
            position: layout.add("p", shape: [length + 2, width], decays: false))
        let parameters = ParameterValues(PanelLayout(), values: check.random(layout.count))
        let gradients = FloatStorage(count: layout.count)
        let index: [Int32] = [0, 5, 2, 2, 1, 0, 5, 5, 4, 4, 2, 0]
        let x = FloatStorage(count: sequences * length * width)
        let weights = check.random(x.count)
        func loss() -> Double {
            layer.forward(
                parameters, index: index, length: length, output: x.matrix(columns: width),
                dropout: dropout, firstRow: 8)
            return weightedSum(x, weights)
        }
        layer.backward(
            gradients: gradients, index: index, length: length,
            dOutput: weights.matrix(columns: width), dropout: dropout, firstRow: 8)
        #expect(
            FiniteDifferences.error(of: gradients, at: parameters.values, loss: loss)
                < FiniteDifferences.tolerance)
    }

    @Test(
        arguments: [(5, 3, 0), (11, 3, 0), (11, 3, 0.25), (150, 3, 0.1), (90, 16, 0.1)]
            as [(Int, Int, Float)])
    func `attention backward agrees with finite differences`(
        tokens: Int, headWidth: Int, probability: Float
    ) {
        var check = FiniteDifferences(seed: 6)
        let (heads, width) = (2, 2 * headWidth)
        let attention = CausalSelfAttention(heads: heads, width: width, length: tokens + 3) {
            $0 % 4 == 3
        }
        let dropout = Dropout(probability: probability, stream: 2)
        let qkv = check.random(tokens * 3 * width, scale: headWidth > 8 ? 1 : 2)
        let dQKV = FloatStorage(count: qkv.count)
        let y = FloatStorage(count: tokens * width)
        let weights = check.random(y.count)
        let probabilities = FloatStorage(count: attention.probabilitiesPerSequence)
        let scratch = FloatStorage(count: attention.scratchCount)
        func loss() -> Double {
            attention.forward(
                qkv: qkv.matrix(columns: 3 * width), output: y.matrix(columns: width),
                probabilities: probabilities.base, scratch: scratch, dropout: dropout, sequence: 5)
            return weightedSum(y, weights)
        }
        _ = loss()
        attention.backward(
            qkv: qkv.matrix(columns: 3 * width), output: y.matrix(columns: width),
            dOutput: weights.matrix(columns: width), dQKV: dQKV.matrix(columns: 3 * width),
            probabilities: probabilities.base, scratch: scratch, dropout: dropout)
        #expect(
            FiniteDifferences.error(of: dQKV, at: qkv, loss: loss)
                < 2 * FiniteDifferences.tolerance)
    }

    @Test func `cross entropy's gradient agrees with finite differences`() {
        var check = FiniteDifferences(seed: 7)
        let (rows, classes) = (4, 11)
        let logits = check.random(rows * classes, scale: 3)
        let targets: [Int32] = [0, 10, 3, 7]
        let weights: [Float] = [1, 0.5, 0, 2]
        var entropies = [Float](repeating: 0, count: rows)
        let work = FloatStorage(count: logits.count)
        func loss() -> Double {
            work.write(logits.values)
            CrossEntropy.forwardBackward(
                logits: work.matrix(columns: classes), targets: targets, weights: weights,
                entropy: &entropies)
            return zip(entropies, weights).reduce(0) { $0 + Double($1.0 * $1.1) }
        }
        _ = loss()
        let gradient = FloatStorage(count: logits.count)
        gradient.write(work.values)
        #expect(
            FiniteDifferences.error(of: gradient, at: logits, loss: loss)
                < FiniteDifferences.tolerance)
    }
}
