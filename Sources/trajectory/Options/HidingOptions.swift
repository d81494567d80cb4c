import ArgumentParser
import Trajectories

/// The options that hide numbers of the observations from a model.
struct HidingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Hide each number of the observations from the model with this probability.",
            discussion: "Such as 0.5, the partially observed setting. A hidden number becomes a "
                + "token of its own. A checkpoint keeps it.", valueName: "probability"))
    var hide: Double?

    @Option(help: "Fixes which numbers are hidden (0).")
    var hideSeed: UInt64?

    func validate() throws {
        try GivenOptions.here.refuse(["--hide-seed"], unless: hide != nil, "is for --hide")
        if let problem = hiding?.problem { throw ValidationError("--hide: \(problem)") }
    }

    /// What is hidden, if anything.
    var hiding: Hiding? { hide.map { Hiding(probability: $0, seed: hideSeed ?? 0) } }
}
