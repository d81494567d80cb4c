public import Foundation

extension Pickle {
    /// The longest pickle; arrays of any size lie beside it in PyTorch's files.
    private static let mostBytes = 1 << 30

    /// Reads the pickle that a file is.
    ///
    /// - Throws: As ``init(_:at:file:)``, and when the file is missing.
    public init(contentsOf url: URL) throws(PythonFileError) {
        try self.init(try Data(pythonFile: url), file: url.relativePath)
    }

    /// Reads the pickle that begins at the byte `start`, whatever follows it.
    ///
    /// Of pickle's opcodes those are known with which PyTorch, NumPy and plain settings are
    /// written (protocols 2 to 5), of classes and functions those in `PickleName`; none is called.
    ///
    /// - Throws: ``PythonFileError`` that names the opcode or class which is not known, or says that
    ///   the pickle is damaged.
    public init(_ data: Data, at start: Int = 0, file: String) throws(PythonFileError) {
        guard data.count - start <= Pickle.mostBytes else {
            throw PythonFileError(.foreign, file: file, "its pickle is larger than a gigabyte")
        }
        var machine = Unpickler(reader: ByteReader(data, at: start), file: file)
        do {
            let root = try machine.run()
            self.init(
                file: file, root: root, length: machine.reader.position - start,
                values: machine.values)
        } catch let error as PythonFileError {
            throw error
        } catch {
            throw PythonFileError(
                .malformed, file: file,
                "its pickle is damaged or cut short near byte \(machine.reader.position); fetch or "
                    + "write it again")
        }
    }
}

/// Pickle's machine, less all that could do anything: a stack of places in a list of values.
private struct Unpickler {
    /// The stack does not hold what an opcode needs.
    private struct Malformed: Error {}

    var reader: ByteReader
    let file: String
    private(set) var values: [Pickle.Value] = []
    private var stack: [Pickle.Place] = []
    private var marks: [Int] = []
    private var memo: [Int: Pickle.Place] = [:]

    init(reader: ByteReader, file: String) {
        self.reader = reader
        self.file = file
    }

    mutating func run() throws -> Pickle.Place {
        while true {
            let code = try reader.byte()
            if code == UInt8(ascii: ".") {
                guard stack.count == 1, marks.isEmpty else { throw Malformed() }
                return stack[0]
            }
            try step(code)
        }
    }

    // MARK: - The stack

    private mutating func push(_ value: Pickle.Value) {
        stack.append(Pickle.Place(index: values.count))
        values.append(value)
    }

    private mutating func pop() throws -> Pickle.Place {
        guard stack.count > (marks.last ?? 0), let top = stack.popLast() else { throw Malformed() }
        return top
    }

    private func top() throws -> Pickle.Place {
        guard stack.count > (marks.last ?? 0), let top = stack.last else { throw Malformed() }
        return top
    }

