import Datasets
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
