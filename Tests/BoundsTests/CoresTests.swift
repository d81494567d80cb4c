import Bounds
import Testing

struct CoresTests {
    @Test func `lists of cores are understood`() {
        #expect(Cores.list("0-3,8") == [0, 1, 2, 3, 8])
        #expect(Cores.list("\t5\n") == [5])
        for wrong in ["", "a", "3-1", "1-2-3", "-1", "0-99999999"] {
            #expect(Cores.list(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `there is a core to compute on`() {
        #expect(Cores.available >= 1)
        #expect(Cores.allowed?.count ?? Cores.available == Cores.available)
    }
}
