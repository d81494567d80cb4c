import PlainYAML
import Testing
import Yams

@Suite struct `YAML that nobody vouches for` {
    @Test func `plain values are read`() throws {
        let node = try PlainYAML.node("a: [1, 2.5, true, null, word]\nb: &x {c: 1}\nd: *x\n")
        #expect(node?["a"]?.array().count == 5)
        #expect(node?["d"]?["c"]?.int == 1)
        #expect(try PlainYAML.node("") == nil)
    }

    @Test(arguments: [
        ("? {a: 1}\n: 2\n", "a key must be a word"),
        ("? [1, 2]\n: 2\n", "a key must be a word"),
        ("a: !!set {? {b: 1}}\n", "none of plain values"),
        ("a: !!binary gIGC\n", "none of plain values"),
        (String(repeating: "[", count: 90) + String(repeating: "]", count: 90), "too deep"),
        ("a: [1, 2\n", "line"),
        (String(repeating: "#", count: 2_000_000), "more than 1048576 bytes"),
    ])
    func `others are refused in one line`(_ text: String, _ words: String) {
        let problem = #expect(throws: PlainYAML.Problem.self) { try PlainYAML.node(text) }
        let line = problem?.description ?? ""
        #expect(line.contains(words), "\(line)")
        #expect(!line.contains("\n"))
    }

    @Test func `aliases that multiply are refused`() {
        var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1..<9 {
            let list = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(list)]\n"
        }
        let problem = #expect(throws: PlainYAML.Problem.self) { try PlainYAML.node(text) }
        #expect(problem?.description.contains("more than 100000 values") == true)
    }
}
