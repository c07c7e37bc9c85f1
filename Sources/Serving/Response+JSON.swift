public import Hummingbird
public import Objects
internal import NIOCore

extension Response {
    /// A response with JSON as its body.
    public static func json(
        _ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var fields = headers
        fields[.contentType] = "application/json"
        let bytes = json.canonicalBytes + [0x0A]
        return Response(
            status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
