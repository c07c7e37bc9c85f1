import HTTPTypes
import Hummingbird
import NIOCore
import Objects
import Serving

/// A file that pages refer to. Its address has a hash of its content, so a browser may keep it for ever.
struct PageAsset: Sendable {
    /// The path, without the query.
    let path: String
    private let type: String
    private let text: String
    private let hash: String

    /// All of them.
    static let all = [style, script, icon]

    init(path: String, type: String, text: String) {
        (self.path, self.type, self.text) = (path, type, text)
        hash = String(ObjectID(of: Array(text.utf8).span).hex.prefix(16))
    }

    /// The address for pages.
    var address: String { "\(path)?v=\(hash)" }

    /// The icon: a page with a mark.
    static let icon = PageAsset(
        path: "/page.svg", type: "image/svg+xml",
        text: """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="5" y="2" width="22" height="28" rx="4" \
            fill="#1c5d80"/><path d="M10 10h12M10 22h8" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>\
            <path d="M10 16h12" stroke="#f2d16b" stroke-width="4" stroke-linecap="round"/></svg>

            """)

    /// Answers a request.
    ///
    /// A replica of another version may have written the page that asks, so any hash gets the file; only the right one
    /// may be kept.
    func response(to request: Request) -> Response {
        let tag = "\"\(hash)\""
        let isExact = request.uri.query == "v=\(hash)"
        var headers: HTTPFields = [
            .eTag: tag,
            .cacheControl: isExact ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        guard request.headers[.ifNoneMatch] != tag else {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = type
        return Response(
            status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
