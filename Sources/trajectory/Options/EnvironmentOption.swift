import ArgumentParser

/// Which environment, where files may say it too.
struct EnvironmentOption: ParsableArguments {
    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "Environment, such as hopper or hopper-v5.",
            discussion: "That of the dataset, checkpoint or policy file when not given.",
            valueName: "env"))
    var name: String?
}
