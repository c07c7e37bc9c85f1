internal import ModelServices
internal import Artifacts
internal import Storage

/// A configured request header: `$NAME` and `${NAME}` stand for environment variables, `$$` for a dollar sign.
public struct HeaderTemplate: Hashable, Sendable {
    /// A part of the value.
    private enum Part: Hashable, Sendable {
        case text(String)
        case variable(String)
    }

    /// The name of the header.
    public let name: String
    private let parts: [Part]

    /// Parses a header; nil when no variable name follows a dollar sign, or a brace is not closed.
    public init?(_ name: String, _ value: String) {
        self.name = name
        var parts: [Part] = []
        var rest = Array(value.utf8)[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            parts.append(.text(String(decoding: rest[..<dollar], as: UTF8.self)))
            rest = rest[(dollar + 1)...]
            if rest.first == UInt8(ascii: "$") {
                parts.append(.text("$"))
                rest = rest.dropFirst()
                continue
            }
            let isBraced = rest.first == UInt8(ascii: "{")
            if isBraced { rest = rest.dropFirst() }
            let variable = rest.prefix(while: Self.isOfName)
            rest = rest[variable.endIndex...]
            if isBraced {
                guard rest.first == UInt8(ascii: "}") else { return nil }
                rest = rest.dropFirst()
            }
            guard let first = variable.first, !(0x30...0x39 ~= first) else { return nil }
            parts.append(.variable(String(decoding: variable, as: UTF8.self)))
        }
        parts.append(.text(String(decoding: rest, as: UTF8.self)))
        self.parts = parts.filter { $0 != .text("") }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        0x41...0x5A ~= byte || 0x61...0x7A ~= byte
            || 0x30...0x39 ~= byte || byte == 0x5F
    }

    /// Whether the name suggests a secret and the value spells it out.
    var showsSecret: Bool {
        let name = name.lowercased()
        return ["key", "auth", "token", "secret", "password", "cookie"].contains {
            name.contains($0)
        }
            && !parts.contains { if case .variable = $0 { true } else { false } }
    }

    /// The header with its variables replaced by their values.
    ///
    /// - Throws: `service` when a variable is not set or a value cannot be sent; the error does not repeat any value.
    func resolved(
        for address: ServiceAddress, _ variable: (String) -> String?
    ) throws(EmbeddingError) -> ServiceHeader {
        var value = ""
        for part in parts {
            switch part {
            case .text(let text): value += text
            case .variable(let name):
                guard let found = variable(name) else {
                    throw .service(
                        name: address.description,
                        reason: "needs the header \(self.name): the environment variable \(name) "
                            + "is not set", .usage, remedy: "export \(name)=VALUE")
                }
                value += found
            }
        }
        guard let header = ServiceHeader(name, value) else {
            throw .service(
                name: address.description,
                reason: "cannot receive the header \(name): its value "
                    + "is empty, too long or not printable ASCII", .usage)
        }
        return header
    }
}
