extension TextAnalyzer {
    /// Says how text becomes tokens: the rules, the version of Unicode, the stop words, and the
    /// stems of fixed words by each stemmer. At most 64 KiB of UTF-8.
    ///
    /// Two programs with the same bytes find the same tokens, as far as these stems tell stemmers
    /// apart. Any change of the rules must change the number in the first line.
    public static let definition: [UInt8] = {
        var lines = [
            "fti text analysis 1",
            "form: NFKC of the full case folding of the decomposed text, default ignorables dropped",
            "words: begin with L or N, go on with L, N and M; U+2010 is a hyphen",
            "joined by one of _ - . : each word, the whole, and what is between dots",
            "mixed case: the word, and its parts of two bytes and more",
            "pairs of characters: Han with kana, Thai, Lao, Khmer, Myanmar; Hangul: words and pairs",
            "stems of words up to \(Stemmer.longestWord) bytes; stop words have none",
            "hash: FNV-1a over UTF-8, mixer of SplitMix64",
            "unicode \(TextForm.unicodeVersion)",
        ]
        for (code, list) in StopWords.lists.sorted(by: { $0.key < $1.key }) {
            lines.append("stop words \(code): \(list)")
        }
        for (code, algorithm) in Language.algorithms.sorted(by: { $0.key < $1.key }) {
            guard let language = Language(code: code) else { continue }
            let stemmer = Stemmer(language, stopWords: [])
            let stems = sampleWords.map { word in
                let stem = stemmer.stem(of: Array(word.utf8)) ?? Array(word.utf8)
                return String(decoding: stem, as: UTF8.self)
            }
            lines.append("stems \(code) \(algorithm): \(stems.joined(separator: " "))")
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }()

    /// Words of many languages. Every stemmer changes some, and they are such that versions of
    /// Snowball disagreed on.
    private static let sampleWords = """
        running connections happily generalization university skies dying news past evening geologist \
        succeeding fluently added häuser kindern aufgaben möglichkeiten systemischen \
        continuellement chevaux majestés nationalité corriendo canciones niños hablaremos andando \
        ragazze pronunciare quilométricas boas correndo lichamen mogelijkheden geleerde flickorna \
        arbetade möjligheten muligheden kunstnerne arbeidene tietokoneet taloissa házakban könyvek \
        книгами возможности делающий kitaplardan evlerimizde copiilor frumoase كتابات والمدرسة \
        मानवीयता लड़कियों menjalankan βιβλία πόλεις գրքերը cavalls etxeak knygomis குழந்தைகள் knjigama \
        leabhair किताबहरू ביכער
        """.split(separator: " ").map(String.init)
}
