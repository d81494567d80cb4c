import CUDA

/// The kernels of an update (`sac.cu`), in their order, and the sizes of their blocks.
struct SoftActorCriticKernels {
    /// `TILE`, `THREADS` and `CHUNK` of the kernels.
    static let tile = 32
    static let threads = 256
    static let chunk = 1024

    let firstLayers: Kernel
    let secondLayers: Kernel
    let targetFirst: Kernel
    let targetSecond: Kernel
    let criticBackward: Kernel
    let criticUpdate: Kernel
    let policyFirst: Kernel
    let policySecond: Kernel
    let policyBackward: Kernel
    let outputsBackward: Kernel
    let actorBackward: Kernel
    let actorUpdate: Kernel

    /// Compiles and loads the kernels for a shape.
    init(_ shape: SoftActorCriticShape, on device: Device) throws(CUDAError) {
        let kernels = try Kernels(shape.program, on: device)
        firstLayers = try kernels.kernel("sac_first_layers")
        secondLayers = try kernels.kernel("sac_second_layers")
        targetFirst = try kernels.kernel("sac_target_first")
        targetSecond = try kernels.kernel("sac_target_second")
        criticBackward = try kernels.kernel("sac_critic_backward")
        criticUpdate = try kernels.kernel("sac_critic_update")
        policyFirst = try kernels.kernel("sac_policy_first")
        policySecond = try kernels.kernel("sac_policy_second")
        policyBackward = try kernels.kernel("sac_policy_backward")
        outputsBackward = try kernels.kernel("sac_outputs_backward")
        actorBackward = try kernels.kernel("sac_actor_backward")
        actorUpdate = try kernels.kernel("sac_actor_update")
    }
}

extension SoftActorCriticMemory {
    /// Asks for all kernels of one update.
    func update(_ kernels: SoftActorCriticKernels, _ stream: Stream) throws(CUDAError) {
        let s = shape
        let threads = SoftActorCriticKernels.threads
        let tiles = (s.hiddenTiles, s.rowTiles)
        let deltaParts = s.hiddenTiles * s.rowTiles
        let hiddenParts = s.hiddenTiles * s.hiddenTiles
        try stream.launch(
            kernels.firstLayers, grid: tiles, depth: 4, threads: threads, work, parameters, inputs,
            next, state)
        try stream.launch(
            kernels.secondLayers, grid: tiles, depth: 4, threads: threads, work, parameters, state)
        try stream.launch(
            kernels.targetFirst, grid: tiles, depth: 2, threads: threads, work, parameters, next,
            state)
        try stream.launch(
            kernels.targetSecond, grid: tiles, depth: 2, threads: threads, work, parameters)
        try stream.launch(
            kernels.criticBackward, grid: (2 * (deltaParts + hiddenParts + s.hiddenTiles), 1),
            threads: threads, work, gradient, parameters, outcomes, state)
        let criticChunks = groups(of: s.innerCriticCount, SoftActorCriticKernels.chunk)
        try stream.launch(
            kernels.criticUpdate,
            grid: (2 * (s.hiddenTiles * (s.tiles(s.input) + 1) + criticChunks), 1),
            threads: threads, parameters, first, second, work, gradient, inputs, state)
        try stream.launch(
            kernels.policyFirst, grid: tiles, depth: 2, threads: threads, work, parameters, inputs,
            state)
        try stream.launch(
            kernels.policySecond, grid: tiles, depth: 2, threads: threads, work, parameters)
        try stream.launch(
            kernels.policyBackward, grid: tiles, depth: 2, threads: threads, work, parameters)
        try stream.launch(
            kernels.outputsBackward, grid: tiles, threads: threads, work, parameters, state)
        let outputTiles = s.tiles(s.outputs)
        try stream.launch(
            kernels.actorBackward,
            grid: (
                deltaParts + hiddenParts + (outputTiles + 1) * s.hiddenTiles + outputTiles, 1
            ), threads: threads, work, gradient, parameters)
        let actorChunks = groups(of: s.innerActorCount, SoftActorCriticKernels.chunk)
        try stream.launch(
            kernels.actorUpdate,
            grid: (s.hiddenTiles * (s.tiles(s.observation4) + 1) + actorChunks + 1, 1),
            threads: threads, parameters, first, second, work, gradient, inputs, state)
    }
}