    private mutating func pop(_ count: Int) throws -> [Pickle.Place] {
        guard stack.count - (marks.last ?? 0) >= count else { throw Malformed() }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [Pickle.Place] {
        guard let mark = marks.popLast() else { throw Malformed() }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    // MARK: - Opcodes

    private mutating func step(_ code: UInt8) throws {
        switch code {
        case 0x80:
            let version = try reader.byte()
            guard version <= 5 else { throw refusal("the pickle protocol \(version)") }
        case 0x95: _ = try reader.take(8)
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "N"): push(.none)
        case 0x88: push(.bool(true))
        case 0x89: push(.bool(false))
        case UInt8(ascii: "J"):
            push(.integer(Int(Int32(bitPattern: try reader.number(UInt32.self)))))
        case UInt8(ascii: "K"): push(.integer(Int(try reader.byte())))
        case UInt8(ascii: "M"): push(.integer(Int(try reader.number(UInt16.self))))
        case 0x8A: push(integer([UInt8](try reader.take(Int(try reader.byte())))))
        case UInt8(ascii: "G"):
            push(.number(Double(bitPattern: try reader.number(UInt64.self).byteSwapped)))
        case UInt8(ascii: "X"): push(try text(reader.count(UInt32.self)))
        case 0x8C: push(try text(Int(reader.byte())))
        case 0x8D: push(try text(reader.count(UInt64.self)))
        case UInt8(ascii: "C"), UInt8(ascii: "U"):
            push(.bytes([UInt8](try reader.take(Int(reader.byte())))))
        case UInt8(ascii: "B"), UInt8(ascii: "T"):
            push(.bytes([UInt8](try reader.take(reader.count(UInt32.self)))))
        case 0x8E, 0x96: push(.bytes([UInt8](try reader.take(reader.count(UInt64.self)))))
        case UInt8(ascii: ")"): push(.tuple([]))
        case UInt8(ascii: "]"): push(.list([]))
        case UInt8(ascii: "}"): push(.dictionary([]))
        case UInt8(ascii: "t"): push(.tuple(try popToMark()))
        case 0x85: push(.tuple(try pop(1)))
        case 0x86: push(.tuple(try pop(2)))
        case 0x87: push(.tuple(try pop(3)))
        case UInt8(ascii: "a"): try append(pop(1))
        case UInt8(ascii: "e"): try append(popToMark())
        case UInt8(ascii: "s"): try store(pop(2))
        case UInt8(ascii: "u"): try store(popToMark())
        case UInt8(ascii: "q"): memo[Int(try reader.byte())] = try top()
        case UInt8(ascii: "r"): memo[try reader.count(UInt32.self)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try recall(Int(reader.byte()))
        case UInt8(ascii: "j"): try recall(reader.count(UInt32.self))
        case UInt8(ascii: "c"):
            let module = String(decoding: try reader.line(), as: UTF8.self)
            try name(module, String(decoding: try reader.line(), as: UTF8.self))
        case 0x93:
            let parts = try pop(2).map { values[$0.index] }
            guard case .text(let module) = parts[0], case .text(let word) = parts[1] else {
                throw Malformed()
            }
            try name(module, word)
        case UInt8(ascii: "R"), 0x81: try call()
        case UInt8(ascii: "b"): try build()
        case UInt8(ascii: "Q"): push(.persistent(try pop()))
        default:
            let word = Self.names[code].map { "\($0) (0x\(String(code, radix: 16)))" }
            throw refusal("the pickle opcode " + (word ?? "0x\(String(code, radix: 16))"))
        }
    }

    private func integer(_ bytes: [UInt8]) -> Pickle.Value {
        guard bytes.count <= 8 else { return .largeInteger(bytes) }
        let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
        var word: UInt64 = isNegative ? .max : 0
        for byte in bytes.reversed() { word = word << 8 | UInt64(byte) }
        return .integer(Int(Int64(bitPattern: word)))
    }

    private mutating func text(_ count: Int) throws -> Pickle.Value {
        .text(String(decoding: try reader.take(count), as: UTF8.self))
    }

    private mutating func append(_ items: [Pickle.Place]) throws {
        let place = try top()
        guard case .list(var list) = values[place.index] else { throw Malformed() }
        // Without a second owner of the storage, or each addition would copy it.
        values[place.index] = .none
        list += items
        values[place.index] = .list(list)
    }

    private mutating func store(_ items: [Pickle.Place]) throws {
        guard items.count.isMultiple(of: 2) else { throw Malformed() }
        let place = try top()
        let added = stride(from: 0, to: items.count, by: 2).map {
            Pickle.Pair(key: items[$0], value: items[$0 + 1])
        }
        switch values[place.index] {
        case .dictionary(var pairs):
            values[place.index] = .none
            pairs += added
            values[place.index] = .dictionary(pairs)
        case .call(var call):
            values[place.index] = .none
            call.pairs += added
            values[place.index] = .call(call)
        default: throw Malformed()
        }
    }

    private mutating func recall(_ number: Int) throws {
        guard let place = memo[number] else { throw Malformed() }
        stack.append(place)
    }

    private mutating func name(_ module: String, _ word: String) throws {
        let name = PickleName(module, word)
        guard name.isKnown else { throw refusal("'\(name.description.prefix(200))'") }
        push(.name(name))
    }

    private mutating func call() throws {
        let parts = try pop(2)
        guard case .name(let function) = values[parts[0].index],
            case .tuple(let arguments) = values[parts[1].index]
        else { throw Malformed() }
        guard function == .encode else {
            push(.call(Pickle.Call(function: function, arguments: parts[1])))
            return
        }
        // How bytes are written where a protocol knows only text: one character a byte.
        guard arguments.count == 2, case .text(let text) = values[arguments[0].index],
            case .text("latin1") = values[arguments[1].index]
        else { throw Malformed() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.unicodeScalars.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { throw Malformed() }
            bytes.append(byte)
        }
        push(.bytes(bytes))
    }

    private mutating func build() throws {
        let state = try pop()
        let place = try top()
        guard case .call(var call) = values[place.index] else { throw Malformed() }
        call.state = state
        values[place.index] = .call(call)
    }

    private func refusal(_ what: String) -> PythonFileError {
        PythonFileError(
            .foreign, file: file,
            "its pickle asks for \(what), which tensors, arrays and settings do not need and which "
                + "is not run here; save the state alone (torch.save of state_dict())")
    }

    /// Opcodes that are refused, by their names.
    private static let names: [UInt8: String] = [
        UInt8(ascii: "0"): "POP", UInt8(ascii: "1"): "POP_MARK", UInt8(ascii: "2"): "DUP",
        UInt8(ascii: "F"): "FLOAT", UInt8(ascii: "I"): "INT", UInt8(ascii: "L"): "LONG",
        UInt8(ascii: "P"): "PERSID", UInt8(ascii: "S"): "STRING", UInt8(ascii: "V"): "UNICODE",
        UInt8(ascii: "d"): "DICT", UInt8(ascii: "g"): "GET", UInt8(ascii: "i"): "INST",
        UInt8(ascii: "l"): "LIST", UInt8(ascii: "o"): "OBJ", UInt8(ascii: "p"): "PUT",
        0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x8B: "LONG4", 0x8F: "EMPTY_SET",
        0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER",
        0x98: "READONLY_BUFFER",
    ]
}
