import Datasets
import Trajectories
import Transformer

extension DatasetReadingOptions {
    /// The options for data that are given to a model: as many observation dimensions as it was trained
    /// with are kept, unless another number is asked for.
    func options(for trained: Checkpoint) -> TrajectoryDataset.ReadingOptions {
        var options = options
        options.observationDimensions =
            observationDimensions ?? trained.description.observationDimensions
        return options
    }
}

extension Checkpoint {
    /// Checks that the model is for the dimensions of a dataset; `attempt` says what for.
    ///
    /// - Throws: ``CommandError`` with both sizes when it is not.
    func requireLayout(
        of data: TrajectoryDataset, file: String, named name: String, attempt: String
    ) throws(CommandError) {
        let layout = model.configuration.layout
        guard data.layout != layout else { return }
        throw CommandError(
            description: "cannot \(attempt) '\(file)' with '\(name)': the data have "
                + "\(data.layout.observationDimension) + \(data.layout.actionDimension) "
                + "dimensions, the model \(layout.observationDimension) + "
                + "\(layout.actionDimension); give the data of its environment")
    }
}
