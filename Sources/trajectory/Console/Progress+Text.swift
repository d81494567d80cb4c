import Foundation
import Jobs
import Learning
import Training

extension Share {
    /// One line for a person.
    var line: String { "\(name): \(done) of \(total)" }
}

extension TrainingProgress {
    /// One line for a person.
    var line: String {
        var parts = [
            "step \(step)/\(steps)", "loss \(loss.text("%.4f"))",
            String(format: "%.0f tokens/s", tokensPerSecond),
            String(format: "rate %.2g", learningRate),
            "\(Console.duration(seconds: secondsLeft)) left",
        ]
        if let heldOutLoss { parts.insert("held out \(heldOutLoss.text("%.4f"))", at: 2) }
        return parts.joined(separator: "  ")
    }
}

extension LearningProgress {
    /// One line for a person.
    var line: String {
        let left = Double(steps - step) / stepsPerSecond
        return
            (["step \(step)/\(steps)"]
            + losses.map { "\($0.name) loss \($0.value.text("%.4g"))" }
            + [
                String(format: "%.0f steps/s", stepsPerSecond),
                "\(Console.duration(seconds: left)) left",
            ]).joined(separator: "  ")
    }
}

extension RenderJob.Progress {
    /// One line for a person.
    var line: String {
        switch self {
        case .planning(let steps, let totalReward):
            String(format: "planning  step %d  return %.0f", steps, totalReward)
        case .drawing(let share): String(format: "drawing  %.0f %%", 100 * share)
        }
    }
}
