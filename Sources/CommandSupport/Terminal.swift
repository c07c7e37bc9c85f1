internal import Glibc

/// What is known of the terminal behind a descriptor.
public struct Terminal: Sendable {
    /// Whether a person reads what is written there.
    public let isTerminal: Bool
    /// The number of columns; 80 where that is not known.
    public let width: Int
    /// Whether colour is wanted there: on a terminal, without `NO_COLOR`, and not a dumb one.
    public let hasColor: Bool

    /// Makes a description by hand.
    public init(isTerminal: Bool, width: Int, hasColor: Bool) {
        self.isTerminal = isTerminal
        self.width = width
        self.hasColor = hasColor
    }

    /// Asks about a descriptor of this process.
    public init(descriptor: Int32, environment: Environment) {
        isTerminal = isatty(descriptor) == 1
        hasColor =
            isTerminal && environment.variable("NO_COLOR") == nil
            && environment.variable("TERM") != "dumb"
        var size = winsize()
        if isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            width = Int(size.ws_col)
        } else {
            width = environment.variable("COLUMNS").flatMap { Int($0) }.map { max($0, 20) } ?? 80
        }
    }
}
