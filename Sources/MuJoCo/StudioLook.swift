import CMuJoCo
import Foundation

/// Makes a model's textures and lights pleasant to look at: a light sky, a quiet floor, no glare.
///
/// Gymnasium's robots stand on a black and white floor before a black horizon. Only the copy that
/// is drawn from is changed, never what is simulated.
enum StudioLook {
    private typealias Color = (red: Double, green: Double, blue: Double)
    private static let horizon: Color = (236, 240, 244)
    private static let zenith: Color = (150, 186, 222)
    private static let darkTile: Color = (176, 186, 198)
    private static let lightTile: Color = (206, 214, 222)

    static func apply(to model: UnsafeMutablePointer<mjModel>) {
        for texture in 0..<Int(model.pointee.ntex) {
            switch model.pointee.tex_type[texture] {
            case Int32(mjTEXTURE_SKYBOX.rawValue): recolor(texture, of: model, horizon, zenith)
            case Int32(mjTEXTURE_2D.rawValue): recolor(texture, of: model, darkTile, lightTile)
            default: break
            }
        }
        for material in 0..<Int(model.pointee.nmat) {
            model.pointee.mat_specular[material] = min(model.pointee.mat_specular[material], 0.15)
            model.pointee.mat_reflectance[material] = min(
                model.pointee.mat_reflectance[material], 0.08)
        }
        // The floor's own tint would colour the tiles; textured planes are drawn untinted.
        for geom in 0..<Int(model.pointee.ngeom)
        where model.pointee.geom_type[geom] == Int32(mjGEOM_PLANE.rawValue)
            && model.pointee.geom_matid[geom] >= 0
        {
            for channel in 0..<3 { model.pointee.geom_rgba[4 * geom + channel] = 1 }
            unbound(geom, of: model)
        }
        model.pointee.vis.headlight.ambient = (0.4, 0.4, 0.4)
        model.pointee.vis.headlight.diffuse = (0.35, 0.35, 0.35)
        model.pointee.vis.headlight.specular = (0.05, 0.05, 0.05)
        for light in 0..<Int(model.pointee.nlight) {
            for channel in 0..<3 { model.pointee.light_diffuse[3 * light + channel] = 0.45 }
        }
        model.pointee.vis.rgba.haze = (
            Float(horizon.red / 255), Float(horizon.green / 255), Float(horizon.blue / 255), 1
        )
    }

    /// Lets a plane reach to the horizon, with tiles as large as before: robots outrun its drawn
    /// size.
    private static func unbound(_ plane: Int, of model: UnsafeMutablePointer<mjModel>) {
        let material = Int(model.pointee.geom_matid[plane])
        let isUniform = model.pointee.mat_texuniform[material]
        for axis in 0..<2 {
            let half = Float(model.pointee.geom_size[3 * plane + axis])
            guard half > 0 else { continue }
            if !isUniform {
                model.pointee.mat_texrepeat[2 * material + axis] /= 2 * half
            }
            model.pointee.geom_size[3 * plane + axis] = 0
        }
        model.pointee.mat_texuniform[material] = true
    }

    /// Puts a light of the model above what is looked at, a little to the side of the eye, and dims
    /// that of the eye where it looks down, since both then meet the floor in full; where it is the
    /// only light, it is brightened.
    ///
    /// Shadows reach a few metres from a light, which would else stay behind; from straight above
    /// it would leave the side that is seen in the dark.
    static func place(_ light: inout mjvLight, isOnly: Bool, for viewpoint: Viewpoint) {
        if light.headlight != 0 {
            let steepness = max(0, -sin(viewpoint.elevation * .pi / 180))
            let strength = isOnly ? 0.55 : Float(0.35 * (1 - 0.8 * steepness))
            light.diffuse = (strength, strength, strength)
        } else if light.type == Int32(mjLIGHT_DIRECTIONAL.rawValue) {
            let direction: (Float, Float, Float) = (0.24, 0.4, -0.88)
            let height: Float = 5
            light.dir = direction
            light.pos = (
                Float(viewpoint.target.x) + height * direction.0 / direction.2,
                Float(viewpoint.target.y) + height * direction.1 / direction.2, height
            )
        }
    }

    /// Replaces a texture's shades, from darkest to lightest, by those between two colours.
    private static func recolor(
        _ texture: Int, of model: UnsafeMutablePointer<mjModel>, _ dark: Color, _ light: Color
    ) {
        let channels = Int(model.pointee.tex_nchannel[texture])
        guard channels >= 3 else { return }
        let count =
            Int(model.pointee.tex_width[texture]) * Int(model.pointee.tex_height[texture])
        let start = model.pointee.tex_data + Int(model.pointee.tex_adr[texture])
        let texels = UnsafeMutableBufferPointer(start: start, count: count * channels)
        func shade(_ pixel: Int) -> Int { (0..<3).reduce(0) { $0 + Int(texels[pixel + $1]) } }
        let shades = stride(from: 0, to: texels.count, by: channels).map(shade)
        guard let lowest = shades.min(), let highest = shades.max(), lowest < highest else {
            return
        }
        for (index, shade) in shades.enumerated() {
            let share = Double(shade - lowest) / Double(highest - lowest)
            func mixed(_ a: Double, _ b: Double) -> UInt8 { UInt8(a + share * (b - a)) }
            texels[index * channels] = mixed(dark.red, light.red)
            texels[index * channels + 1] = mixed(dark.green, light.green)
            texels[index * channels + 2] = mixed(dark.blue, light.blue)
        }
    }
}
