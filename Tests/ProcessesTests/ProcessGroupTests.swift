import Processes
import TestSupport
import Testing

struct ProcessGroupTests {
    @Test(arguments: [1, 2, 3, 4, 7])
    func `shares cover all things once and in order`(count: Int) {
        for total in [0, 1, 3, 8, 100] {
            let shares = ThreadGroup.run(count) { $0.share(of: total) }.map { try? $0.get() }
            let things = shares.flatMap { Array($0 ?? 0..<0) }
            #expect(things == Array(0..<total))
            let sizes = shares.map { $0?.count ?? 0 }
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        }
    }

    @Test func `numbers arrive in all processes as they are`() throws {
        let numbers = [1.5, -.infinity, .pi, Double.leastNonzeroMagnitude, -0.0]
        let results = ThreadGroup.run(3) { group in
            try group.gather(numbers.map { $0 * Double(group.rank + 1) })
        }
        for result in results {
            let told = try result.get()
            #expect(told == (1...3).map { rank in numbers.map { $0 * Double(rank) } })
            #expect(told[0][4].sign == .minus)
        }
    }

    @Test func `values arrive with numbers that are not finite`() throws {
        struct Thing: Codable, Sendable {
            var name: String
            var numbers: [Double]
        }
        let results = ThreadGroup.run(2) { group in
            try group.gather(
                values: Thing(
                    name: "of \(group.rank)", numbers: [0.1, .infinity, .nan, 1 / 3]))
        }
        for result in results {
            let told = try result.get()
            #expect(told.map(\.name) == ["of 0", "of 1"])
            #expect(told[1].numbers[0] == 0.1 && told[1].numbers[3] == 1.0 / 3)
            #expect(told[1].numbers[1] == .infinity && told[1].numbers[2].isNaN)
        }
    }

    @Test func `what is so in one process is known to all`() throws {
        let one = ThreadGroup.run(3) { group in try group.any(group.rank == 2) }
        #expect(try one.map { try $0.get() } == [true, true, true])
        let none = ThreadGroup.run(3) { group in try group.any(false) }
        #expect(try none.map { try $0.get() } == [false, false, false])
    }

    @Test func `who waits for a process that failed is told`() {
        struct Failure: Error {}
        let results = ThreadGroup.run(2) { group in
            if group.rank == 1 { throw Failure() }
            return try group.exchange(1, isPatient: true)
        }
        #expect(throws: ProcessGroupError.self) { try results[0].get() }
        #expect(throws: Failure.self) { try results[1].get() }
    }

    @Test func `a process that is alone hears itself`() throws {
        let group = SingleProcess()
        #expect(group.isFirst && group.isAlone && group.share(of: 5) == 0..<5)
        #expect(try group.gather([2.5]) == [[2.5]])
        #expect(try group.gather(values: ["a"]) == [["a"]])
    }
}
