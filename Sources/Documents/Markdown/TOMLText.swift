internal import TOMLKit

/// TOML by way of toml++.
enum TOMLText {
    /// The library descends into tables within tables, which a key with many dots makes.
    private static let keyPartLimit = 100

    /// The document as JSON; dates and times are strings.
    ///
    /// - Throws: What is wrong with it, and where.
    static func json(_ text: String) throws(FrontMatterReader.Malformed) -> [UInt8] {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated()
        where line.count(where: { $0 == UInt8(ascii: ".") }) > keyPartLimit {
            throw FrontMatterReader.Malformed(
                reason: "not TOML: too many dots in line \(index + 1)")
        }
        do {
            return Array(try TOMLTable(string: text).convert(to: .json).utf8)
        } catch let error as TOMLParseError {
            throw FrontMatterReader.Malformed(
                reason: "not TOML: \(error.description) in line \(error.source.begin.line)")
        } catch {
            throw FrontMatterReader.Malformed(reason: "not TOML")
        }
    }
}
