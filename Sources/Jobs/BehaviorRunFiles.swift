import Files
import Foundation
import Learning
import Policies

/// The files that soft actor-critic keeps beside the policy, named after it.
struct BehaviorRunFiles {
    /// What the run is resumed from: `hopper.snapshot.safetensors` beside `hopper.safetensors`.
    let snapshot: URL
    /// The learning curve: `hopper.csv`.
    let curve: URL
    /// The folder of the transitions, where they are kept: `hopper.memory`.
    let memory: URL

    init(output: URL) {
        let stem = output.deletingPathExtension()
        snapshot = stem.appendingPathExtension("snapshot.safetensors")
        curve = stem.appendingPathExtension("csv")
        memory = stem.appendingPathExtension("memory")
    }
}

/// The best policy so far and what else a resumed run must know, as notes of its snapshot.
struct BehaviorBest {
    private(set) var mean: Double?
    private(set) var deviation = 0.0
    private(set) var steps = 0
    /// Seconds of the run so far.
    var seconds = 0.0
    /// Returns of the last episodes of training, ten at most.
    var recentReturns: [Double] = []
    /// The steps at which the run went on without its memory.
    var refills: [Int] = []

    init() {}

    init(_ notes: [String: String]) {
        func number(_ key: String) -> Double? { notes[key].flatMap { Double($0) } }
        mean = number("best_return")
        deviation = number("best_deviation") ?? 0
        steps = number("best_steps").flatMap { Int(exactly: $0) } ?? 0
        seconds = number("seconds") ?? 0
        recentReturns = (notes["recent_returns"] ?? "").split(separator: ",")
            .compactMap { Double($0) }
        refills = (notes["memory_refilled_at"] ?? "").split(separator: ",").compactMap { Int($0) }
    }

    /// Mean return of the last episodes of training; nil before one has ended.
    var recentReturn: Double? {
        recentReturns.isEmpty
            ? nil : recentReturns.reduce(0, +) / Double(recentReturns.count)
    }

    mutating func take(_ score: PolicyScore, steps: Int) {
        (mean, deviation, self.steps) = (score.mean, score.deviation, steps)
    }

    var notes: [String: String] {
        var notes = [
            "best_deviation": "\(deviation)", "best_steps": "\(steps)", "seconds": "\(seconds)",
            "recent_returns": recentReturns.map { "\($0)" }.joined(separator: ","),
            "memory_refilled_at": refills.map(String.init).joined(separator: ","),
        ]
        notes["best_return"] = mean.map { "\($0)" }
        return notes
    }
}

/// The learning curve of soft actor-critic, a line for each measurement.
struct BehaviorCurve {
    private static let header =
        "steps,updates,seconds,return,deviation,length,training_return,critic_loss,q,actor_loss,"
        + "entropy,temperature"
    private let url: URL
    private var lines: [String]

    /// The curve in a file, cut back to what lies before a resumed run's start.
    init(url: URL, keepingUpTo steps: Int) {
        self.url = url
        let text = steps > 0 ? try? String(contentsOf: url, encoding: .utf8) : nil
        lines = (text ?? "").split(separator: "\n").dropFirst().map(String.init).filter { line in
            line.split(separator: ",").first.flatMap { Int($0) }.map { $0 <= steps } ?? false
        }
    }

    /// Adds a line and writes the file, whole or not at all.
    mutating func append(
        _ now: BehaviorTrainingJob.Measurement, trainingReturn: Double?, updates: Int
    ) throws(JobError) {
        let means = now.updates ?? SoftActorCriticUpdates()
        let numbers = [
            now.score.mean, now.score.deviation, now.score.meanLength, trainingReturn ?? .nan,
            means.criticLoss, means.q, means.actorLoss, means.entropy, means.temperature,
        ]
        lines.append(
            (["\(now.steps)", "\(updates)", String(format: "%.1f", now.seconds)]
                + numbers.map { $0.isFinite ? String(format: "%.5g", $0) : "" })
                .joined(separator: ","))
        do {
            let text = ([Self.header] + lines).map { $0 + "\n" }.joined()
            try OutputFile.write(Data(text.utf8), to: url)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
    }
}

/// Says when a report is due, and counts a run's time.
struct BehaviorStopwatch {
    private let start = ContinuousClock.now
    private let secondsBefore: Double
    private var last = ContinuousClock.now

    /// A run that took `secondsBefore` in its earlier parts.
    init(secondsBefore: Double) { self.secondsBefore = secondsBefore }

    /// Seconds of the whole run.
    var seconds: Double { secondsBefore + elapsed(since: start) }

    /// Seconds since the last report, where the next is due.
    mutating func due() -> Double? {
        let seconds = elapsed(since: last)
        guard seconds >= 2 else { return nil }
        last = .now
        return seconds
    }
}
