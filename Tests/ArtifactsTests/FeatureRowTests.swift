import Artifacts
import Objects
import Testing

@Suite("Rows of features")
struct FeatureRowTests {
    private func object(_ text: String) throws -> JSONObject {
        try #require(try JSON(parsing: Array(text.utf8).span).object)
    }

    private let required =
        #""document":"a.md","title":"A","section":"s","headings":["A"],"ordinal":0,"text":"x""#

    @Test(
        "every member of a row survives a round trip",
        arguments: [
            "", #","links":["https://x.org/"],"languages":["swift"],"page":7"#,
            #","author":"ada","tags":["a","b"],"updated":null,"nested":{"a":[1,2.0]}"#,
            // Of another type than this program would write.
            #","links":"none","languages":[1],"page":"vii""#, #","links":[],"page":1.5"#,
        ])
    func lossless(members: String) throws {
        let attributes = try object("{\(required)\(members)}")
        #expect(try FeatureRow(attributes: attributes).attributes == attributes)
    }

    @Test("exactly the members that are not built in are metadata")
    func metadata() throws {
        let row = try FeatureRow(
            attributes: try object(
                "{\(required),\"links\":[\"/a\",\"/b\"],\"page\":3,\"author\":\"ada\"}"))
        #expect(row.links == ["/a", "/b"] && row.languages.isEmpty && row.page == 3)
        #expect(row.metadata == (["author": "ada"] as JSON).object)
        #expect(row.embeddingText == "A\nx")
    }

    @Test("a row that lacks a required member is malformed")
    func malformed() throws {
        for members in [#""document":"a""#, required.replacing("[\"A\"]", with: "[1]")] {
            #expect(throws: ObjectError.self) {
                try FeatureRow(attributes: try object("{\(members)}"))
            }
        }
    }
}
