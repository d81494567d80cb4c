/// What a pickle of Python holds, as plain data: nothing of it was run.
///
/// Values lie in one list and refer to each other by their places in it, as they do in Python, so
/// neither depth nor circles cost more than the file is long.
public struct Pickle: Sendable {
    /// A place in the list of values.
    public struct Place: Hashable, Sendable {
        let index: Int
    }

    /// A pair of a dictionary.
    public struct Pair: Sendable, Hashable {
        /// The key.
        public let key: Place
        /// What stands for it.
        public let value: Place
    }

    /// What stands for the call of a function or class, which is not made.
    public struct Call: Sendable, Hashable {
        /// The function or class.
        public let function: PickleName
        /// What it is called with, a tuple.
        public let arguments: Place
        /// What the object is to take over then (`__setstate__`), if anything.
        public internal(set) var state: Place?
        /// What is then stored in it by keys.
        public internal(set) var pairs: [Pair] = []
    }

    /// A value.
    public enum Value: Sendable, Hashable {
        case none
        case bool(Bool)
        case integer(Int)
        /// A whole number beyond 64 bits, as its bytes: two's complement, the lowest first.
        case largeInteger([UInt8])
        case number(Double)
        case text(String)
        case bytes([UInt8])
        case tuple([Place])
        case list([Place])
        case dictionary([Pair])
        case name(PickleName)
        case call(Call)
        /// What lies beside the pickle, described by the value at the place.
        case persistent(Place)
    }

    /// Name of the file, for messages.
    public let file: String
    /// What the pickle is of.
    public let root: Place
    /// Bytes that it takes.
    public let length: Int
    private let values: [Value]

    init(file: String, root: Place, length: Int, values: [Value]) {
        self.file = file
        self.root = root
        self.length = length
        self.values = values
    }

    /// All values, in the order in which they were made.
    var all: [Value] { values }

    /// The value at a place.
    public subscript(place: Place) -> Value { values[place.index] }

    // MARK: - Looking at values

    /// The text at a place; of Python 2's strings, too.
    public func text(_ place: Place) -> String? {
        switch self[place] {
        case .text(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The whole number at a place, one of NumPy's too.
    public func integer(_ place: Place) -> Int? {
        switch self[place] {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        case .call: scalar(place).flatMap(Int.init(exactly:))
        default: nil
        }
    }

    /// The number at a place, one of NumPy's too.
    public func number(_ place: Place) -> Double? {
        switch self[place] {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .call: scalar(place)
        default: nil
        }
    }

    /// One of NumPy's numbers.
    private func scalar(_ place: Place) -> Double? {
        guard let array = try? array(place), array.count == 1 else { return nil }
        return array.doubles()[0]
    }

    /// The truth value at a place.
    public func bool(_ place: Place) -> Bool? {
        if case .bool(let value) = self[place] { value } else { nil }
    }

    /// The parts of the tuple or list at a place.
    public func parts(_ place: Place) -> [Place]? {
        switch self[place] {
        case .tuple(let parts), .list(let parts): parts
        default: nil
        }
    }

    /// The whole numbers of the tuple or list at a place; not NumPy's, which are made of such.
    public func integers(_ place: Place) -> [Int]? {
        guard let parts = parts(place) else { return nil }
        let numbers = parts.compactMap {
            if case .integer(let number) = self[$0] { number } else { nil }
        }
        return numbers.count == parts.count ? numbers : nil
    }

    /// The dictionary at a place, ordered ones and the state of objects too, by its keys that are
    /// texts; of a key that is there twice the last counts, as in Python.
    public func dictionary(_ place: Place) -> [String: Place]? {
        let pairs: [Pair]
        switch self[place] {
        case .dictionary(let own): pairs = own
        case .call(let call) where call.function == .orderedDictionary: pairs = call.pairs
        default: return nil
        }
        var result: [String: Place] = [:]
        for pair in pairs {
            if let key = text(pair.key) { result[key] = pair.value }
        }
        return result
    }

    /// The attributes of the object at a place, with the name of its class.
    public func object(_ place: Place) -> (class: PickleName, attributes: [String: Place])? {
        guard case .call(let call) = self[place], let state = call.state,
            let attributes = dictionary(state)
        else { return nil }
        return (call.function, attributes)
    }
}
