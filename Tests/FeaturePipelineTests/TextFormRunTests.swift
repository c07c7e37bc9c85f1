import Conditions
import Artifacts
import FeaturePipeline
import Foundation
import Objects
import TestSupport
import Testing
import TextAnalysis

@Suite("Forms and languages in runs")
struct TextFormRunTests {
    private func configuration(
        _ bench: Bench, language: LanguageChoice? = nil, _ attributes: [AttributeRule] = []
    ) -> FeatureConfiguration {
        var source = DocumentSource(location: "\(bench.folder.path)/docs")
        source.language = language
        source.attributes = attributes
        return bench.configuration([source])
    }

    private func isComposed(_ json: JSON) -> Bool {
        let text = json.canonicalText
        return TextForm.composed(text).utf8.elementsEqual(text.utf8)
    }

    private let text = """
        # Größe

        Die Düse größer wählen.

        ```
        let größe = "é"
        ```

        ## Übersicht

        Mehr über Ärger. \(String(repeating: "Später öffnen wir die Türen für Gäste. ", count: 60))

        """

    @Test("a decomposed document gives the rows of the composed one, path and anchors included")
    func composed() throws {
        var rows: [[TableRow]] = []
        for isDecomposed in [false, true] {
            let bench = try Bench()
            let name = "docs/Größe.md"
            try bench.folder.write(
                isDecomposed ? name.decomposedStringWithCanonicalMapping : name,
                isDecomposed ? text.decomposedStringWithCanonicalMapping : text)
            try bench.run(
                configuration(
                    bench,
                    [AttributeRule("name", .string, from: .template(try ValueTemplate("{name}")))]))
            rows.append(try bench.rows())
        }
        #expect(rows[0].count > 2)
        #expect(rows[0].map { Array($0.key.utf8) } == rows[1].map { Array($0.key.utf8) })
        #expect(rows[0].map(\.vector) == rows[1].map(\.vector))
        for (one, other) in zip(rows[0], rows[1]) {
            #expect(one.attributes.count == other.attributes.count)
            #expect(
                JSON.object(one.attributes).canonicalBytes
                    == JSON.object(other.attributes).canonicalBytes)
            #expect(isComposed(.object(other.attributes)))
        }
    }

    @Test("of two files whose names differ only in Unicode form, the second is skipped")
    func twins() throws {
        let bench = try Bench()
        try bench.folder.write("docs/\u{E9}.md", "# One\n\nText of one.\n")
        try bench.folder.write("docs/e\u{301}.md", "# Two\n\nText of two.\n")
        let report = try bench.run(configuration(bench))
        #expect(report.documents.added == 1 && report.skipped.count == 1)
        #expect(report.skipped.first?.reason.contains("another file") ?? false)
    }

    @Test("rows carry the language of their source, and a new language rebuilds them")
    func language() throws {
        let bench = try Bench()
        try bench.folder.write(
            "docs/de.md",
            "# Pumpe\n\nDie Pumpe startet, wenn der Boden trocken ist und es nicht regnet.\n")
        try bench.folder.write(
            "docs/en.md", "# Pump\n\nThe pump starts when the soil is dry and there is no rain.\n")
        try bench.folder.write("docs/x.md", "# 12\n\n1234 5678\n")
        func languages() throws -> [JSON?] { try bench.rows().map { $0.attributes["language"] } }
        try bench.run(configuration(bench))
        #expect(try languages() == [nil, nil, nil])
        let german = try #require(Language(code: "de-AT"))
        let report = try bench.run(configuration(bench, language: .declared(german)))
        #expect(report.rows.changed == 3 && report.embedded == 0)
        #expect(try languages() == ["de", "de", "de"])
        #expect(try bench.run(configuration(bench, language: .declared(german))).transaction == nil)
        try bench.run(configuration(bench, language: .detected))
        #expect(try languages() == ["de", "en", nil])
    }
}
