import Foundation
import Jobs

// Trains a model on a D4RL-format file: Train DATASET RUN [STEPS]
let arguments = CommandLine.arguments
guard arguments.count >= 3, let steps = Int(arguments.dropFirst(3).first ?? "2000") else {
    print("usage: Train DATASET RUN [STEPS]")
    exit(64)
}
var job = TrainingJob(
    dataset: URL(fileURLWithPath: arguments[1]), output: URL(fileURLWithPath: arguments[2]))
// Small, so that minutes suffice; the defaults are the paper's.
job.settings.model.layerCount = 2
job.settings.model.embeddingWidth = 64
job.settings.tokenization.windowLength = 5
job.settings.training.batchSize = 64
job.settings.training.learningRate = 2e-3
job.settings.training.steps = steps

let end = try job.run { event in
    switch event {
    case .note(let text): print(text)
    case .progress(let state): print("step", state.step, "loss", state.loss)
    }
}
print("held-out loss", end.heldOutLoss ?? .nan, "after", end.tokens, "tokens")
