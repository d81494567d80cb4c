import Datasets
import Figures
import Rendering
import Testing
import Tokenization
import Trajectories

@Suite struct ChartsTests {
    @Test func `errors that run away get a logarithmic axis, and the baseline dashes`() {
        func plot(_ last: Double) -> Plot {
            .predictionErrors(
                [("model", [1, last]), ("no change", [1, 2])], baseline: "no change")
        }
        #expect(!plot(2).hasLogarithmicY && plot(6).hasLogarithmicY)
        #expect(plot(2).series.map(\.style) == [.line, .dashed])
        #expect(plot(2).series[0].x == [1, 2])
    }

    @Test func `attention is a heat map for each head`() {
        let head: [[Float]] = [[1, 0], [0.25, 0.75]]
        let grid = PlotGrid.attention([[head, head], [head, head]], windows: 1, transition: 2)
        #expect(grid.rows.map(\.panels.count) == [2, 2])
        #expect(grid.title == "Attention over one window")
        #expect(PlotGrid.headName(layer: 0, head: 1) == "layer 1, head 2")
    }

    @Test(arguments: [(3, 3 + 1 + 1), (70, 1)])
    func `few dimensions have a chart each, many one heat map`(
        _ width: Int, _ charts: Int
    ) throws {
        let layout = TransitionLayout(observationDimension: width, actionDimension: 1)
        let rows = 20
        let trajectory = Trajectory(
            layout: layout, observations: (0..<(rows * width)).map { Float($0 % 7) },
            actions: (0..<rows).map(Float.init), rewards: (0..<rows).map(Float.init))
        let dataset = TrajectoryDataset(layout: layout, trajectories: [trajectory])
        let picture = DatasetPicture(
            dataset, summary: DatasetSummary(dataset), usage: nil, specification: nil, name: "d")
        #expect(picture.grid.rows.reduce(0) { $0 + $1.panels.count } == 2 + charts)
        #expect(picture.grid.subtitle == "20 transitions  ·  1 episodes")
    }
}
