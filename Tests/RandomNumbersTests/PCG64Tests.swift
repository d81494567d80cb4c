import RandomNumbers
import TestSupport
import Testing

/// Against numbers of NumPy 2.4: `Generator(PCG64(SeedSequence(seeds)))`.
@Suite struct PCG64Tests {
    @Test func `numbers equal NumPy's for one seed`() {
        var generator = PCG64(seed: 7)
        #expect(
            [generator.next(), generator.next(), generator.next()] == [
                11_530_976_094_092_348_043, 16_550_673_365_885_938_325,
                14_308_875_409_591_826_786,
            ])
        #expect(generator.uniform(-0.5, 2) == 0.06301797497647965)
        #expect(generator.uniform(-0.5, 2) == 0.2504157122780636)
    }

    @Test func `a path longer than the pool is mixed in as by NumPy`() {
        var generator = PCG64(seed: 1, 2, 3, 4, 5)
        #expect(generator.next() == 9_534_940_544_970_891_531)
    }

    @Test func `seeds above 32 bits count as two words as in NumPy`() {
        var generator = PCG64(seed: 1_099_511_627_779, 9)
        #expect(generator.next() == 17_377_433_623_111_210_722)
    }

    @Test func `integers below a bound equal NumPy's, halves of a number in turn`() {
        var generator = PCG64(seed: 3)
        #expect((0..<6).map { _ in generator.index(below: 7) } == [5, 0, 1, 1, 1, 5])
        #expect(generator.index(below: 1) == 0)
    }

    @Test func `normal numbers equal NumPy's, the tail included`() {
        var generator = PCG64(seed: 11)
        #expect(
            absoluteError(
                (0..<4).map { _ in generator.standardNormal() },
                [0.03419276725318417, 1.3597475403099617, 1.2247210785859324, -0.5103070767876675])
                < 1e-15)
        let many = (0..<200_000).map { _ in generator.standardNormal() }
        #expect(abs((many.max() ?? 0) - 4.87493356129406) < 1e-14)
        #expect(abs(many.reduce(0, +) - -675.8759278734278) < 1e-9)
    }
}
