internal import CUTF8Proc

/// The forms of Unicode that texts are brought into, by utf8proc.
public enum TextForm {
    /// The version of Unicode that forms, letters and marks follow, such as `14.0.0`.
    public static var unicodeVersion: String { String(cString: utf8proc_unicode_version()) }

    /// Normal form C, for what is stored. A text that is in that form already is returned as it is.
    public static func composed(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 })
            || text.unicodeScalars.allSatisfy({ Characters.isComposed($0.value) })
        {
            return text
        }
        let composed = mapped(text, to: .composed)
        return composed.utf8.elementsEqual(text.utf8) ? text : composed
    }

    /// The form that is matched: normal form KC with case folded and without characters that are
    /// not visible, such as soft hyphens and spaces without width.
    ///
    /// The decomposed and the composed spelling of a text, full-width letters, ligatures, capitals:
    /// all have one form. It is that of itself.
    public static func matched(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        return mapped(text, to: .matched)
    }

    private static func mapped(_ text: String, to form: Normalizer.Form) -> String {
        var normalizer = Normalizer(form)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            // A stretch ends where nothing that follows can change it.
            if !normalizer.isEmpty, Characters.beginsStretch(scalar.value) {
                normalizer.finish { Characters.append($0, to: &bytes) }
            }
            normalizer.append(scalar.value)
        }
        normalizer.finish { Characters.append($0, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
