/// Which release of the package this is.
public enum Release {
    /// The version, as semantic versioning writes it: the one place where it stands.
    ///
    /// The tool prints it, the wheel is built with it, archives are named by it, and `make
    /// check-structure` holds `CITATION.cff` and `CHANGELOG.md` to it.
    public static let version = "0.1.0"
}
