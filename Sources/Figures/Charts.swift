public import Evaluation
public import Rendering
public import Training

extension Plot {
    /// The learning curve of a training run: the loss, and that of held-out episodes where it was
    /// measured, against the tokens seen.
    public static func learningCurve(of run: [TrainingProgress]) -> Plot {
        let heldOut = run.filter { $0.heldOutLoss != nil }
        return Plot(
            title: "Learning curve", xLabel: "training tokens (millions)",
            yLabel: "weighted cross entropy",
            series: [
                Series("training", x: run.map { Double($0.tokens) / 1e6 }, y: run.map(\.loss)),
                Series(
                    "held-out episodes", x: heldOut.map { Double($0.tokens) / 1e6 },
                    y: heldOut.compactMap(\.heldOutLoss)),
            ])
    }

    /// How the errors of predictions grow with the steps ahead; `baseline` is dashed.
    public static func predictionErrors(
        _ methods: [(name: String, byStep: [Double])], baseline: String
    ) -> Plot {
        let horizon = methods.map(\.byStep.count).max() ?? 0
        var plot = Plot(
            title: "Predicting \(horizon) steps", xLabel: "step",
            yLabel: "error in standard deviations",
            series: methods.map { name, byStep in
                Series(
                    name, x: byStep.indices.map { Double($0 + 1) }, y: byStep,
                    style: name == baseline ? .dashed : .line)
            })
        // A model that runs away would leave nothing to see of the others.
        plot.hasLogarithmicY = methods.contains { ($0.byStep.max() ?? 0) > 5 }
        return plot
    }

    /// How the likelihoods of predictions fall with the steps ahead; `bounds` are dashed.
    public static func predictionLikelihoods(
        _ methods: [(name: String, byStep: [Double])], bounds: [(name: String, byStep: [Double])]
    ) -> Plot {
        func series(_ all: [(name: String, byStep: [Double])], _ style: Plot.Series.Style) -> [Plot
            .Series]
        {
            all.map { name, byStep in
                Series(
                    name, x: byStep.indices.map { Double($0 + 1) }, y: byStep, style: style)
            }
        }
        let horizon = bounds.map(\.byStep.count).max() ?? 0
        return Plot(
            title: "Predicting \(horizon) steps", xLabel: "step",
            yLabel: "log-likelihood (nats)",
            series: series(methods, .line) + series(bounds, .dashed))
    }

    /// Returns against the milliseconds that an action may take; a report for each deadline.
    public static func deadlines(_ deadlines: [Double], _ reports: [EvaluationReport]) -> Plot {
        let episodes = reports.first?.returns.count ?? 0
        var plot = Plot(
            title: "\(reports.first?.environment ?? ""): return against time to plan",
            xLabel: "milliseconds per action (deadline)", yLabel: "return",
            series: [
                Series("mean of \(episodes) episodes", x: deadlines, y: reports.map(\.meanReturn)),
                Series(
                    "episodes",
                    x: zip(deadlines, reports).flatMap { limit, report in
                        report.returns.map { _ in limit }
                    }, y: reports.flatMap(\.returns), style: .points),
            ])
        plot.hasLogarithmicX = true
        return plot
    }
}

extension PlotGrid {
    /// What a head is called; layers and heads count from 1.
    public static func headName(layer: Int, head: Int) -> String {
        "layer \(layer + 1), head \(head + 1)"
    }

    /// A heat map for each layer and head of a model: across the token that is looked at, upwards
    /// the token that looks.
    ///
    /// - Parameters:
    ///   - weights: layer × head × query × key.
    ///   - windows: How many windows they are the mean of.
    ///   - transition: Tokens of a transition.
    /// - Returns: The picture.
    public static func attention(_ weights: [[[[Float]]]], windows: Int, transition: Int)
        -> PlotGrid
    {
        let rows = weights.enumerated().map { layer, heads in
            PlotGrid.Row(
                heads.enumerated().map { head, map in
                    // The square root, since weights over many tokens are small.
                    let columns = map.indices.map { key in
                        map.map { Double($0[key]).squareRoot() }
                    }
                    return PlotGrid.Panel(
                        headName(layer: layer, head: head),
                        content: .heatMap(columns: columns, range: 0...Double(map.count)))
                }, columns: max(4, heads.count), height: 310)
        }
        return PlotGrid(
            title: "Attention"
                + (windows == 1 ? " over one window" : ", mean of \(windows) windows"),
            subtitle: "across: token looked at; upwards: token that looks; "
                + "\(transition) tokens a transition; darkness is the root of the weight",
            rows: rows)
    }
}
