import Conditions
import Foundation
import Objects
import TestSupport
import Testing

@testable import FeaturePipeline

@Suite("Attributes of documents")
struct AttributeTests {
    private func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8).span) }

    private func object(_ text: String) throws -> JSONObject {
        try #require(try json(text).object)
    }

    @Test(
        "dates of every common form are normalised",
        arguments: [
            ("2026-01-31", "2026-01-31"), ("2026/1/5", "2026-01-05"), ("20260131", "2026-01-31"),
            ("2026-01-31T10:00", "2026-01-31T10:00:00Z"), (" 2026.01.31 ", "2026-01-31"),
            ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31t10:00:00.123456z", "2026-01-31T10:00:00Z"),
            ("2026-01-31 23:30:00 -0500", "2026-02-01T04:30:00Z"),
            ("2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43Z"),
            ("2026-01-31 10:00:00 +0000 UTC", "2026-01-31T10:00:00Z"),
            ("20260131T100000Z", "2026-01-31T10:00:00Z"),
            ("D:20260131100000+02'00'", "2026-01-31T08:00:00Z"),
            ("D:20260131100000Z00'00'", "2026-01-31T10:00:00Z"),
            ("Sat, 31 Jan 2026 10:00:00 +0200", "2026-01-31T08:00:00Z"),
            ("Sat, 31 Jan 2026 10:00:00 GMT", "2026-01-31T10:00:00Z"),
            ("Sat, 31 Jan 2026 10:00:00 EST", "2026-01-31T15:00:00Z"),
            ("Sat Jan 31 10:00:00 2026 -0500", "2026-01-31T15:00:00Z"),
            ("Sat Jan 31 2026 10:00:00 GMT+0100 (CET)", "2026-01-31T09:00:00Z"),
            ("31 January 2026", "2026-01-31"), ("January 31st, 2026", "2026-01-31"),
            ("Jan. 31, 2026 at 9:05 pm", "2026-01-31T21:05:00Z"), ("31-Jan-2026", "2026-01-31"),
            ("12:30 am, 1 Sept 2025", "2025-09-01T00:30:00Z"), ("2024-02-29", "2024-02-29"),
        ])
    func dates(text: String, canonical: String) {
        #expect(DateText(text)?.canonical == canonical)
    }

    @Test(
        "text that is not a date, and an ambiguous date, give no date",
        arguments: [
            "", "soon", "2026", "2026-01", "01/02/2026", "2026-02-29", "2026-13-01", "2026-01-32",
            "2026-01-31T25:00", "2026-01-31T10:61", "2026-01-31T10:00 Mars", "2026-W05", "2026-031",
            "31 Jan", "Jan 2026 Jan 5", "yesterday", "2026-01-31-02", "2026-01-31T10:00:00+99:00",
            "5 of diamonds 2026", "٢٠٢٦-٠١-٣١", "2026-01-31\u{0}", "9999999999",
            String(repeating: "2026-01-31 ", count: 1000),
        ])
    func noDates(text: String) { #expect(DateText(text) == nil) }

    @Test("any text gives a normalised date, or none")
    func anyDate() throws {
        var random = SeededGenerator(seed: 11)
        let pieces = [
            "2026", "01", "31", "-", "/", ":", " ", "T", "Z", "+", "Jan", "pm", "D:", "'", ",", ".",
            "10", "GMT", "(", "\u{e9}",
        ]
        var found = 0
        for _ in 0..<50_000 {
            let text = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            guard let date = DateText(text) else { continue }
            found += 1
            #expect(Timestamp(reading: date.canonical) != nil, "\(text)")
            #expect(DateText(date.canonical)?.canonical == date.canonical, "\(text)")
        }
        #expect(found > 20)
    }

    @Test(
        "values take the form of their type",
        arguments: [
            ("string", #""  a\n b ""#, #""a b""#), ("string", "5", #""5""#),
            ("string", #"["ada","bob"]"#, #""ada, bob""#), ("string", #""""#, "none"),
            ("string", #"{"a":1}"#, "misfit"), ("string", "null", "none"),
            ("string", #""\u0007x""#, #""x""#),
            ("integer", "5", "5"), ("integer", #"" 5 ""#, "5"), ("integer", "5.5", "misfit"),
            ("integer", "5.0", "5"), ("integer", "true", "misfit"),
            ("integer", "1e300", "misfit"), ("integer", #""9007199254740993""#, "misfit"),
            ("number", #""5.50""#, "5.5"), ("number", #""0x10""#, "misfit"),
            ("number", #""nan""#, "misfit"), ("number", #""1e999""#, "misfit"),
            ("boolean", #""Yes""#, "true"), ("boolean", "0", "false"), ("boolean", "2", "misfit"),
            ("date", #""31 Jan 2026""#, #""2026-01-31""#), ("date", #""soon""#, "misfit"),
            ("date", "20260131", #""2026-01-31""#),
            ("date", "1769853600", #""2026-01-31T10:00:00Z""#),
            ("date", "1769853600123", #""2026-01-31T10:00:00Z""#), ("date", "7", "misfit"),
            ("date", "1e300", "misfit"), ("date", #"["2026-01-31"]"#, #""2026-01-31""#),
            ("date", #"["2026-01-31","2026-02-01"]"#, "misfit"),
            ("strings", #""a, b,,a""#, #"["a","b"]"#),
            ("strings", #"["a, b",2]"#, #"["a, b","2"]"#),
            ("strings", "[]", "none"), ("strings", #"[{"a":1}]"#, "misfit"),
        ])
    func values(type: String, text: String, expected: String) throws {
        let type = try #require(AttributeType(rawValue: type))
        switch AttributeValue(try json(text), as: type) {
        case .none: #expect(expected == "none")
        case .misfit: #expect(expected == "misfit")
        case .value(let value): #expect(value.canonicalText == expected)
        case .cut: Issue.record("cut")
        }
    }

    @Test("overlong texts and lists are truncated at a character")
    func cut() throws {
        let long = String(repeating: "é", count: AttributeValue.textLimit)
        guard case .cut(.string(let text)) = AttributeValue(.string("x" + long), as: .string) else {
            Issue.record("not cut")
            return
        }
        #expect(text.utf8.count == AttributeValue.textLimit - 1 && text.hasSuffix("é"))
        let many = JSON.array((0..<1000).map { .string(String($0)) })
        guard case .cut(.array(let items)) = AttributeValue(many, as: .strings) else {
            Issue.record("not cut")
            return
        }
        #expect(items.count == AttributeValue.listLimit)
    }

    @Test(
        "templates are filled with parts of the path",
        arguments: [
            (
                "https://docs.example.com/{path}", "a/b c#.md",
                "https://docs.example.com/a/b%20c%23.md"
            ),
            ("{path}", "a/b c.md", "a/b c.md"), ("{stem}", "a/b.tar.gz", "b.tar"),
            ("{name}", "a/b.md", "b.md"), ("{stem}", ".profile", ".profile"),
            ("x/{folder}/{stem}/", "a/b/c.md", "x/a/b/c/"), ("x/{folder}/{stem}/", "c.md", "x/c/"),
            ("{1} {2}", "a/b.md", "a b.md"), ("{{{1}}}", "a/b.md", "{a}"), ("same", "a.md", "same"),
        ])
    func templates(text: String, path: String, value: String) throws {
        #expect(try ValueTemplate(text).value(of: DocumentPlace(file: path)) == value)
    }

    @Test("a part that a path does not have gives no value; a record's name is its last part")
    func places() throws {
        #expect(try ValueTemplate("{2}").value(of: DocumentPlace(file: "a.md")) == nil)
        let record = DocumentPlace(file: "faq/en.jsonl", record: "a.b/7")
        #expect(try ValueTemplate("{stem} {folder}").value(of: record) == "a.b/7 faq/en.jsonl")
        for wrong in ["{", "{pth}", "{0}", "{}", "{ path }", "x{1"] {
            #expect(throws: ValueTemplateError.self) { try ValueTemplate(wrong) }
        }
    }

    @Test("members are found under any usual spelling of their names, also in objects and lists")
    func members() throws {
        let members = NamedMembers(
            try object(
                #"{"Author":"ada","last-modified":"x","a":{"b":{"c":1}},"a.b":2,"og:url":"u","#
                    + #""tags":[{"name":"x"},{"name":"y"},3]}"#))
        #expect(members.value(of: "author") == "ada")
        #expect(members.value(of: "Last Modified") == "x")
        #expect(members.value(of: "a.b.c") == 1)
        #expect(members.value(of: "a.b") == 2)
        #expect(members.value(of: "og:url") == "u")
        #expect(members.value(of: "tags.name") == ["x", "y"])
        #expect(members.value(of: "a.none") == nil && members.value(of: "") == nil)
        let deep = String(repeating: "a.", count: 2000) + "a"
        #expect(members.value(of: deep) == nil)
    }

    @Test("fitting values are in the row; others are null and reported, and hide no synonym")
    func resolved() throws {
        let attributes = SourceAttributes([
            AttributeRule("author", .string), AttributeRule("updated", .date),
            AttributeRule("tags", .strings), AttributeRule("stars", .integer),
            AttributeRule("url", .string),
            AttributeRule("seen", .date, from: .fileTime),
            AttributeRule("public", .boolean, from: .constant(.truth(true))),
        ])
        let metadata = try object(
            #"{"author":"","article:author":"ada","updated":"2026-01-31","stars":"many","#
                + #""keywords":"a, b","canonical":"https://x.org/"}"#)
        let time = try #require(Timestamp("2026-08-01T09:30:00.250Z"))
        let found = attributes.resolve(metadata, at: DocumentPlace(file: "a.md"), modified: time)
        let expected = try object(
            #"{"author":"ada","updated":"2026-01-31","tags":["a","b"],"stars":null,"#
                + #""url":"https://x.org/","seen":"2026-08-01T09:30:00Z","public":true}"#)
        #expect(found.members == expected)
        #expect(found.misfits.map(\.name) == ["stars"] && found.misfits.first?.text == "many")
        #expect(attributes.readsFileTimes)
        for (text, author) in [
            (#"{"author":{"name":"ada","url":"u"}}"#, "ada" as JSON),
            (#"{"author":{"url":"u"}}"#, .null), (#"{"author.name":"ada"}"#, "ada"),
            (#"{"authors":[{"name":"ada"},{"name":"bob"}]}"#, "ada, bob"),
        ] {
            let found = SourceAttributes([AttributeRule("author", .string)]).resolve(
                try object(text), at: DocumentPlace(file: "a.md"), modified: nil)
            #expect(found.members["author"] == author, "\(text)")
            #expect(found.misfits.isEmpty == (author != .null))
        }
    }
}
