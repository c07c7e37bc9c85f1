/// A property of the bytes of some format that must hold for every input.
package struct FuzzTarget: Sendable {
    /// The target's name, and that of the folder with its corpus.
    package let name: String
    /// The most bytes of an input; longer ones find nothing new.
    package let longestInput: Int
    /// Words of the format, which random mutation would not find.
    package let words: [String]
    /// The seeds of the corpus.
    package let seeds: @Sendable (ExampleBytes) throws -> [[UInt8]]
    /// Runs one input. A refused input is not a finding; a thrown error or a crash is.
    let run: @Sendable (Span<UInt8>) throws(FuzzFinding) -> Void

    init(
        _ name: String, longestInput: Int = 4096, words: [String] = [],
        seeds: @escaping @Sendable (ExampleBytes) throws -> [[UInt8]],
        run: @escaping @Sendable (Span<UInt8>) throws(FuzzFinding) -> Void
    ) {
        self.name = name
        self.longestInput = longestInput
        self.words = words
        self.seeds = seeds
        self.run = run
    }

    package func check(_ input: [UInt8]) throws(FuzzFinding) {
        let span = input.span
        try run(span)
    }

    /// All targets.
    package static let all: [FuzzTarget] = [
        .footers, .pieces, .codecs, .nodes, .tables, .trees, .snapshots, .entries, .checkpoints,
        .segments, .signatures, .policies, .leases, .memories, .weights, .rows, .json, .revisions,
        .conditions,
        .names, .locks, .spaces, .replies, .configurations, .attributes, .html, .markdown,
        .dialects, .markup, .word, .notebook, .pdf, .patterns, .words, .postings, .chats, .prompts,
        .canaries, .records, .tokenizers,
    ]
}

/// A violated property.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }

    /// Throws unless the property holds.
    static func unless(
        _ holds: Bool, _ description: @autoclosure () -> String
    ) throws(FuzzFinding) {
        guard holds else { throw FuzzFinding(description()) }
    }
}

extension Array<UInt8> {
    /// Copies a span.
    init(_ span: Span<UInt8>) {
        self = span.withUnsafeBufferPointer { Self($0) }
    }
}
