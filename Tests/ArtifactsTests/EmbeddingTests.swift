import Artifacts
import Objects
import Storage
import TestSupport
import Testing

@Suite struct EmbeddingTests {
    let embedder: BuiltinEmbedder

    init() throws { embedder = try BuiltinEmbedder() }

    private func cosine(_ a: String, _ b: String) -> Float {
        let left = embedder.embed(a, as: .document)
        let right = embedder.embed(b, as: .query)
        return DotProduct.of(left.span, right.span)
    }

    @Test("vectors have length 1 and text without words has the zero vector")
    func lengths() {
        let vector = embedder.embed("Mount the hub on a wall.", as: .document)
        #expect(vector.count == 384)
        #expect(abs(DotProduct.of(vector.span, vector.span) - 1) < 1e-5)
        #expect(embedder.embed("", as: .document).allSatisfy { $0 == 0 })
        #expect(embedder.embed(" ... \u{0}", as: .query).allSatisfy { $0 == 0 })
    }

    @Test("related texts are closer than unrelated ones")
    func meaning() {
        let question = "How do I calibrate the soil probe?"
        let right = "Calibrating a soil probe takes two points: dry air and wet sand."
        let wrong = "Invoices are sent on the first day of the month."
        #expect(cosine(question, right) > cosine(question, wrong) + 0.1)
        #expect(cosine("VALVE Düse", "valve düse") > 0.999)
    }

    @Test("golden numbers of the embedder")
    func golden() {
        let text = EmbeddingSpace.canaryTexts[0]
        let vector = embedder.embed(text, as: .document)
        var bytes: [UInt8] = []
        for number in vector {
            for shift: UInt32 in [0, 8, 16, 24] {
                bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
            }
        }
        let digest = ObjectID(of: bytes.span)
        #expect(
            vector.prefix(4).map(\.bitPattern) == [1_024_742_157, 0, 3_177_896_149, 1_033_130_765])
        #expect(digest.short == "6fd7ef818d3d")
        #expect(embedder.space.id.short == "f7ce367e9c26")
    }

    @Test("a space has the same identity in every process and another per dimension")
    func spaceIdentity() throws {
        #expect(try BuiltinEmbedder().space.id == embedder.space.id)
        #expect(try BuiltinEmbedder(dimension: 256).space.id != embedder.space.id)
        #expect(embedder.space.encoded.count < 64 << 10)
    }

    @Test("a space reads back from its object, and finds its embedder")
    func spaceRoundTrip() throws {
        let store = MemoryStore()
        let id = try embedder.space.write(to: store)
        #expect(id == embedder.space.id)
        let space = try EmbeddingSpace(id, in: store)
        #expect(space == embedder.space)
        #expect(try space.availableEmbedder().space.id == id)
    }

    @Test("a space refuses an embedder whose canaries differ")
    func canaries() throws {
        var space = embedder.space
        var vector = space.canaries[3].vector
        vector[5] += 0.01
        space.canaries[3] = .init(text: space.canaries[3].text, vector: vector)
        #expect(throws: EmbeddingError.self) { try space.check(embedder) }
        #expect(throws: EmbeddingError.self) { try space.availableEmbedder() }
        space = embedder.space
        space.version = "0"
        #expect(throws: EmbeddingError.self) { try space.availableEmbedder() }
        #expect(throws: EmbeddingError.invalidDimension(12)) { try BuiltinEmbedder(dimension: 12) }
    }

    @Test("an embedder with a different tokenizer is refused, and the error names the tokenizer")
    func tokenizer() throws {
        var space = embedder.space
        space.tokenizer = ObjectID(of: [1, 2, 3].span)
        #expect(space.dimension == embedder.space.dimension)
        #expect(space.weights == embedder.space.weights)
        #expect(throws: Never.self) { try space.check(embedder) }
        do {
            _ = try space.availableEmbedder()
            Issue.record("accepted")
        } catch {
            #expect(error.fault == .refused)
            #expect(error.message.contains("tokenizer \(space.tokenizer.short), not"))
        }
        #expect(embedder.space.differences(from: space).count == 1)
    }

    @Test("a truncated space is refused, and a changed byte is refused or gives another space")
    func hostileSpace() throws {
        let bytes = try BuiltinEmbedder(dimension: 8).space.encoded
        let original = try EmbeddingSpace(decoding: bytes)
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: ObjectError.self) {
                try EmbeddingSpace(decoding: Array(bytes[..<count]))
            }
        }
        var random = SeededGenerator(seed: 7)
        var accepted = 0
        for _ in 0..<300 {
            var changed = bytes
            let at = Int(random.next() % UInt64(bytes.count))
            changed[at] ^= UInt8(1 << (random.next() % 8))
            if let space = try? EmbeddingSpace(decoding: changed) {
                accepted += 1
                #expect(space.encoded == changed)
                #expect(space != original)
            }
        }
        #expect(accepted > 0 && accepted < 300)
    }

    @Test(
        "all spellings of a text have the same vector",
        arguments: [
            ("Die Größe der Düse", "die Gro\u{308}ße DER Du\u{308}se"), ("ﬁle ＦＴＩ", "file fti"),
            ("soft\u{AD}ware ガイド", "SOFTWARE ｶﾞｲﾄﾞ"), ("Straße", "STRASSE"),
            ("한국어", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}\u{110B}\u{1165}"),
        ])
    func spellings(one: String, other: String) {
        #expect(embedder.embed(one, as: .document) == embedder.embed(other, as: .query))
    }

    @Test("a word is found in all its forms, and so are words of two ideographs")
    func stemsAndPairs() {
        #expect(cosine("connections", "The connection is closed.") > 0.3)
        #expect(cosine("退款", "本店的退款政策适用于所有订单。") > 0.2)
        #expect(cosine("select_related", "Call select_related() first") > 0.5)
        #expect(cosine("authentication", "authentcation tokens") > 0.1, "a typing error")
        #expect(abs(cosine("the of and", "the pump")) < 0.5)
    }

    @Test("a features row reads back from its attributes")
    func featureRow() throws {
        let row = FeatureRow(
            document: "install/mounting.md", title: "Mounting the hub",
            section: "drilling-template",
            headings: ["Mounting the hub", "Drilling template"], ordinal: 3,
            text: "Drill 6 mm holes.")
        #expect(row.key == "install/mounting.md#drilling-template/03")
        #expect(try FeatureRow(attributes: row.attributes) == row)
        var attributes = row.attributes
        attributes["language"] = "en"
        let more = try FeatureRow(attributes: attributes)
        #expect(
            more.metadata["language"] == "en"
                && more.embeddingText == row.embeddingText)
        for key in row.attributes.keys {
            var broken = row.attributes
            broken[key] = nil
            #expect(throws: ObjectError.self) { try FeatureRow(attributes: broken) }
            broken[key] = true
            #expect(throws: ObjectError.self) { try FeatureRow(attributes: broken) }
        }
    }
}
