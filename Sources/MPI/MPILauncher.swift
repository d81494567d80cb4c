import Bounds
public import Processes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What `mpirun`, `mpiexec` or `srun` told this process when it started it.
public enum MPILauncher {
    /// Variables by which Open MPI, MPICH and Slurm number the processes they start together.
    private static let ranks = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"]
    private static let counts = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]

    /// This process's number, from 0; nil for one that was started alone.
    public static var rank: Int? { number(ranks) }

    /// Joins the processes that were started together; nil for one that was started alone.
    ///
    /// Processes on the same machine that may use the same cores divide them: from now on each has
    /// some to itself, if there are enough. Programs that this one starts do not take themselves
    /// for part of the group.
    ///
    /// - Parameters:
    ///   - paths: Where `Bridge/bridge.c` may lie, compiled; the first that is there is opened.
    ///   - patience: How long to wait for processes that should answer at once.
    /// - Returns: The group.
    /// - Throws: `ProcessGroupError`.
    public static func join(
        bridge paths: [String], patience: Duration
    ) throws(ProcessGroupError) -> MPIGroup? {
        guard rank != nil else { return nil }
        guard let path = paths.first(where: { access($0, R_OK) == 0 }) else {
            if number(counts) == 1 { return nil }
            throw ProcessGroupError(
                .unavailable,
                "this is one of several that were started together, and the bridge to MPI is not "
                    + "there: looked for " + paths.map { "'\($0)'" }.joined(separator: ", "))
        }
        let group = try MPIGroup(BridgeFunctions(path), patience: patience)
        for name in ranks + counts { unsetenv(name) }
        try divideCores(in: group)
        return group
    }

    private static func number(_ names: [String]) -> Int? {
        names.lazy.compactMap { getenv($0) }.compactMap { Int(String(cString: $0)) }.first
    }

    /// Gives each process of a machine cores of its own, where all may use the same.
    private static func divideCores(in group: MPIGroup) throws(ProcessGroupError) {
        let own = (Cores.allowed ?? []).map { "\($0)" }.joined(separator: ",")
        let all = try group.gather(Array(own.utf8), isPatient: true)
        let cores = Cores.list(own) ?? []
        let neighbours = (0..<group.count).filter { group.hosts[$0] == group.hosts[group.rank] }
        guard neighbours.count > 1, cores.count > 1,
            neighbours.allSatisfy({ all[$0] == Array(own.utf8) }),
            let place = neighbours.firstIndex(of: group.rank)
        else { return }
        let first = place * cores.count / neighbours.count
        let end = (place + 1) * cores.count / neighbours.count
        group.confine(to: end > first ? Array(cores[first..<end]) : [cores[place % cores.count]])
    }
}
