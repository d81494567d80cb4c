import ArgumentParser
import Tokenization

/// What becomes of the last reward of an episode that ends in a terminal state.
struct PenaltyOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Takes the place of the last reward of an episode that ends in a terminal state.",
            discussion: "auto, the default, is \(TerminationPenalty(TerminationPenalty.failure)) "
                + "where terminal states are failures, and none where the rewards and lengths of "
                + "the data show goals or a time limit; a line says which.",
            valueName: "number|auto"))
    var terminationPenalty: PenaltyArgument?

    @Flag(help: "Keep the last reward of episodes with a terminal state.")
    var noTerminationPenalty = false

    func validate() throws {
        guard terminationPenalty == nil || !noTerminationPenalty else {
            throw ValidationError(
                "--termination-penalty and --no-termination-penalty exclude each other")
        }
    }

    /// What the options say; nil where none is given.
    var penalty: TerminationPenalty? {
        noTerminationPenalty ? .nothing : terminationPenalty?.value
    }
}

/// A finite number, or `auto`.
struct PenaltyArgument: ExpressibleByArgument {
    let value: TerminationPenalty

    init?(argument: String) {
        if argument == "auto" {
            value = .automatic
        } else if let number = Double(argument), number.isFinite {
            value = .number(number)
        } else {
            return nil
        }
    }
}
