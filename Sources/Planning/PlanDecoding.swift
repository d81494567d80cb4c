import Tokenization
import Trajectories
import Transformer

extension Discretizer {
    /// Checks that tokens of this discretizer are what `model` predicts.
    func requireMatch(with model: any PrefixTreeModel) throws(PlanningError) {
        guard dimension == model.layout.transitionDimension,
            vocabularySize == model.vocabularySize
        else {
            throw PlanningError(
                code: .mismatch,
                detail: "the discretizer has \(dimension) dimensions and \(vocabularySize) tokens, "
                    + "the model \(model.layout.transitionDimension) and \(model.vocabularySize); "
                    + "use the discretizer that the model was trained with")
        }
    }

    /// The observations of planned transitions, decoded.
    func observations(_ tokens: [[Int]], _ layout: TransitionLayout) -> [[Double]] {
        tokens.map { decode($0[layout.observationRange]) }
    }

    /// The actions of planned transitions, decoded.
    func actions(_ tokens: [[Int]], _ layout: TransitionLayout) -> [[Double]] {
        tokens.map { decode($0[layout.actionRange], from: layout.observationDimension) }
    }
}

extension PrefixTreeModel {
    /// Checks that `columns` are columns of the observation that make a goal of this model, behind
    /// these conditions, and that no critic is asked where there are conditions.
    func requirePrefix(
        _ columns: [Int], _ conditions: Conditions? = nil, critic: (any TransitionCritic)? = nil
    ) throws(PlanningError) {
        let held = conditions?.columns ?? []
        let observed = layout.observationDimension + held.count
        guard columns.count + (conditions?.count ?? 0) == goalDimension,
            (columns + held).allSatisfy((0..<observed).contains),
            !columns.contains(where: held.contains),
            [conditions?.discretizer?.binCount, conditions?.returns?.binCount].allSatisfy({
                $0 ?? vocabularySize - 1 == vocabularySize - 1
            })
        else {
            throw PlanningError(
                code: .mismatch,
                detail:
                    "goal columns \(columns)"
                    + (held.isEmpty ? "" : " and condition columns \(held)")
                    + " do not make a goal of \(goalDimension) tokens out of "
                    + "\(observed) observation columns; give the goalColumns and conditions "
                    + "that the model was trained with")
        }
        guard held.isEmpty || critic == nil else {
            throw PlanningError(
                code: .mismatch,
                detail:
                    "a critic judges whole observations, and this model's lack what holds for an "
                    + "episode; search for another objective than q")
        }
    }

    /// Checks that `context` is whole transitions and one observation, of tokens that there are.
    func requireContext(_ context: [Int]) throws(PlanningError) {
        guard context.count % layout.transitionDimension == layout.observationDimension else {
            throw .input(
                "a context of \(context.count) tokens is not whole transitions of "
                    + "\(layout.transitionDimension) and an observation of "
                    + "\(layout.observationDimension)")
        }
        try requireTokens(context)
    }

    /// Checks that these are tokens of the vocabulary.
    func requireTokens(_ tokens: [Int]) throws(PlanningError) {
        guard let token = tokens.first(where: { !(0..<vocabularySize ~= $0) }) else { return }
        throw .input("there is no token \(token) in a vocabulary of \(vocabularySize)")
    }

    /// Checks that there is a goal if the model takes one, and none else.
    func requireGoal(_ goal: [Int]) throws(PlanningError) {
        guard goal.count != goalDimension else {
            guard let bin = goal.first(where: { !(0..<(vocabularySize - 1) ~= $0) }) else { return }
            throw .input("there is no bin \(bin) among \(vocabularySize - 1), of a goal")
        }
        throw PlanningError(
            code: .mismatch,
            detail: goalDimension == 0
                ? "the model was trained without goals; give it none"
                : goal.isEmpty
                    ? "the model was trained to reach a goal; set one before planning"
                    : "a goal has \(goal.count) tokens, the model takes \(goalDimension)")
    }
}

extension Collection<Int32> {
    /// Cuts a sequence that starts with an observation into transitions.
    func transitions(of layout: TransitionLayout) -> [[Int]] {
        var result: [[Int]] = []
        for (position, token) in enumerated() {
            if position % layout.transitionDimension == 0 { result.append([]) }
            result[result.count - 1].append(Int(token))
        }
        return result
    }
}
