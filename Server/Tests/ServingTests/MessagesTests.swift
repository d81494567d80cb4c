import Foundation
import MessagePack
import Planning
import Serving
import ServingTestSupport
import Testing

/// Requests and answers as openpi's clients and those of the Open Inference Protocol have them.
@Suite struct MessagesTests {
    private let planner: Planner

    init() throws {
        planner = try SmallPolicy.planner()
    }

    private func read(_ entries: MessagePackValue.Entry...) throws -> PlanRequest {
        try OpenPIMessages.request(MessagePackWriter.write(.map(entries)))
    }

    private func tensor(_ shape: [Int]) -> MessagePackValue {
        .tensor(
            NumericArray(shape: shape, numbers: (0..<shape.reduce(1, *)).map(Double.init)))
    }

    private func entries(_ value: MessagePackValue) -> [String: MessagePackValue] {
        guard case .map(let entries) = value else { return [:] }
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
    }

    @Test func `one observation and everything beside it`() throws {
        let request = try read(
            .init("observation", .tensor(NumericArray([1, 2]))), .init("reward", .number(0.5)),
            .init("reset", .boolean(true)), .init("goal", .array([.integer(3)])),
            .init("seed", .large(.max)),
            .init(
                "history",
                .map([
                    .init("observations", tensor([2, 2])), .init("actions", tensor([2, 1])),
                    .init("rewards", tensor([2])),
                ])))
        var expected = PlanRequest(observations: [[1, 2]])
        expected.rewards = [0.5]
        expected.resets = [true]
        expected.goals = [[3]]
        expected.seed = .max
        expected.history = [
            [
                .init(observation: [0, 1], action: [0], reward: 0),
                .init(observation: [2, 3], action: [1], reward: 1),
            ]
        ]
        #expect(request == expected)
        // None leaves out, and a list is as good as an array.
        #expect(
            try read(
                .init("observation", .array([.number(1), .integer(2)])), .init("reward", .null))
                == PlanRequest(observations: [[1, 2]]))
    }

    @Test func `rows without numbers take no memory`() throws {
        for shape in [[4_294_967_296, 0], [0, 4_294_967_296], [1025, 0]] {
            let array = MessagePackValue.tensor(NumericArray(shape: shape, numbers: []))
            let history = MessagePackValue.map([
                .init("observations", array), .init("actions", array), .init("rewards", array),
            ])
            #expect(throws: ServingError.self) {
                let request = try read(.init("observation", array))
                _ = try Session(context: planner.context(), lanes: 64).step(for: request)
            }
            #expect(throws: ServingError.self) {
                try read(
                    .init("observation", .tensor(NumericArray([1, 2]))), .init("history", history))
            }
            let body = """
                {"inputs":[{"name":"observation","shape":\(shape),"datatype":"FP64","data":[]}]}
                """
            #expect(throws: ServingError.self) {
                let request = try InferenceMessages.request(Data(body.utf8)).request
                _ = try Session(context: planner.context(), lanes: 64).step(for: request)
            }
        }
        let none = try read(
            .init("observation", .tensor(NumericArray([1, 2]))),
            .init(
                "history",
                .map([
                    .init("observations", tensor([0, 2])), .init("actions", tensor([0, 1])),
                    .init("rewards", tensor([0])),
                ])))
        #expect(none.history == [[]])
    }

    @Test func `a batch of observations`() throws {
        let request = try read(
            .init("observation", tensor([2, 2])), .init("reward", tensor([2])),
            .init("goal", tensor([2, 1])),
            .init(
                "history",
                .map([
                    .init("observations", tensor([2, 3, 2])), .init("actions", tensor([2, 3, 1])),
                    .init("rewards", tensor([2, 3])),
                ])))
        #expect(request.isBatch && request.observations == [[0, 1], [2, 3]])
        #expect(request.rewards == [0, 1] && request.goals == [[0], [1]])
        #expect(
            request.history?[1].map(\.observation) == [[6, 7], [8, 9], [10, 11]]
                && request.history?[1].map(\.reward) == [3, 4, 5])
    }

    @Test func `what is no request is refused`() throws {
        let observation = MessagePackValue.Entry("observation", tensor([2]))
        #expect(throws: ServingError.self) { try OpenPIMessages.request([0xc0]) }
        #expect(throws: ServingError.self) { try OpenPIMessages.request([]) }
        #expect(throws: ServingError.self) { try read() }
        #expect(throws: ServingError.self) { try read(.init("observation", .string("x"))) }
        #expect(throws: ServingError.self) { try read(.init("observation", tensor([1, 1, 2]))) }
        #expect(throws: ServingError.self) { try read(.init("observation", .number(1))) }
        #expect(throws: ServingError.self) {
            try read(.init("observation", .array([.array([.number(1)]), .array([])])))
        }
        for entry in [
            MessagePackValue.Entry("prompt", .string("x")), .init("reward", tensor([2])),
            .init("reset", .string("yes")), .init("goal", tensor([1, 1])),
            .init("seed", .integer(-1)), .init("seed", .number(1)),
            .init("history", .map([.init("observations", tensor([1, 2]))])),
            .init(
                "history",
                .map([
                    .init("observations", tensor([2, 2])), .init("actions", tensor([1, 1])),
                    .init("rewards", tensor([2])),
                ])),
        ] {
            #expect(throws: ServingError.self, "\(entry)") { try read(observation, entry) }
        }
    }

    @Test func `every array of an answer begins with the horizon`() throws {
        for isBatch in [false, true] {
            let request = PlanRequest(
                observations: isBatch ? [[1, 1], [2, 2]] : [[1, 1]], isBatch: isBatch)
            let step = try Session(context: planner.context(), lanes: 2).step(for: request)
            let plans = try planner.plan(step.situations)
            let answer = entries(
                try MessagePackReader.read(
                    OpenPIMessages.answer(plans, to: step, timing: [("infer_ms", 1.5)])))
            let lanes = isBatch ? [2] : []
            for (name, width) in [
                ("actions", [1]), ("observations", [2]), ("rewards", []), ("values", []),
            ] {
                guard case .tensor(let array) = answer[name] else {
                    Issue.record("\(name) is \(String(describing: answer[name]))")
                    continue
                }
                #expect(array.shape == [3] + lanes + width, "\(name)")
            }
            guard case .tensor(let actions) = answer["actions"] else { return }
            #expect(
                actions.numbers
                    == (0..<3).flatMap { time in plans.flatMap { $0.actions[time] } })
            #expect(entries(answer["server_timing"] ?? .null) == ["infer_ms": .number(1.5)])
        }
    }

    @Test func `metadata tell what to send and what comes back`() throws {
        let policy = Policy(planner, name: "small", replanInterval: 2)
        let metadata = entries(
            try MessagePackReader.read(OpenPIMessages.metadata(policy.description, lanes: 4)))
        #expect(metadata["policy"] == .string("small"))
        #expect(metadata["observation_dimension"] == .integer(2))
        #expect(metadata["action_horizon"] == .integer(3))
        #expect(metadata["replan_interval"] == .integer(2))
    }

    // MARK: - The Open Inference Protocol

    private func inference(_ json: String) throws -> InferenceMessages.Inference {
        try InferenceMessages.request(Data(json.utf8))
    }

    private func input(_ name: String, _ shape: [Int], _ data: String) -> String {
        #"{"name":"\#(name)","shape":\#(shape),"datatype":"FP64","data":\#(data)}"#
    }

    @Test func `an inference by JSON, with data flat or nested`() throws {
        let history = [
            input("history_observations", [1, 2, 2], "[0,1,2,3]"),
            input("history_actions", [1, 2, 1], "[[[0],[1]]]"),
            input("history_rewards", [1, 2], "[[0,1]]"),
        ].joined(separator: ",")
        let flat = try inference(
            #"{"id":"7","inputs":[\#(input("observation", [1, 2], "[1,2]")),\#(history)]}"#)
        let nested = try inference(
            #"{"inputs":[\#(input("observation", [1, 2], "[[1,2]]")),\#(history)]}"#)
        #expect(flat.request == nested.request)
        #expect(flat.request.isBatch && flat.request.observations == [[1, 2]])
        #expect(flat.request.history?[0].map(\.observation) == [[0, 1], [2, 3]])
        let step = try Session(context: planner.context(), lanes: 2).step(for: flat.request)
        let plans = try planner.plan(step.situations)
        let answer = try JSONSerialization.jsonObject(
            with: InferenceMessages.answer(plans, to: flat, model: "small"))
        let object = try #require(answer as? [String: Any])
        #expect(object["id"] as? String == "7" && object["model_name"] as? String == "small")
        let outputs = try #require(object["outputs"] as? [[String: Any]])
        #expect(outputs.map { $0["name"] as? String }.first == "actions")
        #expect(outputs[0]["shape"] as? [Int] == [1, 3, 1])
        #expect(outputs[0]["data"] as? [Double] == plans[0].actions.flatMap(\.self))
    }

    @Test func `only the outputs that are asked for come back`() throws {
        let asked = try inference(
            #"{"inputs":[\#(input("observation", [1, 2], "[1,2]"))],"outputs":[{"name":"score"}]}"#)
        let step = try Session(context: planner.context(), lanes: 2).step(for: asked.request)
        let data = try InferenceMessages.answer(
            try planner.plan(step.situations), to: asked, model: "small")
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains(#""name":"score""#) && !text.contains("actions"))
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"inputs":[]}"#, #"{"inputs":[{"name":"observation"}]}"#,
        #"{"inputs":[{"name":"other","shape":[1],"datatype":"FP64","data":[1]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,2],"datatype":"FP64","data":[1]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[-1,-2],"datatype":"FP64","data":[1,2]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[2],"datatype":"FP64","data":[1,2]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,2],"datatype":"BYTES","data":["a","b"]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,2],"datatype":"FP64","data":[1,1e999]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[4611686018427387904,4],"datatype":"FP64","#
            + #""data":[]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,1],"datatype":"FP64","data":[1]},"#
            + #"{"name":"observation","shape":[1,1],"datatype":"FP64","data":[1]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,1],"datatype":"FP64","data":[1]},"#
            + #"{"name":"history_rewards","shape":[1,1],"datatype":"FP64","data":[1]}]}"#,
        #"{"inputs":[{"name":"observation","shape":[1,1],"datatype":"FP64","data":[1]}],"#
            + #""outputs":[{"name":"other"}]}"#,
    ])
    func `JSON that is no inference is refused in one line`(json: String) throws {
        let error = #expect(throws: ServingError.self) { try inference(json) }
        #expect(error?.code == .malformed && error?.detail.contains("\n") == false)
    }

    @Test func `deeply nested JSON is refused`() throws {
        let deep = String(repeating: "[", count: 400_000)
        let json =
            #"{"inputs":[{"name":"observation","shape":[1,1],"datatype":"FP64","data":"# + deep
        #expect(throws: ServingError.self) { try inference(json) }
        let whole = String(repeating: "[", count: 400) + "1" + String(repeating: "]", count: 400)
        #expect(
            try inference(#"{"inputs":[\#(input("observation", [1, 1], whole))]}"#).request
                .observations == [[1]])
    }

    @Test func `metadata of the model name inputs and outputs`() throws {
        let policy = Policy(planner, name: "small")
        let object = try JSONSerialization.jsonObject(
            with: InferenceMetadata.model(policy.description))
        let model = try #require(object as? [String: Any])
        let inputs = try #require(model["inputs"] as? [[String: Any]])
        #expect(inputs.first?["shape"] as? [Int] == [-1, 2])
        #expect(!inputs.contains { $0["name"] as? String == "goal" })
    }
}
