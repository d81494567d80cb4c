import CUDA
import Learning

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
        for (buffer, moments) in [(first, \SoftActorCriticState.Moments.first), (second, \.second)]
        {
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
