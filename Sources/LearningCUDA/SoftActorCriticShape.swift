package import CUDA
import CUDAKernels
import Learning

/// What fixes the kernels of soft actor-critic: sizes of observations, actions, layers and batches;
/// and where parameters lie on a card, which are padded there (`sac.h`).
package struct SoftActorCriticShape: Sendable, Hashable {
    /// Numbers in an observation.
    package var observation: Int
    /// Numbers in an action.
    package var action: Int
    /// Numbers in each of the two hidden layers.
    package var hidden: Int
    /// Transitions of an update.
    package var batch: Int

    /// A shape.
    package init(observation: Int, action: Int, hidden: Int = 256, batch: Int = 256) {
        self.observation = observation
        self.action = action
        self.hidden = hidden
        self.batch = batch
    }

    /// The shape of `state`'s networks.
    ///
    /// - Throws: `LearningError` where kernels cannot compute them.
    init(_ state: SoftActorCriticState, batch: Int) throws(LearningError) {
        let sizes = state.hiddenSizes
        self.init(
            observation: state.observationDimension, action: state.actionDimension,
            hidden: sizes.first ?? 0, batch: batch)
        guard sizes.count == 2, sizes[0] == sizes[1], hidden % 4 == 0 else {
            throw LearningError(
                .invalidSetting,
                "hidden layers of \(sizes.map(String.init).joined(separator: ", "))",
                "a card computes two of one size, a multiple of 4; the CPU computes others")
        }
        guard sharedBytes <= 48 << 10, Int32(exactly: workCount) != nil,
            Int32(exactly: parameterCount) != nil
        else {
            throw LearningError(
                .invalidSetting,
                "hidden layers of \(hidden), batches of \(batch) and actions of \(action) numbers",
                "that is more than a card's kernels hold; take less, or the CPU")
        }
    }

    /// The shape as macros of the kernels, and what the host takes memory for, which they check.
    package var defines: [String: String] {
        [
            "OBSERVATION": observation, "ACTION": action, "HIDDEN": hidden, "BATCH": batch,
            "WORK_COUNT": workCount, "PARAMETER_COUNT": parameterCount,
            "STATE_WORDS": SoftActorCriticNumbers.wordCount,
        ].mapValues(String.init)
    }

    /// The kernels for this shape.
    package var program: KernelProgram {
        KernelProgram(files: Self.sources, units: ["sac.cu"], defines: defines)
    }

    /// The sources that `sac.cu` is made of: a change of others does not compile it again.
    private static let sources: [KernelProgram.File] = (0..<cuda_source_count()).map {
        let source = cuda_source_at($0)
        return KernelProgram.File(
            name: String(cString: source.name), text: String(cString: source.text))
    }.filter {
        $0.name.hasPrefix("sac") || ["device.h", "runs.h", "tf32.h"].contains($0.name)
    }

    // MARK: - Sizes, as sac.h has them

    /// Numbers between rows of observations, of actions and of outputs.
    var observation4: Int { fours(observation) }
    var action4: Int { fours(action) }
    /// Numbers of a critic's input.
    var input: Int { observation4 + action4 }
    var outputs: Int { 2 * action }

    /// Tiles of results that cover the batch, a hidden layer and other numbers.
    func tiles(_ count: Int) -> Int { groups(of: count, SoftActorCriticKernels.tile) }
    var rowTiles: Int { tiles(batch) }
    var hiddenTiles: Int { tiles(hidden) }

    /// Padded parameters of the actor and of a critic, and the part behind their first layer.
    var actorCount: Int { count(inputs: observation4, outputs: outputs) }
    var criticCount: Int { count(inputs: input, outputs: 1) }
    var innerActorCount: Int { actorCount - hidden * (observation4 + 1) }
    var innerCriticCount: Int { criticCount - hidden * (input + 1) }
    /// Parameters that are learnt: the actor's and both critics'.
    var learntCount: Int { actorCount + 2 * criticCount }
    /// All parameters: both targets behind those learnt.
    var parameterCount: Int { learntCount + 2 * criticCount }

    /// `WORK`: numbers that kernels leave for each other.
    var workCount: Int {
        let shares = hiddenTiles * batch
        return 13 * batch * hidden + fours(2 * shares * outputs) + 2 * fours(2 * shares)
            + fours(2 * shares * action) + 2 * fours(batch) + 3 * batch * action4
            + batch * fours(outputs)
    }

    /// Shared memory of the block that needs most (`PolicyMemory`), with room for alignment.
    private var sharedBytes: Int {
        let padded = (rowTiles + hiddenTiles) * SoftActorCriticKernels.tile
        return 40_960 + 4 * padded + 64 + 32 * 4 * action4 + 64
    }

    private func count(inputs: Int, outputs: Int) -> Int {
        hidden * (inputs + 1) + hidden * (hidden + 1) + hidden * outputs + fours(outputs)
    }

    // MARK: - Parameters between host and card

    /// A network's parameters as kernels take them: columns of the first weights at their padded
    /// places, and zeros between.
    func padded(_ flat: ArraySlice<Float>, isActor: Bool) -> [Float] {
        var result = [Float](repeating: 0, count: isActor ? actorCount : criticCount)
        forEachRun(isActor: isActor) { host, card, count in
            for index in 0..<count { result[card + index] = flat[flat.startIndex + host + index] }
        }
        return result
    }

    /// The inverse of ``padded(_:isActor:)``.
    func flat(_ padded: ArraySlice<Float>, isActor: Bool) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(padded.count)
        forEachRun(isActor: isActor) { _, card, count in
            let start = padded.startIndex + card
            result += padded[start..<(start + count)]
        }
        return result
    }

    /// Calls `body` with every run of parameters that lie together: its place among the host's, its
    /// place among the card's, its length.
    private func forEachRun(isActor: Bool, _ body: (Int, Int, Int) -> Void) {
        var (host, card) = (0, 0)
        func run(_ count: Int, padding: Int = 0) {
            body(host, card, count)
            host += count
            card += count + padding
        }
        for _ in 0..<hidden {
            run(observation, padding: observation4 - observation)
            if !isActor { run(action, padding: action4 - action) }
        }
        let outputs = isActor ? outputs : 1
        run(hidden + hidden * (hidden + 1) + hidden * outputs + outputs)
    }

    /// Rows of `width` numbers with zeros up to `stride`.
    static func paddedRows(_ rows: [Float], width: Int, stride: Int) -> [Float] {
        guard width != stride else { return rows }
        var result = [Float](repeating: 0, count: rows.count / width * stride)
        for row in 0..<(rows.count / width) {
            for column in 0..<width { result[row * stride + column] = rows[row * width + column] }
        }
        return result
    }
}

/// The least multiple of four that is not smaller.
private func fours(_ count: Int) -> Int { (count + 3) / 4 * 4 }

/// How many groups of `size` cover `count`.
func groups(of count: Int, _ size: Int) -> Int { (count + size - 1) / size }
