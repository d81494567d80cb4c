import Files
import Foundation
import TestSupport
import Testing

@Suite struct `Files that carry their checksum` {
    struct Content: Codable, Equatable {
        var name = "a \"checksum\": \"0123456789abcdef\" b"
        var numbers = [1.5, -2]
        var zebra = ["checksum": "short"]
    }

    private func sealed(_ formatting: JSONEncoder.OutputFormatting) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        return try Seal.json(Content(), using: encoder)
    }

    @Test(arguments: [JSONEncoder.OutputFormatting.sortedKeys, [.prettyPrinted, .sortedKeys]])
    func `every changed bit is noticed, but for those that rename the key`(
        _ formatting: JSONEncoder.OutputFormatting
    ) throws {
        let data = try sealed(formatting)
        guard case .intact(let sum) = Seal.state(of: data) else {
            Issue.record("not intact: \(String(decoding: data, as: UTF8.self))")
            return
        }
        #expect(try JSONDecoder().decode(Content.self, from: data) == Content())
        let key = try #require(data.range(of: Data("\"checksum\"".utf8)))
        let place = try #require(data.range(of: Data(sum.utf8)))
        for bit in 0..<(8 * data.count) {
            var damaged = data
            damaged[bit / 8] ^= 1 << (bit % 8)
            let state = Seal.state(of: damaged)
            if !(key.lowerBound..<(place.upperBound + 1)).contains(bit / 8) {
                #expect(state == .broken, "bit \(bit)")
            }
            #expect(state != .intact(sum))
        }
        for count in 0..<data.count where count > place.upperBound {
            #expect(Seal.state(of: data.prefix(count)) == .broken)
        }
    }

    @Test func `a part of larger data is judged as if it were alone`() throws {
        let data = try sealed(.sortedKeys)
        let larger = Data("front".utf8) + data
        #expect(Seal.state(of: larger.dropFirst(5)) == Seal.state(of: data))
    }

    @Test func `what has no checksum says so`() {
        #expect(Seal.state(of: Data()) == .absent)
        #expect(Seal.state(of: Data(#"{"checksum": 3, "b": "checksum"}"#.utf8)) == .absent)
    }
}
