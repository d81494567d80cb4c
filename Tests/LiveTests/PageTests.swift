import Foundation
import Live
import Testing

@Suite struct LivePageTests {
    @Test func `the live page is whole and asks nobody else`() {
        #expect(Page.live.hasPrefix("<!DOCTYPE html>"))
        for part in ["class Stage", "class Track", "class Chart", "new WebSocket", "--accent:"] {
            #expect(Page.live.contains(part), "\(part)")
        }
        #expect(!Page.live.contains("/*{"))
        for foreign in ["http://", "https://", "src=", "@import", "url("] {
            #expect(!Page.live.contains(foreign), "\(foreign)")
        }
    }

    @Test func `what a report tells cannot end what holds it`() {
        let page = Page.report(
            title: "a <b> & c", data: Data(#"{"name":"</script><script>alert(1)"}"#.utf8))
        #expect(page.contains("a &lt;b> &amp; c"))
        #expect(!page.contains("</script><script>alert"))
        #expect(page.contains(#"{"name":"\u003c/script>\u003cscript>alert(1)"}"#))
        #expect(!page.contains("/*{"))
    }

    @Test func `packed numbers are floats in Base64`() throws {
        let data = try JSONEncoder().encode([PackedNumbers([1, -2.5])])
        #expect(String(decoding: data, as: UTF8.self) == #"["AACAPwAAIMA="]"#)
    }
}
