/// Why a name cannot be a file's.
public struct FileNameError: Diagnosable, Hashable {
    /// The name as it came.
    public let name: [UInt8]
    /// What is wrong with it, as a clause that begins with "it".
    public let reason: String

    /// See ``Diagnosable``.
    public var fault: Fault { .usage }

    /// See ``Diagnosable``.
    public var message: String { "\(quoted) cannot be a file name: \(reason)" }

    /// See ``Diagnosable``.
    public var remedy: String? { "rename the file" }

    /// The name as printable ASCII in quotes, everything else escaped as `\xNN`.
    public var quoted: String {
        var text = "\""
        for byte in name.prefix(FileName.byteLimit + 1) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text += "\\" + String(decoding: [byte], as: UTF8.self)
            case 0x20...0x7E: text += String(decoding: [byte], as: UTF8.self)
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }
}
