import Foundation
import MessagePack
import Planning
import Serving
import ServingTestSupport

/// What reads bytes of a client.
///
/// Whatever the bytes, ``run(_:)`` returns; a crash, a hang or gigabytes of memory are a fault.
enum MessageTarget: String, CaseIterable {
    /// MessagePack, which is also written and read again.
    case messagepack
    /// Requests of openpi's clients, as far as a search.
    case openpi
    /// Requests of the Open Inference Protocol, as far as a search.
    case inference

    /// Feeds the reader.
    func run(_ bytes: [UInt8]) {
        do {
            switch self {
            case .messagepack: try Self.messagePack(bytes)
            case .openpi: try Self.session(try OpenPIMessages.request(bytes))
            case .inference:
                try Self.session(try InferenceMessages.request(Data(bytes)).request)
            }
        } catch {
            // Refused, in words that fit a frame and a header.
            let line = "\(error)"
            precondition(!line.isEmpty && line.utf8.count < 10_000, "an error of no or many words")
        }
    }

    private static func messagePack(_ bytes: [UInt8]) throws(MessagePackError) {
        let written = MessagePackWriter.write(try MessagePackReader.read(bytes))
        var limits = MessagePackReader.Limits()
        // Numbers of NumPy's are written as arrays of theirs are: with more values.
        limits.values *= 8
        limits.depth *= 2
        let again = MessagePackWriter.write(try MessagePackReader.read(written, limits: limits))
        precondition(again == written, "what was written is read as something else")
    }

    private static let contexts: [PlanningContext] = [[], [0, 1]].compactMap {
        try? SmallPolicy.planner(goalColumns: $0).context()
    }

    private static func session(_ request: PlanRequest) throws(ServingError) {
        precondition(contexts.count == 2)
        for context in contexts {
            let step = try? Session(context: context, lanes: 64).step(for: request)
            guard let step else { continue }
            for situation in step.situations {
                _ = try? situation.context.tokens(before: situation.observation)
            }
        }
    }

    /// Messages in order, from which mutations begin.
    func seeds() -> [String: [UInt8]] {
        switch self {
        case .messagepack, .openpi:
            return Self.maps.mapValues { MessagePackWriter.write(.map($0)) }
        case .inference:
            return Self.bodies.mapValues { Array($0.utf8) }
        }
    }

    private static let maps: [String: [MessagePackValue.Entry]] = [
        "observation": [.init("observation", .tensor(NumericArray([1, 2])))],
        "list": [
            .init("observation", .array([.number(1), .integer(2)])), .init("reward", .number(0.5)),
            .init("reset", .boolean(true)), .init("seed", .large(.max)), .init("goal", .null),
        ],
        "batch": [
            .init("observation", .tensor(NumericArray(rows: [[1, 2], [3, 4]], columns: 2))),
            .init("goal", .tensor(NumericArray(rows: [[1, 2], [3, 4]], columns: 2))),
        ],
        "history": [
            .init("observation", .tensor(NumericArray([1, 2]))),
            .init(
                "history",
                .map([
                    .init("observations", .tensor(NumericArray(rows: [[1, 2]], columns: 2))),
                    .init("actions", .tensor(NumericArray(rows: [[1]], columns: 1))),
                    .init("rewards", .tensor(NumericArray([1]))),
                ])),
        ],
        "others": [.init("a", .string("b")), .init("c", .binary([1, 2])), .init("d", .map([]))],
    ]

    private static let bodies = [
        "observation": """
        {"id":"1","inputs":[{"name":"observation","shape":[1,2],"datatype":"FP64","data":[1,2]},\
        {"name":"seed","shape":[1],"datatype":"INT64","data":[3]}],\
            "outputs":[{"name":"actions"}]}
        """,
        "nested": """
        {"inputs":[{"name":"observation","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]}]}
        """,
        "history": """
        {"inputs":[{"name":"observation","shape":[1,2],"datatype":"FP64","data":[1,2]},\
        {"name":"history_observations","shape":[1,1,2],"datatype":"FP64","data":[1,2]},\
        {"name":"history_actions","shape":[1,1,1],"datatype":"FP64","data":[1]},\
        {"name":"history_rewards","shape":[1,1],"datatype":"FP64","data":[1]},\
        {"name":"goal","shape":[1,2],"datatype":"FP64","data":[1,2]}]}
        """,
    ]
}
