import Testing

@testable import TextAnalysis

@Suite("The words of texts")
struct TextAnalyzerTests {
    /// The hash of a word that is no stop word and has no other stem.
    private func word(_ text: String) -> UInt64 { TermHash.of(text) }

    private func words(_ text: String, _ code: String = "en") throws -> [UInt64] {
        let language = try #require(Language(code: code))
        return TextAnalyzer(language: language).tokens(of: text).map(\.word)
    }

    private func stems(_ text: String, _ code: String = "en") throws -> [UInt64] {
        let language = try #require(Language(code: code))
        return TextAnalyzer(language: language).tokens(of: text).filter { !$0.isStopWord }
            .map(\.stem)
    }

    @Test(
        "joined words are kept whole and split",
        arguments: [
            ("select_related", ["select_related", "select", "related"]),
            ("HTTP_HOST", ["http_host", "http", "host"]),
            ("libssl-dev", ["libssl-dev", "libssl", "dev"]),
            ("15.20", ["15.20", "15", "20"]),
            ("pg_hba.conf", ["pg_hba.conf", "pg_hba", "pg", "hba", "conf"]),
            ("--no-cache", ["no-cache", "no", "cache"]),
            ("os.path.join(a)", ["os.path.join", "os", "path", "join", "a"]),
            ("The end. Begin...", ["the", "end", "begin"]),
            ("_private_ -x- .", ["private", "x"]),
            ("and/or", ["and", "or"]),
            ("OAuth2PasswordBearer", ["oauth2passwordbearer", "auth2", "password", "bearer"]),
            ("PostgreSQL", ["postgresql", "postgre", "sql"]),
            ("HTTPServer2Go", ["httpserver2go", "http", "server2", "go"]),
            ("don't", ["don", "t"]), ("a--b", ["a", "b"]), ("", []), ("-- ..", []),
            ("APIs and URLs", ["apis", "and", "urls"]),
            ("größeMaxImum", ["grössemaximum", "grösse", "max", "imum"]),
            ("wait…what", ["wait", "what"]), ("lib\u{2010}dev", ["lib-dev", "lib", "dev"]),
            ("C3PO.py:12", ["c3po.py", "c3po", "c3", "po", "py", "12"]),
            ("x\u{338} a<\u{338}b", ["x\u{338}", "a", "b"]),
        ])
    func joined(text: String, expected: [String]) throws {
        #expect(try words(text) == expected.map(word))
    }

