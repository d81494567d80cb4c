import Foundation
import PythonFiles
import TestSupport
import Testing

struct PickleTests {
    private static let data = GoldenData(Bundle.module)

    @Test(arguments: 2...5)
    func `arrays and numbers of every protocol are read`(version: Int) throws {
        let pickle = try Pickle(contentsOf: Self.data.url("arrays\(version).pkl"))
        let entries = try #require(pickle.dictionary(pickle.root))
        func place(_ name: String) throws -> Pickle.Place { try #require(entries[name]) }
        let array = try pickle.array(place("a"))
        #expect(array.shape == [2, 3])
        #expect(array.doubles() == [0, 1, 2, 3, 4, 5])
        #expect(try pickle.array(place("f")).floats() == [0, 1, 2, 3, 4, 5])
        #expect(try pickle.integer(place("n")) == -7)
        #expect(try pickle.number(place("x")) == 0.5)
        let parts = try #require(pickle.parts(try place("t")))
        #expect(pickle.integer(parts[0]) == 1)
        #expect(pickle[parts[1]] == .none)
        #expect(pickle.bool(parts[2]) == true)
        #expect(pickle[parts[3]] == .largeInteger([0, 0, 0, 0, 0, 0, 0, 0, 64]))
        #expect(pickle.number(parts[4]) == -1.5)
        #expect(try pickle.dictionary(place("e")) == [:])
    }

    @Test func `opcodes and classes that are not needed are refused by name`() throws {
        for (bytes, word) in [
            ("cposix\nsystem\n(X\u{4}\u{0}\u{0}\u{0}truetR.", "'posix.system'"),
            ("(i__main__\nA\n.", "INST"), ("cbuiltins\neval\n.", "'builtins.eval'"),
            ("\u{5F}.", "0x5f"),
        ] {
            let error = #expect(throws: PythonFileError.self) {
                _ = try Pickle(Data(bytes.utf8), file: "p")
            }
            #expect(try #require(error).description.contains(word))
        }
    }

    @Test func `a pickle that holds itself costs no more than its bytes`() throws {
        // l = []; l.append(l)
        let circle = try Pickle(Data("]q\u{0}h\u{0}a.".utf8), file: "p")
        #expect(circle.parts(circle.root) == [circle.root])
        // A tuple in a tuple in a tuple, a hundred thousand times.
        let deep = Data(")".utf8) + Data(repeating: 0x85, count: 100_000) + Data(".".utf8)
        #expect(try Pickle(deep, file: "p").length == 100_002)
    }

    @Test func `a number of NumPy's whose shape is itself is refused`() throws {
        // scalar(dtype, bytes) with a dtype whose state refers back to the number.
        let text =
            "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\u{2}\u{0}\u{0}\u{0}f8tRq\u{1}C\u{8}"
            + "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}tRq\u{0}h\u{1}h\u{0}b0."
        #expect(throws: PythonFileError.self) { _ = try Pickle(Data(text.utf8), file: "p") }
    }
}
