import Foundation
import Jobs

extension PredictionJob.Result {
    /// Errors and likelihoods of some steps, for a person.
    var text: String {
        let marks = [1, 10, 50, 100].filter { $0 <= horizon }
        func rows(
            _ methods: [(name: String, byStep: [Double], mean: Double)], _ format: String
        ) -> String {
            let header = [""] + marks.map { "step \($0)" } + ["mean"]
            return TextTable.aligned(
                [header]
                    + methods.map { method in
                        [method.name]
                            + (marks.map { method.byStep[$0 - 1] } + [method.mean])
                            .map { String(format: format, $0) }
                    })
        }
        let likelihoods =
            methods.compactMap { method in
                method.likelihood.map { (method.name, $0.byStep, $0.mean) }
            } + [
                ("data's distribution", dataDistribution.byStep, dataDistribution.mean),
                ("oracle", oracle.byStep, oracle.mean),
            ]
        return """
            errors in standard deviations, \(episodes) episodes
            \(rows(methods.map { ($0.name, $0.byStep, $0.mean) }, "%.3f"))
            log-likelihoods in nats, \(samples) samples of \(dimensions) dimensions
            \(rows(likelihoods, "%.1f"))
            """
    }
}
