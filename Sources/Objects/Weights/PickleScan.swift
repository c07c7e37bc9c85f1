/// Tells Python pickles from other files, by following their instructions without doing what they say.
///
/// The instructions and their arguments are those of `pickletools` in Python's standard library, protocols 0 to 5.
enum PickleScan {
    /// What follows an instruction.
    private enum Argument {
        case bytes(Int)
        case lines(Int)
        /// A little-endian length of so many bytes, and as many bytes as it says.
        case counted(Int)
    }

    /// Whether the file that begins with these bytes is a pickle.
    ///
    /// One of protocol 2 or later says so. An older one is recognised when it is a pickle from its first byte to its end,
    /// or when it is one as far as is seen and calls for an import, which is what makes a pickle dangerous.
    static func isPickle(_ head: [UInt8], isWhole: Bool) -> Bool {
        let bytes = head.span
        if bytes.count > 2, bytes[0] == 0x80, (2...5).contains(bytes[1]), argument(bytes[2]) != nil
        {
            return true
        }
        var at = 0
        var instructions = 0
        var imports = false
        while at < bytes.count {
            let instruction = bytes[at]
            guard let argument = argument(instruction), instructions > 0 || isFirst(instruction)
            else { return false }
            instructions += 1
            at += 1
            if instruction == 0x2E { return imports || (isWhole && at == bytes.count) }
            guard let next = skip(argument, at, in: bytes) else { return false }
            at = next
            // GLOBAL, INST, STACK_GLOBAL and the three of the extension registry.
            imports = imports || [0x63, 0x69, 0x93, 0x82, 0x83, 0x84].contains(instruction)
        }
        return imports && !isWhole
    }

    /// Whether an instruction can stand first: it needs nothing on the stack.
    private static func isFirst(_ instruction: UInt8) -> Bool {
        switch instruction {
        case 0x2E, 0x30, 0x31, 0x32, 0x51, 0x52, 0x61, 0x62, 0x64, 0x65, 0x6C, 0x6F, 0x70, 0x71,
            0x72,
            0x73, 0x74, 0x75, 0x67, 0x68, 0x6A, 0x69:
            false
        default: instruction < 0x80 || instruction == 0x80 || instruction >= 0x88
        }
    }

    /// Where what follows an instruction ends; nil when that is not what can follow it. What goes beyond the window
    /// ends with it.
    private static func skip(_ argument: Argument, _ start: Int, in bytes: Span<UInt8>) -> Int? {
        switch argument {
        case .bytes(let count): return min(start + count, bytes.count)
        case .lines(let count):
            var at = start
            var left = count
            while left > 0, at < bytes.count {
                // Names and numbers are short, and text that is none ends the search early.
                guard at - start < 4096 else { return nil }
                if bytes[at] == 0x0A { left -= 1 }
                at += 1
            }
            return at
        case .counted(let width):
            guard start + width <= bytes.count else { return bytes.count }
            var length: UInt64 = 0
            for index in (0..<width).reversed() {
                length = length << 8 | UInt64(bytes[start + index])
            }
            let end = start + width
            return length > UInt64(bytes.count - end) ? bytes.count : end + Int(length)
        }
    }

    private static func argument(_ instruction: UInt8) -> Argument? {
        switch instruction {
        case 0x28, 0x29, 0x2E, 0x30, 0x31, 0x32, 0x4E, 0x51, 0x52, 0x5D, 0x61, 0x62, 0x64, 0x65,
            0x6C,
            0x6F, 0x73, 0x74, 0x75, 0x7D, 0x81, 0x85...0x89, 0x8F...0x94, 0x97, 0x98:
            .bytes(0)
        case 0x4B, 0x68, 0x71, 0x80, 0x82: .bytes(1)
        case 0x4D, 0x83: .bytes(2)
        case 0x4A, 0x6A, 0x72, 0x84: .bytes(4)
        case 0x47, 0x95: .bytes(8)
        case 0x46, 0x49, 0x4C, 0x50, 0x53, 0x56, 0x67, 0x70: .lines(1)
        case 0x63, 0x69: .lines(2)
        case 0x43, 0x55, 0x8A, 0x8C: .counted(1)
        case 0x42, 0x54, 0x58, 0x8B: .counted(4)
        case 0x8D, 0x8E, 0x96: .counted(8)
        default: nil
        }
    }
}
