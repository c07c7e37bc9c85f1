import Conditions
@testable internal import FeaturePipeline
internal import Objects

extension FuzzTarget {
    /// Values of attributes. The first byte of the input selects the check.
    ///
    /// A date in any text has one canonical form; converting a value to its own type changes nothing; any text is a
    /// template or an error.
    static let attributes = FuzzTarget(
        "attributes", longestInput: 512,
        words: [
            "2026-01-31", "T10:00:00", "Z", "+02:00", "Jan", " GMT", "D:2026", " pm", "{path}",
            "{{", "}}", "{1}", "https://", "[\"", "\",\"", "null", "1e300", "\\u0000", ", ",
        ]
    ) { _ in
        [
            "d2026-01-31T10:00:00.5+02:00", "dSat, 31 Jan 2026 10:00:00 -0500",
            "d12:30 am, 1 May 2025",
            "dD:20260131100000+02'00'", "t https://x/{path}{{{1}", "t{folder}/{stem}",
            "v[\"a, b\",1,true,null]", "v\"31 Jan 2026\"", "v1769853600", "v{\"a\":{\"b\":1}}",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 0 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        let text = String(decoding: bytes, as: UTF8.self)
        switch input[0] {
        case UInt8(ascii: "d"): try checkDate(text)
        case UInt8(ascii: "t"): try checkTemplate(text)
        default: if let json = try? JSON(parsing: bytes.span) { try checkValue(json) }
        }
    }

    private static func checkDate(_ text: String) throws(FuzzFinding) {
        guard let date = DateText(text)?.canonical else { return }
        try FuzzFinding.unless(Timestamp(reading: date) != nil, "\(date) is not a date")
        try FuzzFinding.unless(DateText(date)?.canonical == date, "\(date) is not canonical")
    }

    private static func checkTemplate(_ text: String) throws(FuzzFinding) {
        let template: ValueTemplate
        do throws(ValueTemplateError) { template = try ValueTemplate(text) } catch {
            _ = error.reason
            return
        }
        _ = template.value(of: DocumentPlace(file: "a/b c/d.e.md"))
        _ = template.value(of: DocumentPlace(file: "a.jsonl", record: text))
    }

    private static func checkValue(_ json: JSON) throws(FuzzFinding) {
        for type in AttributeType.allCases {
            guard case .value(let value) = AttributeValue(json, as: type) else { continue }
            // A list of one text may be split at its commas once more, so lists need not be stable.
            guard type == .strings || AttributeValue(value, as: type) == .value(value) else {
                throw FuzzFinding("\(value.canonicalText) is not stable as \(type.rawValue)")
            }
        }
        if let object = json.object {
            let members = NamedMembers(object)
            for member in object { _ = members.value(of: member.key + ".a.b") }
        }
    }
}
