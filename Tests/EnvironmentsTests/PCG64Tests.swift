import Environments
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
}
