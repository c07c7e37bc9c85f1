internal import Glibc
internal import NIOCore

/// An IPv4 or IPv6 address. An IPv4 address that an IPv6 socket reports as `::ffff:a.b.c.d` equals the plain one.
struct IPAddress: Hashable, Sendable {
    /// The 128 bits; IPv4 addresses are mapped into `::ffff:0:0/96`.
    let bits: UInt128

    private static let mapped = UInt128(0xFFFF) << 32

    init(bits: UInt128) { self.bits = bits }

    /// Parses an address without port, brackets or zone; nil for anything else.
    init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            bits = Self.mapped | bytes.prefix(4).reduce(0) { $0 << 8 | UInt128($1) }
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            bits = bytes.reduce(0) { $0 << 8 | UInt128($1) }
        } else {
            return nil
        }
    }

    /// The address of a socket; nil for a socket of another family.
    init?(_ address: SocketAddress?) {
        // A link-local address has a zone, which does not belong to the address.
        guard let text = address?.ipAddress?.prefix(while: { $0 != "%" }) else { return nil }
        self.init(String(text))
    }

    /// Whether it is an IPv4 address.
    var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// Whether only the machine itself can reach it.
    var isLoopback: Bool { isIPv4 ? bits & 0xFF00_0000 == 0x7F00_0000 : bits == 1 }

    /// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, since one machine is given all
    /// addresses of such a network.
    var client: IPAddress { isIPv4 ? self : IPAddress(bits: bits & (UInt128.max << 64)) }
}

/// An address or a network in CIDR notation, such as `10.0.0.7`, `10.0.0.0/8` or `2001:db8::/32`.
public struct AddressRange: Hashable, Sendable {
    private let first: UInt128
    private let mask: UInt128

    /// Parses a range; nil for anything else, and for a network with bits outside its prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = Int(parts[1]), value <= width
            else { return nil }
            length = value
        }
        let free = width - length
        mask = free == 128 ? 0 : UInt128.max << UInt128(free)
        guard address.bits & ~mask == 0 || length == width else { return nil }
        first = address.bits & mask
    }

    func contains(_ address: IPAddress) -> Bool { address.bits & mask == first }
}
