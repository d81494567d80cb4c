public import Foundation

/// What the Open Inference Protocol's clients ask of a server before they ask for plans.
public enum InferenceMetadata {
    private struct Server: Encodable {
        var name = "trajectory-transformer"
        var version = InferenceMessages.version
        var extensions: [String] = []
    }

    private struct Model: Encodable {
        struct Tensor: Encodable {
            var name: String
            var datatype = "FP64"
            var shape: [Int]
        }
        var name: String
        var versions = [InferenceMessages.version]
        var platform = "trajectory-transformer"
        var inputs: [Tensor]
        var outputs: [Tensor]
    }

    private struct Problem: Encodable { var error: String }

    /// The answer to `GET v2`.
    public static func server() throws(ServingError) -> Data {
        try InferenceMessages.encoded(Server())
    }

    /// The answer to `GET v2/models/M`; lengths that a client chooses, or a deadline, are -1.
    public static func model(_ policy: PolicyDescription) throws(ServingError) -> Data {
        let (observed, done) = (policy.observationDimension, policy.actionDimension)
        let horizon = policy.deadlineMilliseconds == nil ? policy.horizon : -1
        var inputs: [Model.Tensor] = [
            .init(name: "observation", shape: [-1, observed]),
            .init(name: "history_observations", shape: [-1, -1, observed]),
            .init(name: "history_actions", shape: [-1, -1, done]),
            .init(name: "history_rewards", shape: [-1, -1]),
            .init(name: "seed", datatype: "UINT64", shape: [1]),
        ]
        if !policy.goalColumns.isEmpty {
            inputs.append(.init(name: "goal", shape: [-1, policy.goalColumns.count]))
        }
        return try InferenceMessages.encoded(
            Model(
                name: policy.name, inputs: inputs,
                outputs: [
                    .init(name: "actions", shape: [-1, horizon, done]),
                    .init(name: "observations", shape: [-1, horizon, observed]),
                    .init(name: "rewards", shape: [-1, horizon]),
                    .init(name: "values", shape: [-1, horizon]),
                    .init(name: "score", shape: [-1]),
                ]))
    }

    /// The body of a refusal.
    public static func problem(_ error: ServingError) -> Data {
        (try? InferenceMessages.encoded(Problem(error: error.detail))) ?? Data()
    }
}
