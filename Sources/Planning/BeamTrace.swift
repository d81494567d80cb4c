/// What happened inside a ``BeamPlanner``'s search, for tests against recorded ones.
package struct BeamTrace: Sendable {
    /// One planned transition; candidates are rows after the expansion.
    package struct Step: Sendable {
        /// Tokens of each candidate after its value token.
        package var candidateTokens: [[Int]] = []
        /// Unfiltered distribution over the reward token of each candidate.
        package var rewardProbabilities: [[Float]] = []
        /// Unfiltered distribution over the value token of each candidate.
        package var valueProbabilities: [[Float]] = []
        /// Reward read from each distribution.
        package var rewards: [Double] = []
        /// Value read from each distribution.
        package var values: [Double] = []
        /// What each candidate is ranked by.
        package var candidateScores: [Double] = []
        /// Candidates kept, best first.
        package var kept: [Int] = []
        /// Scores of the kept candidates.
        package var keptScores: [Double] = []
        /// Tokens of the kept candidates after the next observation; empty in the last step.
        package var tokensAfterObservation: [[Int]] = []
    }

    /// Rows of each sampling call.
    package var callRows: [Int] = []
    /// Length of the rows' window in each sampling call.
    package var windowLengths: [Int] = []
    /// The token of every draw, in order.
    package var draws: [Int] = []
    /// The planned transitions.
    package var steps: [Step] = []

    /// An empty trace.
    package init() {}
}
