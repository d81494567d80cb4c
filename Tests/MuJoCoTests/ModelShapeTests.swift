import Foundation
import MuJoCo
import Testing

@Suite struct ModelShapeTests {
    @Test func `shapes, weights and limbs of the hopper are those of its file`() throws {
        let model = try MuJoCoModel(contentsOf: ModelLibrary.url(of: "hopper.xml"))
        let robot = model.shapes.filter { $0.body > 0 }
        #expect(robot.map(\.kind) == [.capsule, .capsule, .capsule, .capsule])
        #expect(robot[0].size[0] == 0.05 && abs(robot[0].size[1] - 0.2) < 1e-12)
        #expect(robot[0].color.map { ($0 * 10).rounded() } == [8, 6, 4, 10])
        // The floor is a plane.
        #expect(model.shapes.count == 4)
        #expect(model.heaviestTree == 1 && model.leaves(ofTree: 1) == [4])
        #expect(model.mass(ofTree: 1) == model.mass(ofTree: 0))
        #expect(model.mass(ofTree: 4) < model.mass(ofTree: 1))
    }

    @Test func `bodies are where a pose has them, and a force lasts until it is taken away`() throws
    {
        let model = try MuJoCoModel(contentsOf: ModelLibrary.url(of: "hopper.xml"))
        let data = try MuJoCoData(model: model)
        var positions = model.initialPositions
        positions[0] = 2
        data.place(at: positions)
        let poses = data.bodyPoses
        #expect(poses.count == 7 * model.bodyCount)
        #expect(abs(poses[7] - 2) < 1e-12 && abs(poses[7 + 2] - 1.25) < 1e-12)
        #expect(Array(poses[10..<14]) == [1, 0, 0, 0])
        data.reset()
        data.setForce(SIMD3(100, 0, 0), onBody: 1)
        data.step(5)
        #expect(data.velocities[0] > 0.05)
        data.set(SimulationState(positions: positions, velocities: data.velocities.map { _ in 0 }))
        let before = data.velocities[0]
        data.step()
        #expect(abs(data.velocities[0] - before) < 1e-3)
    }
}
