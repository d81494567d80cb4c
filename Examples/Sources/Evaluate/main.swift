import Foundation
import Jobs

// A checkpoint plans by a critic in the environment that it names: Evaluate CHECKPOINT CRITIC
// [EPISODES]
let arguments = CommandLine.arguments
guard arguments.count >= 3, let episodes = Int(arguments.dropFirst(3).first ?? "5") else {
    print("usage: Evaluate CHECKPOINT CRITIC [EPISODES]")
    exit(64)
}
var model = PlanningModel(checkpoint: URL(fileURLWithPath: arguments[1]))
model.critic = URL(fileURLWithPath: arguments[2])
model.options.objective = .q
model.options.horizon = 5
model.options.beamWidth = 16

var job = EvaluationJob(.model(model))
job.episodes = episodes
job.parallel = episodes
let report = try job.run { event in
    if case .note(let text) = event { print(text) }
}
print(report.environment, "mean return", report.meanReturn, "of", report.returns)
print("normalized score", report.normalizedScore ?? .nan)
