package import Layers
import Synchronization
package import Tensors

/// A part of a batch on its way through a network: what a loss sees, and where its gradient goes.
package struct LossPart {
    /// The rows of the batch.
    package let rows: Range<Int>
    /// The network's output for them.
    package let output: Matrix
    /// Takes the gradient of the loss with respect to the output.
    package let dOutput: Matrix
    /// Takes the gradient of parameters that are no part of the perceptron.
    package let gradients: FloatStorage
}

/// Trains one network by AdamW, one batch at a time.
package final class NetworkTrainer {
    /// Computes outputs.
    package let pass: NetworkPass
    /// The gradient of the last ``computeGradient(input:loss:)``, in the layout of the parameters.
    package var gradient: FloatStorage { gradients[0] }

    private var optimizer: AdamW
    /// One for each chunk; the first also takes their sum.
    private let gradients: [FloatStorage]
    private let dOutputs: [FloatStorage]

    /// Trains `network` with batches of up to `rows` rows.
    package init(_ network: Network, rows: Int, settings: AdamW.Settings, pool: WorkerPool) {
        let pass = NetworkPass(network, rows: rows, pool: pool)
        self.pass = pass
        optimizer = AdamW(network.layout, settings: settings)
        gradients = pass.workspaces.map { _ in FloatStorage(count: network.layout.count) }
        let outputs = network.perceptron.sizes[network.perceptron.sizes.count - 1]
        dOutputs = pass.workspaces.map { _ in
            FloatStorage(count: NetworkPass.rowsPerChunk * outputs)
        }
    }

    /// The loss of a batch, and its gradient in ``gradient``.
    ///
    /// `loss` returns its rows' part of the loss and writes the gradient; it is called on several
    /// threads at once.
    package func computeGradient(input: Matrix, loss: (LossPart) -> Double) -> Double {
        let network = pass.network
        let columns = network.perceptron.sizes[network.perceptron.sizes.count - 1]
        for gradients in gradients { gradients.clear() }
        let losses = Mutex(pass.workspaces.map { _ in 0.0 })
        pass.forEachChunk(of: input.rows) { chunk, rows in
            let output = network.perceptron.forward(
                network.parameters, input: input.rows(rows), pass.workspaces[chunk])
            let part = LossPart(
                rows: rows, output: output,
                dOutput: dOutputs[chunk].matrix(columns: columns).rows(0..<rows.count),
                gradients: gradients[chunk])
            let lost = loss(part)
            losses.withLock { $0[chunk] = lost }
            network.perceptron.backward(
                network.parameters, gradients: gradients[chunk], input: input.rows(rows),
                dOutput: part.dOutput, pass.workspaces[chunk])
        }
        Gradients.reduce(gradients, pool: pass.pool)
        return losses.withLock { $0.reduce(0, +) }
    }

    /// One step down the gradient; returns the loss before it.
    package func step(input: Matrix, rate: Double, loss: (LossPart) -> Double) -> Double {
        let loss = computeGradient(input: input, loss: loss)
        optimizer.update(
            pass.network.parameters.values, gradients: gradient, gradientScale: 1,
            rate: Float(rate), pool: pass.pool)
        pass.network.parameters.pack(pool: pass.pool)
        return loss
    }
}

extension Network {
    /// Refuses networks that the last step has ruined: no loss has been computed with them yet.
    static func requireFinite(
        _ networks: [Network], after step: Int, seed: UInt64
    ) throws(LearningError) {
        try LearningError.requireFinite(
            networks.map(\.parameters.values.values), after: step, seed: seed)
    }
}

extension LearningError {
    /// Refuses the parameters of networks, as ``Network/requireFinite(_:after:seed:)`` does.
    static func requireFinite(
        _ parameters: [[Float]], after step: Int, seed: UInt64
    ) throws(LearningError) {
        for values in parameters where !values.allSatisfy(\.isFinite) {
            throw LearningError(
                diverged: "weights became no finite numbers", at: step, seed: seed)
        }
    }
}
