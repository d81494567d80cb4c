import Foundation
import Jobs

// A planner's episodes as a dataset in D4RL's format: MakeData CHECKPOINT DATASET [EPISODES]
let arguments = CommandLine.arguments
guard arguments.count >= 3, let episodes = Int(arguments.dropFirst(3).first ?? "5") else {
    print("usage: MakeData CHECKPOINT DATASET [EPISODES]")
    exit(64)
}
var model = PlanningModel(checkpoint: URL(fileURLWithPath: arguments[1]))
model.options.horizon = 5
model.options.beamWidth = 16

var job = EvaluationJob(.model(model))
job.episodes = episodes
job.parallel = episodes
job.log = URL(fileURLWithPath: arguments[2])
let report = try job.run()
print("\(arguments[2]): \(report.lengths.reduce(0, +)) transitions, mean return", report.meanReturn)
