import Engines
import Testing
import Transformer
import TransformerCPU

@Suite struct ComputeDeviceTests {
    @Test func `the processor has the threads that are asked for`() throws {
        let engine = try #require(try ComputeDevice.cpu.engine(workers: 2) as? CPUEngine)
        #expect(engine.workers == 2 && engine.precision == .exact)
        let shared = try #require(try ComputeDevice.cpu.engine() as? CPUEngine)
        #expect(shared.name == CPUEngine.cpu.name)
        #expect(try ComputeDevice.cpu.card() == nil)
    }

    @Test func `a card is used where there is one, and else asking for it is an error`() throws {
        let card = try ComputeDevice.auto.card()
        let engine = try ComputeDevice.auto.engine()
        if let card {
            #expect(engine.name == card.name)
            #expect(try ComputeDevice.cuda.engine().name == card.name)
        } else {
            #expect(engine is CPUEngine)
            let error = #expect(throws: EngineError.self) { try ComputeDevice.cuda.engine() }
            #expect(error?.code == .unavailable)
        }
    }
}
