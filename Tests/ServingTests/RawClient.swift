import Glibc
import Objects

@discardableResult
func sleepMilliseconds(_ milliseconds: Int) -> Int32 { usleep(UInt32(milliseconds) * 1000) }

/// A TCP connection that sends exactly what a test says.
final class RawClient: Sendable {
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    let socket: Int32

    init(port: Int, from address: String = "127.0.0.1", receiveBuffer: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(
                socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var own = Self.address(address, port: 0)
        try check("bind") {
            withUnsafePointer(to: &own) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var server = Self.address("127.0.0.1", port: port)
        try check("connect") {
            withUnsafePointer(to: &server) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        setReadTimeout(seconds: 30)
    }

    deinit { close(socket) }

    private static func address(_ text: String, port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        return address
    }

    private func check(_ call: String, _ body: () -> Int32) throws {
        if body() != 0 { throw Failure(call: call, code: errno) }
    }

    func setReadTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends bytes; the server may close the connection before it has all of them.
    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Array(rest).withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func shutdownSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Closes with a reset.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// The next bytes; empty at the end, nil when nothing comes in time.
    func read(upTo count: Int = 1 << 16) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(socket, &bytes, count, 0)
        if got < 0 { return errno == ECONNRESET || errno == EPIPE ? [] : nil }
        return Array(bytes.prefix(got))
    }

    /// Everything until the server closes the connection.
    func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            guard let part = read() else { throw Failure(call: "recv", code: errno) }
            if part.isEmpty { return bytes }
            bytes += part
        }
    }

    /// Everything until a text has come.
    func read(until text: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains(text) {
            guard let part = read() else { throw Failure(call: "recv", code: errno) }
            if part.isEmpty { return bytes }
            bytes += part
        }
        return bytes
    }
}

/// What a server sent on a connection.
struct RawResponse: Sendable {
    let text: String

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// The statuses of all responses, in order.
    var statuses: [Int] {
        text.matches(of: #/HTTP/1\.[01] (\d{3}) /#).compactMap { Int($0.1) }
    }

    /// The status of the only response; nil for none or several.
    var status: Int? { statuses.count == 1 ? statuses[0] : nil }

    /// The head of the first response.
    var head: String {
        text.range(of: "\r\n\r\n").map { String(text[..<$0.lowerBound]) } ?? text
    }

    /// The body of the first response, as it came.
    var body: String {
        text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
    }

    func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                return parts[1].trimmingPrefix(" ").description
            }
        }
        return nil
    }

    var json: JSON? { try? JSON(parsing: Array(body.utf8).span) }
    var errorCode: String? { json?["error"]?["code"]?.string }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        firstRange(of: text)
    }
}
