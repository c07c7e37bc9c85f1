/// The titles that programs write into the properties of documents, which people seldom look at.
enum DeclaredTitle {
    /// A title that tells something of its document; nil for a file's name and for what programs make up.
    static func usable(_ title: String?) -> String? {
        let title = WhiteSpace.collapsed(title ?? "")
        let name = title.lowercased()
        guard title.unicodeScalars.contains(where: { $0.properties.isAlphabetic }),
            ![
                "untitled", "unbenannt", "sans titre", "title", "document", "word document",
                "powerpoint presentation", "slide 1", "no title", "template", "(anonymous)",
                "(unspecified)", "unknown",
            ].contains(name),
            !name.hasPrefix("microsoft word - "), !name.hasPrefix("microsoft powerpoint - "),
            !endings.contains(where: name.hasSuffix), !name.contains("://"), !name.hasPrefix("/")
        else { return nil }
        return title
    }

    private static let endings = [
        ".doc", ".docx", ".docm", ".dotx", ".dot", ".odt", ".rtf", ".pdf", ".tex", ".dvi", ".ps",
        ".indd",
        ".qxd", ".fm", ".ppt", ".pptx", ".xls", ".xlsx", ".html", ".htm", ".txt", ".md", ".eps",
        ".ai",
    ]
}
