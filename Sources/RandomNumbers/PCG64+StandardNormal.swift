#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension PCG64 {
    /// A standard normal number as NumPy's `standard_normal()` draws it.
    ///
    /// Marsaglia and Tsang, "The Ziggurat Method for Generating Random Variables", 2000, with 256
    /// layers and 52 bits, in NumPy's order of bits.
    public mutating func standardNormal() -> Double {
        let layers = ZigguratLayers.normal
        while true {
            let bits = next()
            let layer = Int(bits & 0xff)
            let isNegative = bits >> 8 & 1 == 1
            let magnitude = bits >> 9 & 0x000f_ffff_ffff_ffff
            let x = Double(magnitude) * layers.widths[layer] * (isNegative ? -1 : 1)
            if magnitude < layers.inside[layer] { return x }
            if layer == 0 {
                let tail = tail()
                return magnitude >> 8 & 1 == 1 ? -tail : tail
            }
            let (upper, lower) = (layers.heights[layer - 1], layers.heights[layer])
            if (upper - lower) * unit() + lower < exp(-0.5 * x * x) { return x }
        }
    }

    /// A number beyond the outermost layer's edge.
    private mutating func tail() -> Double {
        while true {
            let x = -log1p(-unit()) / ZigguratLayers.edge
            let y = -log1p(-unit())
            if y + y > x * x { return ZigguratLayers.edge + x }
        }
    }
}

/// The layers of equal area that the normal density is cut into.
private struct ZigguratLayers {
    /// Where the tail begins, for 256 layers.
    static let edge = 3.6541528853610087963519472518
    static let normal = ZigguratLayers()

    /// Magnitudes below this lie under the density whatever the height.
    var inside = [UInt64](repeating: 0, count: 256)
    /// What a magnitude is multiplied by.
    var widths = [Double](repeating: 0, count: 256)
    /// The density at each layer's edge.
    var heights = [Double](repeating: 0, count: 256)

    private init() {
        let scale = 0x1p52
        func density(_ x: Double) -> Double { exp(-0.5 * x * x) }
        let edge = Self.edge
        let area = edge * density(edge) + (Double.pi / 2).squareRoot() * erfc(edge / 2.squareRoot())
        let base = area / density(edge)
        inside[0] = UInt64(edge / base * scale)
        widths[0] = base / scale
        heights[0] = 1
        widths[255] = edge / scale
        heights[255] = density(edge)
        var x = edge
        for layer in (1...254).reversed() {
            let outer = x
            x = (-2 * log(area / outer + density(outer))).squareRoot()
            inside[layer + 1] = UInt64(x / outer * scale)
            widths[layer] = x / scale
            heights[layer] = density(x)
        }
    }
}
