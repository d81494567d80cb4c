import Bounds
import FoundationEssentials
import Learning
import Planning
import Safetensors
import Tokenization
import Training
import Transformer

/// Where a function leaves the text of its answer: JSON in UTF-8, ended by 0, to be given back to
/// `trajectory_text_free`.
public typealias TextPlace = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Something that the C side holds a reference to.
public typealias Handle = UnsafeMutableRawPointer

/// What a caller is told of a failure, as JSON.
struct Failure: Error, Encodable {
    /// The kinds that the Python package has exceptions for.
    enum Kind: String, Encodable {
        case option, checkpoint, data, planning, cancelled, training, memory, file, other
    }

    var kind: Kind
    /// One line: what, where, what to do.
    var message: String
    /// The property that cannot be, where one is at fault, what it was, and what to give instead.
    var option, value, remedy: String?

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// An option that cannot be.
    init(option: String, value: String, remedy: String) {
        self.init(.option, "\(option) cannot be \(value): \(remedy)")
        (self.option, self.value, self.remedy) = (option, value, remedy)
    }

    init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as PlannerOptionsError:
            self.init(option: error.option, value: error.value, remedy: error.remedy)
        case let error as PlanningError:
            self.init(error.code == .cancelled ? .cancelled : .planning, error.description)
        case let error as TrainingError:
            self.init(error.code == .unusableOptions ? .option : .training, error.description)
        case is CheckpointError, is SafetensorsError: self.init(.checkpoint, "\(error)")
        case is DiscretizerError: self.init(.data, "\(error)")
        case is LearningError: self.init(.checkpoint, "\(error)")
        case let error as EngineError:
            self.init(error.code == .unsupported ? .option : .other, error.description)
        case is MemoryError: self.init(.memory, "\(error)")
        case let DecodingError.typeMismatch(_, context),
            let DecodingError.dataCorrupted(context),
            let DecodingError.valueNotFound(_, context),
            let DecodingError.keyNotFound(_, context):
            let key = context.codingPath.first?.stringValue ?? "settings"
            self.init(.option, "\(key) has a value of the wrong kind: \(context.debugDescription)")
            option = key
        default: self.init(.other, "\(error)")
        }
    }
}

/// Runs `body`, leaves what it returns as JSON, and tells whether it succeeded: 0 if so, 1 with a
/// ``Failure`` as text if not.
func answer(_ place: TextPlace, _ body: () throws -> some Encodable) -> Int32 {
    do {
        let encoder = JSONEncoder()
        // Data may hold such numbers, which JSON does not have.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let text = try encoder.encode(body())
        place.pointee = cText(text)
        return 0
    } catch {
        let failure = Failure(error)
        // A failure is made of texts, which always encode.
        place.pointee = cText((try? JSONEncoder().encode(failure)) ?? Data("{}".utf8))
        return 1
    }
}

/// The answer of a function that has nothing to say.
struct Nothing: Encodable {}

/// Bytes, and a 0 after them.
func cText(_ bytes: Data) -> UnsafeMutablePointer<CChar> {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { text[index] = CChar(bitPattern: byte) }
    text[bytes.count] = 0
    return text
}

/// Decodes the JSON that a caller gave.
func decode<Value: Decodable>(_ text: UnsafePointer<CChar>, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(String(cString: text).utf8))
}

/// A reference for the C side, which it gives back to `trajectory_release`.
func handle(_ object: some AnyObject) -> Handle {
    Unmanaged.passRetained(object).toOpaque()
}

/// The object that a handle refers to.
func object<Object: AnyObject>(_ handle: Handle, as type: Object.Type = Object.self) -> Object {
    Unmanaged<Object>.fromOpaque(handle).takeUnretainedValue()
}

/// Rows of numbers that lie one after the other.
func rows(_ numbers: UnsafePointer<Double>, _ count: Int, _ width: Int) -> [[Double]] {
    (0..<count).map { Array(UnsafeBufferPointer(start: numbers + $0 * width, count: width)) }
}

/// Frees the text of an answer.
@c(trajectory_text_free)
public func freeText(_ text: UnsafeMutablePointer<CChar>?) {
    text?.deallocate()
}

/// Gives a handle back.
@c(trajectory_release)
public func release(_ handle: Handle?) {
    guard let handle else { return }
    Unmanaged<AnyObject>.fromOpaque(handle).release()
}
