import Bounds
import Testing

@Suite struct `Bounds of numbers and memory` {
    @Test func `what lies outside is named with the nearest that may be`() {
        #expect(Bound.layers.problem("layers", 0) == "layers must be positive, found 0")
        #expect(Bound.layers.problem("layers", 1025) == "layers must be at most 1024, found 1025")
        #expect(Bound.pixels.problem("width", 8) == "width must be at least 16, found 8")
        #expect(Bound.layers.problem("layers", 1024) == nil)
        #expect(Bound.layers.problem("layers", nil) == nil)
        #expect(Bound.layers.orNone.problem("layers", 0) == nil)
    }

    @Test func `a product that does not fit is the largest number`() {
        #expect(Int.saturating(6, times: 7) == 42)
        #expect(Int.saturating(.max, times: 2) == .max)
        #expect(Int.saturating(.min, times: 2) == .min)
    }

    @Test func `more memory than there is is refused with both numbers`() {
        var need = MemoryNeed("drawing this")
        need.add(1_000_000, 1000)
        #expect(need.bytes == 4e9)
        #expect(throws: Never.self) { try need.require(in: 4e9) }
        need.add(.max, .max, .max)
        let error = #expect(throws: MemoryError.self) { try need.require(in: 24.5e9) }
        let line = error?.description ?? ""
        #expect(line.hasPrefix("drawing this would need about 3.14e+48 GB of memory"))
        #expect(line.contains("this machine has 24.5 GB"))
        #expect(MemoryNeed.present > 1e8)
    }
}
