import CPages
public import Foundation

/// The pages that a browser shows: whole, with style, code and data in one text.
public enum Page {
    /// The live page, which asks the program that served it for everything.
    public static let live = assembled("live.html")

    /// The page of a report.
    ///
    /// - Parameters:
    ///   - title: What stands above it.
    ///   - data: What is shown, as JSON.
    /// - Returns: The page's HTML.
    public static func report(title: String, data: Data) -> String {
        // Nothing in the data may end the element that holds it.
        let json = String(decoding: data, as: UTF8.self).replacing("<", with: "\\u003c")
        return assembled("report.html").replacing("/*{title}*/", with: escaped(title))
            .replacing("/*{data}*/", with: json)
    }

    /// A page with the parts in it that it names, such as `/*{style.css}*/`.
    private static func assembled(_ name: String) -> String {
        [
            "style.css", "shapes.js", "stage.js", "track.js", "chart.js", "live.js", "report.js",
        ].reduce(part(name)) { page, part in
            page.contains("/*{\(part)}*/")
                ? page.replacing("/*{\(part)}*/", with: self.part(part)) : page
        }
    }

    private static func part(_ name: String) -> String {
        guard let text = page_part(name) else {
            preconditionFailure("there is no part '\(name)' of the pages")
        }
        return String(cString: text)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }
}
