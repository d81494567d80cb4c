import CUDA
import Tokenization

/// Where what a step gets from the host lies in one run of 32-bit words, so that one copy brings
/// it: `Step` of model.h, then inputs, targets and goals.
struct BatchWords {
    let inputs: Int
    let targets: Int
    let goals: Int
    let count: Int

    /// Words of `Step` before its dropout sites.
    private static let stepHead = 12

    init(_ shape: TrainingShape) {
        func aligned(_ words: Int) -> Int { groups(of: words, 4) * 4 }
        inputs = aligned(Self.stepHead + 4 * (1 + 3 * shape.layers))
        targets = inputs + aligned(shape.tokens)
        goals = targets + aligned(shape.tokens)
        count = goals + aligned(shape.sequences * shape.goals)
    }

    /// Writes a batch; targets that do not count become -1.
    func write(_ batch: TokenBatch, to words: PinnedBuffer<Int32>) {
        words.write(batch.inputs, at: inputs)
        words.write(batch.goals, at: goals)
        var counted = batch.targets
        for index in counted.indices where batch.mask[index] == 0 { counted[index] = -1 }
        words.write(counted, at: targets)
    }

    /// Writes `Step`.
    func write(_ step: StepValues, to words: PinnedBuffer<Int32>) {
        words.write(step.words)
    }
}
