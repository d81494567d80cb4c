import Bounds
package import Layers
package import RandomNumbers
import Safetensors
package import Tensors

/// A perceptron and its parameters.
package struct Network: Sendable {
    /// Which parameter is where.
    package let layout: ParameterLayout
    /// The parameters.
    package let parameters: ParameterValues
    /// One number for each output that is no part of the perceptron, if there are such.
    package let vector: ParameterSlot?
    let perceptron: MultilayerPerceptron

    /// A network with parameters of 0; `vector` names a number for each output beside it.
    package init(name: String, sizes: [Int], vector: String? = nil) {
        var layout = ParameterLayout()
        var panels = PanelLayout()
        perceptron = MultilayerPerceptron(name: name, sizes: sizes, in: &layout, &panels)
        self.vector = vector.map {
            layout.add($0, shape: [sizes[sizes.count - 1]], decays: false)
        }
        self.layout = layout
        parameters = ParameterValues(panels, values: FloatStorage(count: layout.count))
    }

    /// Draws the perceptron's parameters.
    package func initialize(using generator: inout SplitMix64) {
        perceptron.initialize(parameters.values, using: &generator)
        parameters.pack(pool: .shared)
    }

    /// Another network with the same parameters; ``vector`` is left behind.
    func copy(name: String) -> Network {
        let copy = Network(name: name, sizes: perceptron.sizes)
        copy.parameters.values.write(
            Array(parameters.values.values.prefix(copy.layout.count)))
        copy.parameters.pack(pool: .shared)
        return copy
    }

    /// Moves the parameters by `share` of the way to another network's of the same sizes.
    func move(to other: Network, share: Float, pool: WorkerPool) {
        parameters.values.move(to: other.parameters.values, share: share)
        parameters.pack(pool: pool)
    }

    // MARK: - Files

    /// Puts the parameters into `file` under their names.
    func write(to file: inout SafetensorsFile) {
        for entry in layout.entries {
            file.set(
                entry.name, parameters.values.values(in: entry.slot.range), shape: entry.shape)
        }
    }

    /// The network called `name` in `file`, which has `outputs` outputs.
    ///
    /// - Throws: `SafetensorsError` when a parameter is missing or shapes do not fit together.
    init(name: String, inputs: Int, outputs: Int, file: SafetensorsFile) throws(SafetensorsError) {
        var sizes = [inputs]
        while file.tensors["\(name).\(sizes.count - 1).weight"] != nil {
            let key = "\(name).\(sizes.count - 1).weight"
            let shape = try file.shape(of: key)
            guard shape.count == 2, shape[1] == sizes[sizes.count - 1],
                Bound.dimension.range.contains(shape[0]),
                sizes.count <= Bound.layers.range.upperBound
            else {
                throw SafetensorsError(
                    code: .wrongShape, file: file.name, tensor: key,
                    detail: "its shape is \(shape), expected \(sizes[sizes.count - 1]) columns")
            }
            sizes.append(shape[0])
        }
        guard sizes.count > 1, sizes[sizes.count - 1] == outputs else {
            throw SafetensorsError(
                code: .missingTensor, file: file.name, tensor: "\(name).0.weight",
                detail: "the network '\(name)' has not the \(outputs) outputs it should have")
        }
        self.init(name: name, sizes: sizes)
        for entry in layout.entries {
            let numbers = try file.floats(entry.name)
            guard numbers.count == entry.slot.count else {
                throw SafetensorsError(
                    code: .wrongShape, file: file.name, tensor: entry.name,
                    detail: "it has \(numbers.count) numbers, expected \(entry.slot.count)")
            }
            parameters.values.write(numbers, at: entry.slot.offset)
        }
        parameters.pack(pool: .shared)
    }
}

/// Memory in which a network computes up to so many rows, shared out among workers in chunks.
///
/// Chunks are of fixed size, so that sums over rows do not depend on the number of workers.
package final class NetworkPass {
    /// Rows that one worker takes at a time.
    static let rowsPerChunk = 64

    /// The network.
    package let network: Network
    let pool: WorkerPool
    let workspaces: [MultilayerPerceptron.Workspace]
    private let outputs: FloatStorage

    /// Room for `rows` rows.
    package init(_ network: Network, rows: Int, pool: WorkerPool) {
        self.network = network
        self.pool = pool
        let chunks = (rows + Self.rowsPerChunk - 1) / Self.rowsPerChunk
        workspaces = (0..<chunks).map { _ in
            network.perceptron.workspace(rows: Self.rowsPerChunk)
        }
        outputs = FloatStorage(
            count: rows * network.perceptron.sizes[network.perceptron.sizes.count - 1])
    }

    /// Calls `body` on the workers with each chunk's number and rows.
    func forEachChunk(of rows: Int, _ body: (_ chunk: Int, _ rows: Range<Int>) -> Void) {
        let chunks = (rows + Self.rowsPerChunk - 1) / Self.rowsPerChunk
        precondition(chunks <= workspaces.count, "no room for \(rows) rows")
        guard chunks > 1 else { return body(0, 0..<rows) }
        pool.run { worker in
            for chunk in stride(from: worker, to: chunks, by: pool.count) {
                let first = chunk * Self.rowsPerChunk
                body(chunk, first..<min(first + Self.rowsPerChunk, rows))
            }
        }
    }

    /// The output for each row of `input`, valid until the next call.
    package func output(of input: Matrix) -> Matrix {
        let columns = network.perceptron.sizes[network.perceptron.sizes.count - 1]
        let result = outputs.matrix(columns: columns).rows(0..<input.rows)
        forEachChunk(of: input.rows) { chunk, rows in
            let output = network.perceptron.forward(
                network.parameters, input: input.rows(rows), workspaces[chunk])
            for row in 0..<rows.count {
                for column in 0..<columns {
                    result[rows.lowerBound + row, column] = output[row, column]
                }
            }
        }
        return result
    }
}
