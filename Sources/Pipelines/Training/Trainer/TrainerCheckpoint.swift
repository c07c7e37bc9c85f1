internal import Artifacts
internal import Objects
public import Refs
internal import Storage

/// The last complete checkpoint of a trainer: a folder in `FTI_CHECKPOINT_DIR`.
struct TrainerCheckpoint {
    /// The name of the folder.
    let name: String
    /// The path of the folder.
    let path: String
    /// The number at the end of its name; nil if it has none.
    let number: Int?

    /// Finds the last complete checkpoint: that with the greatest number at the end of its name or, if a name has no
    /// number, the one that changed last. Nil if there is none.
    ///
    /// A name that begins with `.` or ends in `.tmp` is that of an unfinished one.
    static func last(in folder: String) -> TrainerCheckpoint? {
        let names = (try? PrivateFolder(folder).names(suffix: "")) ?? []
        let found = names.compactMap { name -> TrainerCheckpoint? in
            let path = "\(folder)/\(name)"
            guard name.utf8.first != UInt8(ascii: "."),
                !name.utf8.suffix(4).elementsEqual(".tmp".utf8), (try? FileName(name)) != nil,
                FilePlace.isFolder(path), !FilePlace.isLink(path),
                // A folder that is still empty is no checkpoint; the one before it is.
                !((try? PrivateFolder(path).names(suffix: "")) ?? []).isEmpty
            else { return nil }
            let digits = name.utf8.reversed().prefix { (0x30...0x39).contains($0) }.reversed()
            return TrainerCheckpoint(
                name: name, path: path, number: Int(String(decoding: Array(digits), as: UTF8.self)))
        }
        if found.allSatisfy({ $0.number != nil }) {
            return found.max { ($0.number ?? 0) < ($1.number ?? 0) }
        }
        return found.max { FilePlace.modified($0.path) < FilePlace.modified($1.path) }
    }
}

extension TrainerCheckpoint {
    /// The published checkpoint that a run goes on from.
    struct Start {
        let id: ObjectID
        let tree: ObjectID
        let params: JSONObject

        /// The run's record of it.
        var json: JSON {
            ["checkpoint": .string(id.hex), "step": params["step"] ?? .null]
        }

        /// Finds the checkpoint of a configuration.
        ///
        /// - Throws: `resume` if the configuration names no ref for checkpoints, or if the checkpoint comes from a run
        ///   with other inputs, another command or other parameters.
        init(
            _ configuration: TrainerConfiguration, _ inputs: TrainerInputs, in resolver: Resolver
        ) throws(TrainingError) {
            guard let name = configuration.checkpoint else { throw .resume(.withoutRef) }
            let (id, snapshot) = try wrapping(as: TrainingError.refs) { () throws(RefError) in
                let id = try resolver.state.existingTarget(of: name)
                return (id, try resolver.read(id, of: name))
            }
            guard case .tree(let tree, _, _) = snapshot.content,
                snapshot.params["checkpoint"]?.string != nil
            else { throw .resume(.notACheckpoint(name)) }
            var differences: [String] = []
            let roles = Set(snapshot.inputs.keys).union(inputs.roles.keys).sorted()
            for role in roles where snapshot.inputs[role] != inputs.roles[role] {
                func text(_ id: ObjectID?) -> String { id?.short ?? "none" }
                differences.append(
                    "\(role): \(text(snapshot.inputs[role])) then, "
                        + "\(text(inputs.roles[role])) now")
            }
            for member in configuration.identity
            where snapshot.params[member.key] != member.value {
                let before = snapshot.params[member.key] ?? .null
                differences.append(
                    "\(member.key): \(before.canonicalText.prefix(200)) then, "
                        + "\(member.value.canonicalText.prefix(200)) now")
            }
            guard differences.isEmpty else { throw .resume(.differs(name, differences)) }
            self.id = id
            self.tree = tree
            params = snapshot.params
        }
    }
}

/// Why a run cannot go on from a checkpoint.
public enum ResumeProblem: Hashable, Sendable {
    /// The configuration names no ref for checkpoints.
    case withoutRef
    /// The ref points at something that no failed run left there.
    case notACheckpoint(RefName)
    /// The checkpoint comes from another run.
    case differs(RefName, [String])

    var message: String {
        switch self {
        case .withoutRef:
            "--resume needs a checkpoint, and trainer.checkpoint names no ref for checkpoints"
        case .notACheckpoint(let name): "\(name) is not a checkpoint that a failed run left"
        case .differs(let name, let differences):
            (["\(name) comes from a run that differs from this one:"] + differences)
                .joined(separator: "\n")
        }
    }

    var remedy: String {
        switch self {
        case .withoutRef: "add `checkpoint: models/NAME-checkpoint` to trainer"
        case .notACheckpoint: "run without --resume"
        case .differs: "run without --resume, or with the configuration and the inputs of that run"
        }
    }
}
