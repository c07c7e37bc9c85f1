/// Names that people or attackers write and that must be refused.
package enum HostileNames {
    /// Names of files that no tree may hold, with their rows in the list of hostile inputs.
    package static let files: [(row: String, name: [UInt8])] = [
        ("B41", Array("..".utf8)), ("B42", Array(".".utf8)), ("B43", []),
        ("B44", Array("a/b".utf8)), ("B45", Array("/a".utf8)), ("B46", Array("a\\b".utf8)),
        ("B47", Array(".fti".utf8)), ("B48", Array(".FTI".utf8)),
        ("B49", Array(".f\u{200D}ti".utf8)), ("B50", Array("fti~1".utf8)),
        ("B50", Array("FTI~12".utf8)), ("B51", Array(".fti::$INDEX_ALLOCATION".utf8)),
        ("B52", Array(".git".utf8)), ("B52", Array(".GIT ".utf8)), ("B52", Array("git~1".utf8)),
        ("B52", Array(".g\u{131}t".utf8)),
        ("B53", Array("CON".utf8)), ("B53", Array("nul.txt".utf8)), ("B53", Array("COM1".utf8)),
        ("B53", Array("lpt\u{B2}.x.y".utf8)), ("B53", Array("aux .c".utf8)),
        ("B54", Array("a.".utf8)), ("B54", Array("a ".utf8)), ("B54", Array("...".utf8)),
        ("B55", Array("../\u{301}x".utf8)), ("B56", [0xFF, 0xFE]), ("B57", [0xC0, 0xAE]),
        ("B57", [0xED, 0xA0, 0x80]), ("B57", [0xE2, 0x82]),
        ("B58", Array("a\u{202E}b".utf8)), ("B58", Array("a\u{FEFF}".utf8)),
        ("B58", Array("a\u{2028}b".utf8)), ("B58", Array("a\u{FE0F}".utf8)),
        ("B59", Array("e\u{301}".utf8)), ("B62", [UInt8](repeating: 0x61, count: 256)),
        ("B104", Array("a\nb".utf8)), ("B104", [0]), ("B104", [0x61, 0]), ("B104", [0x7F]),
        ("B104", Array("\u{85}".utf8)),
    ]

    /// The ``files`` that this system can store; it refuses the others itself.
    package static let storableFiles = files.filter { _, name in
        !name.isEmpty && name.count < 256 && !name.contains(0)
            && !name.contains(UInt8(ascii: "/")) && name != [0x2E] && name != [0x2E, 0x2E]
    }

    /// Texts that are neither the name of a ref nor a revision.
    package static let refs = [
        "", "/", "models", "models/", "/models/x", "models//x", "models/../x", "models/.",
        "models/.x", "models/x.lock", "-models/x", "models/-x", "models/_x", "models/x y",
        "models/x\n", "models/x\0", "models/\u{e9}", "models/e\u{301}",
        "models/" + String(repeating: "x", count: 300), "Models/x", "unknown/x",
        "models/\u{ff41}", "models/a.lock/b", "models/\u{202E}x", "model/x",
    ]
}
