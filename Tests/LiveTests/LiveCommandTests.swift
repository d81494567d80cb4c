import Live
import Planning
import Testing

@Suite struct LiveCommandTests {
    @Test func `what a page asks for is read`() throws {
        #expect(try LiveCommand(#"{"type":"run"}"#) == .run)
        #expect(try LiveCommand(#"{"type":"pause","more":[1]}"#) == .pause)
        #expect(try LiveCommand(#"{"type":"step"}"#) == .step(1))
        #expect(try LiveCommand(#"{"type":"step","count":40}"#) == .step(40))
        #expect(try LiveCommand(#"{"type":"reset"}"#) == .reset(seed: nil))
        #expect(
            try LiveCommand(#"{"type":"reset","seed":9007199254740991}"#)
                == .reset(seed: 9_007_199_254_740_991))
        var search = LiveCommand.Search()
        search.horizon = 12
        search.objective = .likelihood
        #expect(
            try LiveCommand(#"{"type":"search","horizon":12,"objective":"likelihood"}"#)
                == .search(search))
        #expect(try LiveCommand(#"{"type":"speed","speed":0.5}"#) == .speed(0.5))
        #expect(
            try LiveCommand(#"{"type":"push","force":[1,0,-2.5],"steps":3}"#)
                == .push(force: [1, 0, -2.5], steps: 3))
        #expect(try LiveCommand(#"{"type":"goal","goal":[1,2]}"#) == .goal([1, 2]))
    }

    @Test(arguments: [
        "", "nonsense", "null", "[]", "{}", "3", #"{"type":7}"#, #"{"type":"fly"}"#,
        #"{"type":"step","count":0}"#, #"{"type":"step","count":1e9}"#,
        #"{"type":"step","count":1.5}"#, #"{"type":"step","count":99999999999999999999}"#,
        #"{"type":"reset","seed":-1}"#, #"{"type":"reset","seed":"a"}"#,
        #"{"type":"search","objective":"best"}"#, #"{"type":"search","horizon":"far"}"#,
        #"{"type":"speed"}"#, #"{"type":"speed","speed":0}"#, #"{"type":"speed","speed":9}"#,
        #"{"type":"push"}"#, #"{"type":"push","force":[1,2]}"#,
        #"{"type":"push","force":[1,2,1e300]}"#, #"{"type":"push","force":[1,2,3],"steps":0}"#,
        #"{"type":"goal","goal":[1]}"#, #"{"type":"goal","goal":[1e9,0]}"#,
        String(repeating: "[", count: 10_000), "{\"type\":\"\u{0}\"}",
    ])
    func `what is no message is refused in one line`(text: String) {
        let error = #expect(throws: LiveError.self) { try LiveCommand(text) }
        #expect(error?.description.isEmpty == false)
        #expect(error?.description.contains("\n") == false)
        #expect((error?.description.count ?? 0) < 120)
    }
}
