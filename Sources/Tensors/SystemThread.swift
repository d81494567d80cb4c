#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread of the system that runs one closure and ends.
///
/// Foundation has one, too, and with it every program that computes would carry all of Foundation.
package enum SystemThread {
    private final class Start {
        let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    /// Starts a thread with a stack of 4 MB.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 1 << 22)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let start = Unmanaged.passRetained(Start(body)).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    argument.map(SystemThread.run)
                    return nil
                }, start)
        #else
            var thread: pthread_t?
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    SystemThread.run(argument)
                    return nil
                }, start)
        #endif
        precondition(status == 0, "the system starts no thread (error \(status))")
    }

    private static func run(_ argument: UnsafeMutableRawPointer) {
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.body()
    }
}

/// Lets threads sleep until another wakes all of them.
package final class SleepingThreads: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Wakes all that sleep.
    package func wake() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Sleeps while `isToSleep` says so, which is asked again after each waking.
    package func sleep(while isToSleep: () -> Bool) {
        pthread_mutex_lock(mutex)
        while isToSleep() { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }
}
