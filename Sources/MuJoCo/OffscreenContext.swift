import Foundation

/// An OpenGL context in memory, by OSMesa: needs neither a display nor a graphics card.
///
/// The library is loaded when the first picture is drawn, so that simulation does not need it.
final class OffscreenContext {
    private typealias Create =
        @convention(c) (UInt32, Int32, Int32, Int32, OpaquePointer?) -> OpaquePointer?
    private typealias MakeCurrent =
        @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UInt32, Int32, Int32) -> UInt8
    private typealias Destroy = @convention(c) (OpaquePointer?) -> Void

    private let context: OpaquePointer
    private let makeContextCurrent: MakeCurrent
    private let destroy: Destroy
    private let buffer: UnsafeMutableRawPointer
    private let width: Int
    private let height: Int

    init(width: Int, height: Int) throws(SimulationError) {
        // MuJoCo looks up OpenGL's functions through the library that this variable names.
        setenv("MUJOCO_GL", "osmesa", 1)
        let names = ["libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", "libOSMesa.dylib"]
        guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_GLOBAL) }).first
        else {
            throw SimulationError(
                code: .noOffscreenContext,
                detail: "OSMesa is not installed; run `make bootstrap`, or install libosmesa6")
        }
        func function<Function>(_ name: String, as type: Function.Type) throws(SimulationError)
            -> Function
        {
            guard let symbol = dlsym(library, name) else {
                throw SimulationError(
                    code: .noOffscreenContext,
                    detail: "the installed OSMesa has no \(name); install libosmesa6")
            }
            return unsafeBitCast(symbol, to: type)
        }
        let create = try function("OSMesaCreateContextExt", as: Create.self)
        makeContextCurrent = try function("OSMesaMakeCurrent", as: MakeCurrent.self)
        destroy = try function("OSMesaDestroyContext", as: Destroy.self)
        let rgba: UInt32 = 0x1908
        guard let context = create(rgba, 24, 8, 8, nil) else {
            throw SimulationError(
                code: .noOffscreenContext,
                detail: "OSMesa could not create a context; install libosmesa6 again")
        }
        self.context = context
        self.width = width
        self.height = height
        buffer = .allocate(byteCount: 4 * width * height, alignment: 16)
    }

    /// Makes this the OpenGL context of the calling thread.
    func makeCurrent() throws(SimulationError) {
        let unsignedByte: UInt32 = 0x1401
        guard makeContextCurrent(context, buffer, unsignedByte, Int32(width), Int32(height)) != 0
        else {
            throw SimulationError(
                code: .noOffscreenContext,
                detail: "OSMesa refused pictures of \(width) x \(height); choose a smaller size")
        }
    }

    deinit {
        destroy(context)
        buffer.deallocate()
    }
}
