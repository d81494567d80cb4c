public import Foundation
public import Planning

/// The JSON of the Open Inference Protocol, version 2.
///
/// A policy is a model whose inputs are observations and histories, and whose outputs are plans.
/// Nothing is remembered between requests.
/// Every tensor begins with the lanes: `observation` [lanes, numbers] in, `actions`
/// [lanes, horizon, numbers] out.
public enum InferenceMessages {
    /// A named array of numbers.
    struct Tensor: Codable {
        var name: String
        var shape: [Int]
        var datatype: String
        var data: [Double]

        private enum CodingKeys: String, CodingKey { case name, shape, datatype, data }

        init(name: String, shape: [Int], datatype: String = "FP64", data: [Double]) {
            self.name = name
            self.shape = shape
            self.datatype = datatype
            self.data = data
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            name = try values.decode(String.self, forKey: .name)
            shape = try values.decode([Int].self, forKey: .shape)
            datatype = try values.decode(String.self, forKey: .datatype)
            data = []
            try Self.flatten(try values.nestedUnkeyedContainer(forKey: .data), into: &data)
        }

        /// Data come flat, or as lists inside each other.
        private static func flatten(
            _ container: any UnkeyedDecodingContainer, into numbers: inout [Double]
        ) throws {
            var container = container
            while !container.isAtEnd {
                if let number = try? container.decode(Double.self) {
                    numbers.append(number)
                } else {
                    try flatten(try container.nestedUnkeyedContainer(), into: &numbers)
                }
            }
        }
    }

    private struct Request: Decodable {
        struct Output: Decodable { var name: String }
        var id: String?
        var inputs: [Tensor]
        var outputs: [Output]?
    }

    private struct Answer: Encodable {
        var modelName: String
        var modelVersion = version
        var id: String?
        var outputs: [Tensor]

        enum CodingKeys: String, CodingKey {
            case modelName = "model_name"
            case modelVersion = "model_version"
            case id, outputs
        }
    }

    /// A request and what its answer repeats.
    public struct Inference: Sendable {
        /// What is asked.
        public let request: PlanRequest
        let id: String?
        let outputs: [String]
    }

    static let version = "1"
    private static let outputNames = ["actions", "observations", "rewards", "values", "score"]
    private static let inputNames = [
        "observation", "goal", "seed", "history_observations", "history_actions",
        "history_rewards",
    ]
    private static let datatypes = [
        "FP64", "FP32", "FP16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16",
        "UINT8",
    ]

    /// A request.
    ///
    /// - Throws: ``ServingError`` when the bytes are no JSON, or the JSON is no request.
    public static func request(_ body: Data) throws(ServingError) -> Inference {
        let request: Request
        do {
            request = try JSONDecoder().decode(Request.self, from: body)
        } catch {
            throw ServingError(.malformed, "not an inference request: \(problem(error))")
        }
        var arrays: [String: RequestArray] = [:]
        for tensor in request.inputs {
            guard inputNames.contains(tensor.name) else {
                throw ServingError(
                    .malformed,
                    "there is no input '\(tensor.name.prefix(40))'; inputs are "
                        + inputNames.joined(separator: ", "))
            }
            guard arrays[tensor.name] == nil else {
                throw ServingError(.malformed, "the input '\(tensor.name)' twice")
            }
            guard datatypes.contains(tensor.datatype) else {
                throw ServingError(
                    .malformed,
                    "the input '\(tensor.name)' of type '\(tensor.datatype.prefix(16))'")
            }
            arrays[tensor.name] = try array(tensor)
        }
        guard let observation = arrays["observation"] else {
            throw ServingError(.malformed, "there is no input 'observation'")
        }
        var plan = PlanRequest(observations: try observation.rows(isBatch: true), isBatch: true)
        plan.goals = try arrays["goal"]?.rows(isBatch: true)
        if let seed = arrays["seed"] {
            guard seed.numbers.count == 1, let number = UInt64(exactly: seed.numbers[0]) else {
                throw ServingError(.malformed, "'seed' is not one whole number from 0 up")
            }
            plan.seed = number
        }
        let names = ["history_observations", "history_actions", "history_rewards"]
        let history = names.compactMap { arrays[$0] }
        guard history.isEmpty || history.count == 3 else {
            throw ServingError(
                .malformed, "a history is \(names.joined(separator: ", ")), all of them")
        }
        if history.count == 3 {
            plan.history = try PlanRequest.transitions(
                observations: history[0], actions: history[1], rewards: history[2], isBatch: true)
        }
        let outputs = request.outputs?.map(\.name) ?? outputNames
        if let unknown = outputs.first(where: { !outputNames.contains($0) }) {
            throw ServingError(
                .malformed,
                "there is no output '\(unknown.prefix(40))'; outputs are "
                    + outputNames.joined(separator: ", "))
        }
        return Inference(request: plan, id: request.id, outputs: outputs)
    }

    private static func array(_ tensor: Tensor) throws(ServingError) -> RequestArray {
        var count = 1
        for length in tensor.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { count = -1; break }
            count = product
        }
        guard count == tensor.data.count else {
            throw ServingError(
                .malformed,
                "the input '\(tensor.name)' has \(tensor.data.count) numbers for the shape "
                    + "\(tensor.shape.prefix(8))")
        }
        return RequestArray(name: tensor.name, shape: tensor.shape, numbers: tensor.data)
    }

    /// What is wrong with JSON, in one line.
    private static func problem(_ error: any Error) -> String {
        func at(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            return path.isEmpty ? "" : " at \(path.prefix(8).joined(separator: "."))"
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "no '\(key.stringValue)'\(at(context))"
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            return "another kind of value than is expected\(at(context))"
        default: return "the JSON is damaged"
        }
    }

    /// An answer.
    ///
    /// - Parameters:
    ///   - plans: A plan for each lane.
    ///   - inference: What was asked.
    ///   - model: The name under which the policy is served.
    /// - Returns: JSON with the outputs that were asked for.
    /// - Throws: ``ServingError`` when a number is not finite.
    public static func answer(
        _ plans: [Plan], to inference: Inference, model: String
    ) throws(ServingError) -> Data {
        let horizon = plans.map(\.actions.count).min() ?? 0
        func matrix(_ name: String, _ rows: (Plan) -> [[Double]]) -> Tensor {
            let width = plans.first.flatMap { rows($0).first?.count } ?? 0
            return Tensor(
                name: name, shape: [plans.count, horizon, width],
                data: plans.flatMap { rows($0).prefix(horizon).flatMap(\.self) })
        }
        func column(_ name: String, _ numbers: (Plan) -> [Double]) -> Tensor {
            Tensor(
                name: name, shape: [plans.count, horizon],
                data: plans.flatMap { numbers($0).prefix(horizon) })
        }
        let outputs = inference.outputs.map { name in
            switch name {
            case "actions": matrix(name, \.actions)
            case "observations": matrix(name, \.observations)
            case "rewards": column(name, \.rewards)
            case "values": column(name, \.values)
            default: Tensor(name: name, shape: [plans.count], data: plans.map(\.score))
            }
        }
        return try encoded(Answer(modelName: model, id: inference.id, outputs: outputs))
    }

    /// JSON on one line.
    ///
    /// - Throws: ``ServingError`` when a number is not finite.
    static func encoded(_ value: some Encodable) throws(ServingError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            throw ServingError(.failed, "the answer has a number that JSON cannot hold")
        }
    }
}