    @Test(
        "one text in several forms has the same words",
        arguments: [
            ("Größe der Düse", "Gro\u{308}ße der Du\u{308}se"), ("ＦＴＩ１２", "fti12"),
            ("ﬁle", "file"), ("Straße", "STRASSE"), ("soft\u{AD}ware", "software"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("한국어", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}\u{110B}\u{1165}"),
            ("Việt Nam", "Vie\u{323}\u{302}t Nam"), ("zero\u{200B}width", "zerowidth"),
        ])
    func forms(left: String, right: String) throws {
        let first = try words(left)
        #expect(!first.isEmpty)
        #expect(try first == words(right))
    }

    @Test(
        "scripts without spaces give overlapping pairs",
        arguments: [
            ("退款政策", ["退款", "款政", "政策"]), ("東京へ", ["東京", "京へ"]), ("猫", ["猫"]),
            ("GPU加速", ["gpu", "加速"]), ("ภาษาไทย", ["ภา", "าษ", "ษา", "าไ", "ไท", "ทย"]),
            ("ຂໍ້ມູນ", ["ຂໍ້ມູ", "ມູນ"]),
        ])
    func pairs(text: String, expected: [String]) throws {
        let expected = expected.map { TermHash.of(TextForm.matched($0)) }
        #expect(try words(text) == expected)
    }

    @Test("Hangul has its words and their pairs")
    func hangul() throws {
        #expect(try words("데이터베이스를").first == word("데이터베이스를"))
        #expect(try words("데이터베이스를").contains(word("데이")))
    }

    @Test(
        "the forms of a word have one stem",
        arguments: [
            ("en", "connections", "connecting"), ("de", "Häuser", "Häusern"),
            ("fr", "chevaux", "cheval"), ("es", "canciones", "canción"),
            ("it", "ragazze", "ragazza"),
            ("nl", "mogelijkheden", "mogelijkheid"), ("sv", "flickorna", "flickor"),
            ("ru", "книгами", "книга"), ("fi", "taloissa", "talossa"), ("tr", "kitaplar", "kitap"),
            ("pt", "bibliotecas", "biblioteca"), ("nb", "muligheten", "muligheter"),
        ])
    func stemming(code: String, left: String, right: String) throws {
        #expect(try stems(left, code) == stems(right, code))
        #expect(try words(left, code) != words(right, code))
    }

    @Test("a language without a stemmer keeps its words as they are")
    func withoutStemmer() throws {
        #expect(try stems("pracują", "pl") == words("pracują", "pl"))
    }

    @Test("stop words are marked and keep their positions")
    func stopWords() throws {
        let tokens = TextAnalyzer().tokens(of: "What is the size of select_related?")
        #expect(tokens.filter { !$0.isStopWord }.map(\.position) == [3, 5, 5, 6])
        #expect(try stems("der die das und", "de").isEmpty)
        #expect(try stems("Für über", "de").isEmpty)
    }

    @Test(
        "a token knows its kind and its place in the original text",
        arguments: [
            (
                "Use select_related!",
                ["word 0 Use", "identifier 1 select_related", "word 1 select", "word 2 related"]
            ),
            ("die Du\u{308}se.", ["word 0 die", "word 1 Du\u{308}se"]),
            (
                "ＦＴＩ＿１２ soft\u{AD}ware",
                ["identifier 0 ＦＴＩ＿１２", "word 0 ＦＴＩ", "word 1 １２", "word 2 soft\u{AD}ware"]
            ),
            ("PostgreSQL 15", ["word 0 PostgreSQL", "part 0 Postgre", "part 0 SQL", "word 1 15"]),
            ("见退款政策 x", ["pair 0 见退", "pair 1 退款", "pair 2 款政", "pair 3 政策", "word 4 x"]),
            ("한국어", ["word 0 한국어", "part 0 한국", "part 0 국어"]),
            ("½ ⑴", ["word 0 ½", "word 1 ½", "word 2 ⑴"]),
            (
                "a.b-c.",
                ["identifier 0 a.b-c", "word 0 a", "identifier 1 b-c", "word 1 b", "word 2 c"]
            ),
        ])
    func places(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        let found = TextAnalyzer().tokens(of: text).map {
            "\($0.kind) \($0.position) \(String(decoding: bytes[$0.range], as: UTF8.self))"
        }
        #expect(found == expected)
    }

    @Test("words of any length are tokens, hashed whole")
    func longWords() {
        let long = String(repeating: "ab", count: 100_000)
        let tokens = TextAnalyzer().tokens(of: "\(long)s x\(long)é")
        #expect(tokens.map(\.position) == [0, 1])
        #expect(tokens.allSatisfy { $0.stem == $0.word })
    }

    @Test("any text gives the same tokens in any form", .timeLimit(.minutes(1)))
    func anything() {
        var random = RandomText(seed: 11)
        let analyzer = TextAnalyzer()
        for _ in 0..<1000 {
            let text = random.text()
            let tokens = analyzer.tokens(of: text)
            #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0.position <= $1.position })
            #expect(
                tokens.allSatisfy { !$0.range.isEmpty && $0.range.upperBound <= text.utf8.count })
            let inSequence = tokens.filter(\.isInSequence).map(\.position)
            #expect(inSequence == Array(0..<inSequence.count))
            let composed = TextForm.composed(text)
            #expect(
                analyzer.tokens(of: composed).map { [$0.word, $0.stem] }
                    == tokens.map { [$0.word, $0.stem] })
            // The matched form folds case, so mixed case is gone.
            let folded = analyzer.tokens(of: TextForm.matched(text)).filter { $0.kind != .part }
            #expect(folded.map(\.word) == tokens.filter { $0.kind != .part }.map(\.word))
        }
    }

    @Test("hostile texts take linear time", .timeLimit(.minutes(1)))
    func hostile() {
        let analyzer = TextAnalyzer()
        for unit in [
            "a.b_", "語", "aB", "e\u{301}", "\u{301}\u{323}", "\u{AD}", "…", "a-\u{301}", "ㄱㅏ", "½",
        ] {
            let text = String(repeating: unit, count: 100_000)
            let tokens = analyzer.tokens(of: text)
            #expect(tokens.count <= 400_000)
            _ = Language.detected(in: text)
        }
    }

    @Test("threads share an analyzer")
    func threads() async {
        let analyzer = TextAnalyzer()
        let text = String(repeating: "connections connecting the Größe 退款政策 ", count: 500)
        let expected = analyzer.tokens(of: text)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { analyzer.tokens(of: text) == expected } }
            for await isSame in group { #expect(isSame) }
        }
    }
}
