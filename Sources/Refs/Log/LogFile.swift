internal import Objects
package import Storage

/// The names of the log's files.
package enum LogFile {
    /// The digits of an entry's number: as many as the largest 64-bit number has.
    static let digits = 20

    /// The hint: the newest entry that somebody has seen.
    package static let tip = BlobName(.log, "tip")

    /// Room for an entry when the disk is full: whoever frees space removes it first.
    package static let reserve = BlobName(.log, "reserve")
    /// What is in ``reserve``: room for one entry, and for the blocks that the file system needs beside it.
    package static let reserveBytes = [UInt8](repeating: 0, count: 256 << 10)

    package static func entry(_ number: Int) -> BlobName {
        BlobName(.log, padded(number) + ".json")
    }

    /// Where an entry is, for messages.
    package static func place(of number: Int) -> String { entry(number).description }

    /// The number of the entry that a file name stands for; nil when it stands for none.
    static func number(ofEntry name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == digits + 5, bytes.suffix(5).elementsEqual(".json".utf8) else {
            return nil
        }
        return number(bytes[..<digits])
    }

    static func padded(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Reads decimal digits, leading zeros allowed; nil for anything else and for numbers that no entry
    /// can have.
    static func number(_ bytes: some Collection<UInt8>) -> Int? {
        guard !bytes.isEmpty else { return nil }
        var value = 0
        for byte in bytes {
            guard case 0x30...0x39 = byte else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            let (sum, carry) = product.addingReportingOverflow(Int(byte - 0x30))
            guard !carry else { return nil }
            value = sum
        }
        return value < JSON.largestInteger ? value : nil
    }
}
