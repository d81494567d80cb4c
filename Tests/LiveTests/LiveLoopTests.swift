import Foundation
import Live
import Synchronization
import Testing

/// What a loop tells, so far.
private final class Ear: Sendable {
    private let heard = Mutex<[[String: any Sendable]]>([])

    func hear(_ text: String) {
        guard let message = Self.parsed(text) else { return }
        heard.withLock { $0.append(message) }
    }

    static func parsed(_ text: String) -> [String: any Sendable]? {
        guard
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8))
                as? [String: any Sendable]
        else { return nil }
        return object
    }

    func messages(_ type: String) -> [[String: any Sendable]] {
        heard.withLock { $0.filter { $0["type"] as? String == type } }
    }

    /// Waits, for ten seconds at most, until something was heard.
    func wait(_ isHeard: (Ear) -> Bool) async -> Bool {
        for _ in 0..<1000 {
            if isHeard(self) { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

@Suite struct LiveLoopTests {
    /// A loop on a thread of its own, that ends with the body.
    private func running(
        isRunning: Bool = true, _ body: (LiveLoop, Ear) async throws -> Void
    ) async throws {
        let ear = Ear()
        let loop = LiveLoop(try randomSession(), isRunning: isRunning) { ear.hear($0) }
        let thread = Thread { loop.run() }
        thread.start()
        defer { loop.end() }
        try await body(loop, ear)
        loop.end()
        #expect(await ear.wait { _ in thread.isFinished }, "the loop ends")
    }

    @Test func `nothing moves while nobody watches`() async throws {
        try await running { loop, ear in
            try await Task.sleep(for: .milliseconds(100))
            #expect(ear.messages("step").isEmpty)
            let known = loop.join().compactMap(Ear.parsed)
            #expect(known.map { $0["type"] as? String } == ["scene", "controls", "start"])
            #expect(await ear.wait { $0.messages("step").count > 5 })
            // Who comes later is told what happened.
            let later = loop.join().compactMap(Ear.parsed)
            let steps = later.compactMap { $0["step"] as? Int }
            #expect(steps.count > 5 && steps == Array(1...steps.count))
            loop.leave()
            loop.leave()
            try await Task.sleep(for: .milliseconds(100))
            let count = ear.messages("step").count
            try await Task.sleep(for: .milliseconds(100))
            #expect(ear.messages("step").count == count)
        }
    }

    @Test func `single steps are taken as they are asked for`() async throws {
        try await running(isRunning: false) { loop, ear in
            _ = loop.join()
            #expect(loop.receive(#"{"type":"step","count":3}"#) == nil)
            #expect(await ear.wait { $0.messages("step").count == 3 })
            #expect(loop.receive(#"{"type":"reset","seed":8}"#) == nil)
            #expect(loop.receive(#"{"type":"step"}"#) == nil)
            #expect(await ear.wait { $0.messages("step").count == 4 })
            #expect(ear.messages("start").compactMap { $0["seed"] as? Int } == [8])
            #expect(ear.messages("step").compactMap { $0["step"] as? Int } == [1, 2, 3, 1])
            #expect(ear.messages("step").compactMap { $0["episode"] as? Int } == [1, 1, 1, 2])
        }
    }

    @Test func `nonsense ends nothing, and who sent it is told`() async throws {
        try await running(isRunning: false) { loop, ear in
            _ = loop.join()
            let refusal = try #require(loop.receive("nonsense"))
            #expect(Ear.parsed(refusal)?["type"] as? String == "error")
            // Read, but not to be done: everybody is told.
            #expect(loop.receive(#"{"type":"goal","goal":[0,0]}"#) == nil)
            #expect(loop.receive(#"{"type":"search","horizon":-4}"#) == nil)
            #expect(await ear.wait { $0.messages("error").count == 2 })
            #expect(loop.receive(#"{"type":"step"}"#) == nil)
            #expect(await ear.wait { $0.messages("step").count == 1 })
        }
    }

    @Test func `an order ends the search under way`() async throws {
        try await running { loop, ear in
            _ = loop.join()
            // Minutes of planning, were it not ended.
            #expect(
                loop.receive(
                    #"{"type":"search","horizon":200,"beamWidth":256,"replanInterval":1}"#) == nil)
            #expect(
                await ear.wait { $0.messages("controls").count == 1 })
            try await Task.sleep(for: .milliseconds(50))
            #expect(loop.receive(#"{"type":"pause"}"#) == nil)
            #expect(await ear.wait { $0.messages("controls").count == 2 })
            #expect(ear.messages("controls")[1]["isRunning"] as? Bool == false)
            #expect(ear.messages("error").isEmpty)
        }
    }

    @Test func `an episode that is over is followed by the next`() async throws {
        try await running(isRunning: false) { loop, ear in
            _ = loop.join()
            // A model that knows nothing falls.
            #expect(loop.receive(#"{"type":"step","count":400}"#) == nil)
            #expect(await ear.wait { $0.messages("start").count >= 1 })
            let ending = ear.messages("step").compactMap { $0["ending"] as? String }
            #expect(ending.first == "terminal")
            #expect(ear.messages("start")[0]["seed"] as? Int == 2)
        }
    }
}
