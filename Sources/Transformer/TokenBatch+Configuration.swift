package import Tokenization

extension TokenBatch {
    /// Why a model of this configuration cannot be trained on the batch, or nil.
    ///
    /// Every engine asks this of a batch before it touches memory with its tokens.
    package func problem(
        for configuration: TransformerConfiguration, windowLength: Int
    ) -> String? {
        guard length == windowLength, goalDimension == configuration.goalDimension else {
            return "a batch has windows of \(length) tokens and goals of \(goalDimension), where "
                + "\(windowLength) and \(configuration.goalDimension) are expected"
        }
        guard 1...configuration.contextLength ~= length else {
            return "windows of \(length) tokens do not fit a model that sees "
                + "\(configuration.contextLength)"
        }
        let count = rows * length
        guard inputs.count == count, targets.count == count, mask.count == count,
            goals.count == rows * goalDimension
        else {
            return "a batch of \(rows) windows of \(length) tokens has \(inputs.count) inputs, "
                + "\(targets.count) targets, a mask of \(mask.count) and \(goals.count) goal tokens"
        }
        let vocabulary = UInt32(configuration.vocabularySize)
        for token in inputs where UInt32(bitPattern: token) >= vocabulary {
            return "a batch has the token \(token), of a vocabulary of \(vocabulary)"
        }
        for token in targets where UInt32(bitPattern: token) >= vocabulary {
            return "a batch has the target \(token), of a vocabulary of \(vocabulary)"
        }
        for token in goals where UInt32(bitPattern: token) >= vocabulary - 1 {
            return "a batch has the goal token \(token), of \(vocabulary - 1) bins"
        }
        return nil
    }
}
