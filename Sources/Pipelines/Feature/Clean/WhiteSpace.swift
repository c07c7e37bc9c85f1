/// Text whose white space and control characters are put in order.
enum WhiteSpace {
    /// Runs of white space become one space; white space at the ends, control characters and invisible
    /// formatting go.
    static func collapsed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isPending = false
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                isPending = true
            } else if !isInvisible(scalar) {
                if isPending, !result.isEmpty { result.append(" ") }
                isPending = false
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Lines keep their spaces, but not those at their ends; empty lines at the start and end go, and so
    /// do control characters.
    static func lines(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var line = String.UnicodeScalarView()
        var newlines = 0
        func endLine() {
            while let last = line.last, isSpace(last) { line.removeLast() }
            if !line.isEmpty {
                if !result.isEmpty {
                    // More than one empty line says no more than one.
                    for _ in 0..<min(newlines, 2) { result.append("\n") }
                }
                result.append(contentsOf: line)
                newlines = 0
            }
            line = String.UnicodeScalarView()
            newlines += 1
        }
        var wasReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r": endLine()
            case "\n": if !wasReturn { endLine() }
            case "\t": line.append(scalar)
            default: if !isInvisible(scalar) { line.append(scalar) }
            }
            wasReturn = scalar == "\r"
        }
        endLine()
        return String(result)
    }

    /// Unicode's white space.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x80
            ? scalar.value == 0x20 || scalar.value &- 0x09 < 5 : scalar.properties.isWhitespace
    }

    /// What has no width and no meaning in running text. Joiners stay: scripts and emoji need them.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E: false
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x200B, 0x2060, 0xFEFF, 0xFFFD: true
        default: false
        }
    }
}
