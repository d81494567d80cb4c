import CUDA
import Foundation
import Learning
import RandomNumbers

/// All that soft actor-critic has on a card.
struct SoftActorCriticMemory {
    let shape: SoftActorCriticShape
    /// Transitions that the memory holds.
    let capacity: Int
    /// Actor, critics, targets; moments and gradients of actor and critics.
    let parameters: Buffer<Float>
    let first: Buffer<Float>
    let second: Buffer<Float>
    let gradient: Buffer<Float>
    /// What kernels leave for each other.
    let work: Buffer<Float>
    /// Observations and actions, next observations, rewards and terminals; a row a transition.
    let inputs: Buffer<Float>
    let next: Buffer<Float>
    let outcomes: Buffer<Float>
    /// `State` of sac.h.
    let state: Buffer<UInt64>

    init(_ shape: SoftActorCriticShape, capacity: Int, on device: Device) throws(CUDAError) {
        self.shape = shape
        self.capacity = capacity
        parameters = try Buffer(count: shape.parameterCount, on: device)
        first = try Buffer(count: shape.learntCount, on: device)
        second = try Buffer(count: shape.learntCount, on: device)
        gradient = try Buffer(count: shape.learntCount, on: device)
        work = try Buffer(count: shape.workCount, on: device)
        inputs = try Buffer(count: capacity * shape.input, on: device)
        next = try Buffer(count: capacity * shape.observation4, on: device)
        outcomes = try Buffer(count: capacity * 2, on: device)
        state = try Buffer(count: SoftActorCriticNumbers.wordCount, on: device)
    }

    // MARK: - What is learnt

    /// Sends networks and moments.
    func write(_ learnt: SoftActorCriticState, _ stream: Stream) throws(CUDAError) {
        func both(_ critics: [Float]) -> [Float] {
            let half = critics.count / 2
            return shape.padded(critics[..<half], isActor: false)
                + shape.padded(critics[half...], isActor: false)
        }
        try stream.write(
            shape.padded(learnt.actor[...], isActor: true) + both(learnt.critics)
                + both(learnt.targets), to: parameters)
        for (buffer, moments) in [(first, \SoftActorCriticState.Moments.first), (second, \.second)] {
            try stream.write(
                shape.padded(learnt.actorMoments[keyPath: moments][...], isActor: true)
                    + both(learnt.criticMoments[keyPath: moments]), to: buffer)
        }
        // Numbers between parameters have no gradient.
        try stream.fill(gradient)
    }

    /// The actor's parameters.
    func actor(_ stream: Stream) throws(CUDAError) -> [Float] {
        shape.flat(try stream.read(parameters, 0..<shape.actorCount)[...], isActor: true)
    }

    /// Networks and moments into `learnt`.
    func read(_ learnt: inout SoftActorCriticState, _ stream: Stream) throws(CUDAError) {
        let (actor, critic) = (shape.actorCount, shape.criticCount)
        func both(_ values: [Float], from start: Int) -> [Float] {
            shape.flat(values[start..<(start + critic)], isActor: false)
                + shape.flat(values[(start + critic)..<(start + 2 * critic)], isActor: false)
        }
        let values = try stream.read(parameters)
        learnt.actor = shape.flat(values[..<actor], isActor: true)
        learnt.critics = both(values, from: actor)
        learnt.targets = both(values, from: shape.learntCount)
        for (buffer, moments) in [
            (first, \SoftActorCriticState.Moments.first), (second, \.second),
        ] {
            let values = try stream.read(buffer)
            learnt.actorMoments[keyPath: moments] = shape.flat(values[..<actor], isActor: true)
            learnt.criticMoments[keyPath: moments] = both(values, from: actor)
        }
    }

    // MARK: - Transitions

    /// Puts rows into the ring from place `start` on.
    func append(_ rows: SoftActorCriticRows, at start: Int, _ stream: Stream) throws(CUDAError) {
        let s = shape
        var inputs = [Float](repeating: 0, count: rows.count * s.input)
        for row in 0..<rows.count {
            for column in 0..<s.observation {
                inputs[row * s.input + column] = rows.observations[row * s.observation + column]
            }
            for column in 0..<s.action {
                inputs[row * s.input + s.observation4 + column] =
                    rows.actions[row * s.action + column]
            }
        }
        let next = SoftActorCriticShape.paddedRows(
            rows.nextObservations, width: s.observation, stride: s.observation4)
        let outcomes = zip(rows.rewards, rows.terminals).flatMap { [$0, $1] }
        var done = 0
        while done < rows.count {
            let place = (start + done) % capacity
            let count = min(rows.count - done, capacity - place)
            func send(
                _ values: [Float], _ width: Int, _ buffer: Buffer<Float>
            ) throws(CUDAError) {
                try stream.write(
                    Array(values[(done * width)..<((done + count) * width)]), to: buffer,
                    at: place * width)
            }
            try send(inputs, s.input, self.inputs)
            try send(next, s.observation4, self.next)
            try send(outcomes, 2, self.outcomes)
            done += count
        }
    }
}

/// `State` of sac.h, as words of eight bytes.
struct SoftActorCriticNumbers {
    static let wordCount = 21
    /// Where the number of transitions lies, the sums of statistics, and the temperature.
    static let size = 4
    static let sums = 7..<14
    private static let temperature = 14

    private(set) var words: [UInt64]

    /// The numbers before the next update of `state`.
    init(_ state: SoftActorCriticState, _ settings: SoftActorCriticSettings) {
        let (beta1, beta2): (Float, Float) = (0.9, 0.999)
        words = (0..<3).map { CounterNumbers(seed: settings.seed, stream: $0).key }
        words += [UInt64(state.updates), 0]
        words += [beta1, beta2].map { pow(Double($0), Double(state.updates)).bitPattern }
        words += Self.sums.map { _ in 0 }
        let floats: [Float] = [
            state.logTemperature, state.temperatureMoments.first[0],
            state.temperatureMoments.second[0], 0, 0,
            Float(settings.learningRate), Float(settings.discount), Float(settings.targetRate),
            Float(settings.rewardScale),
            Float(settings.entropyGoal(actionDimension: state.actionDimension)), beta1, beta2, 1e-8,
            0,
        ]
        for index in stride(from: 0, to: floats.count, by: 2) {
            words.append(
                UInt64(floats[index].bitPattern) | UInt64(floats[index + 1].bitPattern) << 32)
        }
    }

    /// Numbers that a card has.
    init(_ words: [UInt64]) { self.words = words }

    /// Updates done.
    var updates: Int { Int(words[3]) }

    /// The logarithm of the temperature, its first and its second moment.
    var temperature: (logarithm: Float, first: Float, second: Float) {
        func float(_ index: Int) -> Float {
            let word = words[Self.temperature + index / 2]
            return Float(
                bitPattern: UInt32(truncatingIfNeeded: index % 2 == 0 ? word : word >> 32))
        }
        return (float(0), float(1), float(2))
    }

    /// Means over `count` updates of what was summed.
    func means(_ count: Int) -> SoftActorCriticUpdates {
        let sums = words[Self.sums].map { Double(bitPattern: $0) / Double(count) }
        var means = SoftActorCriticUpdates()
        means.count = count
        means.criticLoss = (sums[0] + sums[1]) / 2
        means.q = (sums[2] + sums[3]) / 2
        means.actorLoss = sums[4]
        means.entropy = sums[5]
        means.temperature = sums[6]
        return means
    }
}
