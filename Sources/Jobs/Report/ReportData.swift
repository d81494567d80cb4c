import Evaluation
import Live
import Statistics

/// What the page of a report is made of; `report.js` reads it.
struct ReportData: Encodable {
    /// Settings that belong together, such as the model's.
    struct Group: Encodable {
        var name: String
        /// Name and value of each.
        var entries: [[String]]
    }

    /// A line of the learning curve.
    struct Point: Encodable {
        var step, tokens: Int
        var seconds, loss: Double
        var heldOutLoss: Double?
    }

    /// Episodes that were evaluated; intervals hold 95 % of the bootstrap's means.
    struct Evaluation: Encodable {
        var file, environment: String
        var returns: [Double]
        var mean: Double
        var interval: [Double]?
        var score: Double?
        var scoreInterval: [Double]?
    }

    /// How values spread over the bins.
    struct Usage: Encodable {
        struct Dimension: Encodable {
            var name: String
            var counts: [Int]
            var usedBins: Int
            var effectiveBins: Double
        }
        /// Whose values, for a person.
        var source: String
        var dimensions: [Dimension]
    }

    /// An episode as the live page is told it.
    struct Episode: Encodable {
        var scene: LiveScene
        var start: LiveStart
        var steps: [LiveStep]
    }

    /// Where the model looks.
    struct Attention: Encodable {
        struct Head: Encodable {
            var name: String
            /// Tokens × tokens, a row for each that looks.
            var weights: PackedNumbers
            var recent, pastActions, sameDimension: Double
        }
        var source: String
        var tokens, transition: Int
        var heads: [Head]
    }

    var checkpoint: String
    var version: String?
    var summary: [[String]] = []
    var settings: [Group] = []
    var curve: [Point] = []
    var evaluations: [Evaluation] = []
    var usage: Usage?
    var episode: Episode?
    var attention: Attention?
    /// What is missing, and why.
    var notes: [String] = []
}

extension ReportData.Evaluation {
    init(_ run: Comparison.Run, file: String) {
        func summed(_ numbers: [Double]) -> (mean: Double, interval: [Double]?) {
            let scores = TaskScores([numbers])
            guard numbers.count > 1 else { return (scores.mean, nil) }
            let interval = Bootstrap().intervals(of: scores) { [$0.mean] }[0]
            return (scores.mean, [interval.lowerBound, interval.upperBound])
        }
        self.file = file
        environment = run.environment
        returns = run.returns
        (mean, interval) = summed(run.returns)
        if let scores = run.normalizedScores {
            let found = summed(scores)
            (score, scoreInterval) = (found.mean, found.interval)
        }
    }
}
