internal import Artifacts
internal import Objects
internal import Storage

/// Keeps the replies of a language model in a private file until a run commits them: a killed run loses only the
/// requests that were under way.
///
/// The file has one reply a line, as canonical JSON. A line that is not whole, or whose request has another hash, does
/// not count.
final class KeptReplies: Sendable {
    private static let suffix = ".replies"
    /// The size beyond which no replies are added.
    private static let byteLimit = 1 << 30
    /// The number of days after its last write when a file is removed.
    private static let lifetime = 30

    private let file: AppendFile

    /// Opens or creates the file for one ref of a repository, and removes such files that are too old; nil where the
    /// file cannot be opened.
    ///
    /// - Parameter path: The path of the file without the ending.
    static func open(_ path: String, now: Timestamp) -> KeptReplies? {
        let file = CacheFile(path + suffix)
        file.removeAged(suffix: suffix, days: lifetime, now: now.milliseconds)
        return file.opened().map { KeptReplies($0) }
    }

    private init(_ file: AppendFile) { self.file = file }

    /// The replies in the file.
    func all() -> [KeptReply] {
        guard let bytes = try? file.read(at: 0, upTo: file.size) else { return [] }
        return bytes.split(separator: 0x0A).compactMap { line in
            guard let object = (try? JSON(canonical: Array(line)))?.object else { return nil }
            return KeptReply(object)
        }
    }

    /// Keeps a reply; ignores write errors, because the reply is committed all the same.
    func add(_ reply: KeptReply) {
        guard file.size < Self.byteLimit else { return }
        // A line feed first ends what an interrupted process left.
        _ = try? file.append([0x0A] + JSON.object(reply.attributes).canonicalBytes + [0x0A])
    }

    /// Empties the file; the repository must already hold its replies.
    func clear() { try? file.cut(to: 0) }
}

/// A language model's reply, as the repository keeps it.
struct KeptReply: Sendable {
    /// The members of the request; see ``GenerationRequest/members``.
    let request: JSONObject
    /// The text of the reply.
    let text: String
    /// The address of the service, without credentials.
    let address: String
    /// When the reply was complete.
    let time: Timestamp
    /// Why it ends.
    let ending: String

    /// The hash of the request, which is the key.
    var hash: String { GenerationRequest.hash(of: request) }

    /// The name of the model.
    var model: String { request["model"]?.string ?? "" }

    init(
        to request: GenerationRequest, _ reply: ChatReply, from address: String, at time: Timestamp
    ) {
        self.request = request.members
        text = reply.text
        self.address = address
        self.time = time
        ending = reply.ending.rawValue
    }

    /// Reads the attributes of a row; nil for another form.
    init?(_ attributes: JSONObject) {
        var reader = JSONObjectReader(attributes)
        do throws(JSONSchemaError) {
            request = try reader.object("request")
            text = try reader.string("reply")
            address = try reader.string("url")
            time = try reader.timestamp("time")
            ending = try reader.string("ending")
        } catch { return nil }
    }

    /// The attributes of the row.
    var attributes: JSONObject {
        JSONObject([
            ("request", .object(request)), ("reply", .string(text)), ("url", .string(address)),
            ("time", .string(time.description)), ("ending", .string(ending)),
        ])
    }
}
