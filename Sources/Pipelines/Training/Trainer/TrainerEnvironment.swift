internal import Refs

/// The environment of a trainer: an allow-list, because the user's own holds credentials.
struct TrainerEnvironment {
    /// The variables that pass from this process, by name.
    let passed: [String: String]
    /// The variables that tell the trainer where its files are.
    var own: [String: String] = [:]

    /// The variables that every trainer gets if they are set, besides those whose names begin with `LC_`.
    private static let fixed: Set<String> = ["PATH", "LANG", "TZ"]
    /// Those whose values are folders of the run.
    private static let replaced: Set<String> = ["HOME", "TMPDIR"]

    /// Selects the variables that pass.
    ///
    /// - Parameters:
    ///   - all: The variables of this process.
    ///   - names: The names that the configuration lists.
    /// - Throws: `secretVariable` when a value contains a secret key, or the credentials of a URL.
    init(selecting names: [String], from all: [String: String]) throws(TrainingError) {
        let names = Set(names)
        passed = all.filter { name, _ in
            names.contains(name) || Self.fixed.contains(name) || name.utf8.starts(with: "LC_".utf8)
        }
        for (name, value) in passed.sorted(by: { $0.key < $1.key }) {
            guard Secrets.find(in: "\(name)=\(value)") == nil,
                Secrets.withoutCredentials(value).utf8.elementsEqual(value.utf8)
            else { throw .secretVariable(name: name) }
        }
    }

    /// All variables as `NAME=VALUE`, in the order of their names.
    var entries: [String] {
        passed.merging(own) { $1 }.map { "\($0.key)=\($0.value)" }.sorted()
    }

    /// The value of `PATH`.
    var path: String { passed["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" }

    // MARK: Names

    /// Words of names that announce a secret.
    private static let secretWords: Set<String> = [
        "TOKEN", "TOKENS", "KEY", "KEYS", "PASS", "PWD", "AUTH", "COOKIE", "COOKIES", "NETRC",
        "CERT", "PRIVATE",
    ]
    /// Parts of names that announce a secret wherever they are.
    private static let secretParts = [
        "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY", "ACCESSKEY",
    ]

    /// The reason why the configuration must not pass a variable; nil when it may.
    static func objection(to name: String) -> String? {
        let isName =
            name.utf8.first.map { !(0x30...0x39).contains($0) } == true
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x5F
            }
        guard isName else { return "'\(name)' is not the name of a variable" }
        if replaced.contains(name) {
            return "\(name) cannot be passed on: each run has a private folder in its place"
        }
        let upper = name.uppercased()
        let words = upper.split(separator: "_").map(String.init)
        let isSecret =
            words.contains(where: secretWords.contains)
            || secretParts.contains { part in upper.utf8.firstRange(of: part.utf8) != nil }
            || ["FTI", "AWS"].contains(words.first)
        guard isSecret else { return nil }
        return "\(name) may hold a secret, and trainers get none: store what needs the secret "
            + "with ftictl put first, and name it as dataset or base"
    }
}
