internal import CStemmer
internal import Synchronization

/// Finds the stems and the stop words of one language; without a stemmer a word is its own stem.
///
/// Pointers are confined to this file. Not for two threads at once: a ``StemmerPool`` lends it to
/// one at a time, which is why it may cross threads.
final class Stemmer: @unchecked Sendable {
    /// What a word is compared by, and whether it is looked for.
    struct Entry {
        var word: UInt64
        var stem: UInt64
        var isStopWord: Bool
    }

    private let handle: OpaquePointer?
    private let stopWords: Set<UInt64>
    /// The last word of each place: texts repeat their words.
    private var known: [Entry]

    private static let places = 1 << 13
    /// A longer run of letters is no word of any language.
    static let longestWord = 256

    init(_ language: Language, stopWords: Set<UInt64>) {
        handle = language.algorithm.flatMap { sb_stemmer_new($0, nil) }
        self.stopWords = stopWords
        // No word of another place is taken for that of its own.
        known = (0..<Self.places).map {
            Entry(word: UInt64(~$0 & 0xFFFF), stem: 0, isStopWord: false)
        }
    }

    deinit { if let handle { sb_stemmer_delete(handle) } }

    /// The entry of a word with a hash.
    ///
    /// - Parameter word: Gives the word in the form that is matched, when it is not known.
    @inline(__always)
    func entry(of hash: UInt64, word: () -> [UInt8]) -> Entry {
        let place = Int(truncatingIfNeeded: hash) & (Self.places - 1)
        let entry = known[place]
        return entry.word == hash ? entry : makeEntry(of: hash, word(), at: place)
    }

    private func makeEntry(of hash: UInt64, _ word: [UInt8], at place: Int) -> Entry {
        var entry = Entry(word: hash, stem: hash, isStopWord: stopWords.contains(hash))
        if !entry.isStopWord, let stem = stem(of: word) { entry.stem = FeatureHash.of(stem) }
        known[place] = entry
        return entry
    }

    /// The stem of a word in the form that is matched; nil when it is the word itself.
    func stem(of word: [UInt8]) -> [UInt8]? {
        guard let handle, word.count <= Self.longestWord,
            let stem = sb_stemmer_stem(handle, word, Int32(word.count))
        else { return nil }
        let count = Int(sb_stemmer_length(handle))
        return Array(UnsafeBufferPointer(start: stem, count: count))
    }
}

/// Stemmers of one language, each lent to one thread at a time.
final class StemmerPool: Sendable {
    private let language: Language
    private let stopWords: Set<UInt64>
    private let idle = Mutex<[Stemmer]>([])

    init(_ language: Language) {
        self.language = language
        stopWords = StopWords.hashes(language)
    }

    /// Lends a stemmer for as long as `body` runs.
    func withStemmer<Result>(_ body: (Stemmer) -> Result) -> Result {
        let stemmer = idle.withLock { $0.popLast() } ?? Stemmer(language, stopWords: stopWords)
        defer { idle.withLock { $0.append(stemmer) } }
        return body(stemmer)
    }
}
