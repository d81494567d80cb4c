import Foundation
import Planning
import Transformer
import TransformerCPU

// The example of the README: one action for one observation, from a checkpoint on disk.
let folder = CommandLine.arguments.dropFirst().first ?? "Checkpoints/hopper"
let trained = try Checkpoint(directory: URL(fileURLWithPath: folder))

var options = PlannerOptions()
options.horizon = 5
options.beamWidth = 16
let planner = try Planner(checkpoint: trained, options: options, engine: .cpu)

// Hopper standing still: height 1.25 m, all angles and velocities zero.
let observation = [1.25] + Array(repeating: 0.0, count: 10)
let plan = try planner.plan(context: planner.context(), observation: observation)
print("action", plan.actions[0].map { String(format: "%.3f", $0) }.joined(separator: " "))
print("predicted rewards", plan.rewards.map { String(format: "%.2f", $0) }.joined(separator: " "))
print("predicted return ", String(format: "%.1f", plan.score))
print("candidates       ", plan.candidates.count)
