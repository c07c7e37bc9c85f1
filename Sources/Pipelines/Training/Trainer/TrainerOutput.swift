internal import Refs
internal import Storage

/// What a trainer left in its output folder, checked before anything of it is stored.
struct TrainerOutput {
    /// The files of the model.
    let model: InputListing
    /// The files of an adapter that is published separately, and its ref; nil if there is none.
    let adapter: (ref: RefName, files: InputListing)?

    /// The name of the folder with the record of the run.
    static let recordName = "training"
    /// The name of the folder with the adapter.
    static let adapterName = "adapter"

    /// An output that cannot become a model.
    struct Problem: Error {
        /// What is wrong, as the rest of a sentence that begins with the trainer.
        let reason: String
        /// What to do; nil if the reason says it.
        var remedy: String?
    }

    /// Lists the files of an output.
    ///
    /// - Throws: ``Problem`` if there is no file, or something that cannot be stored, such as a symbolic link.
    init(_ folder: String, _ configuration: TrainerConfiguration) throws(Problem) {
        let adapterFolder = "\(folder)/\(Self.adapterName)"
        let ref = FilePlace.isFolder(adapterFolder) ? configuration.adapter : nil
        do throws(StorageError) {
            model = try Self.files(
                in: folder, excluding: ref == nil ? [] : ["/\(Self.adapterName)/"])
            if let ref {
                adapter = (ref, try Self.files(in: adapterFolder))
            } else {
                adapter = nil
            }
        } catch {
            throw Problem(
                reason: "exited with 0, but its output cannot be stored: \(error.message)",
                remedy: "leave only files and folders in FTI_OUTPUT_DIR; copy the targets of links"
            )
        }
        guard model.hasFile else {
            guard adapter?.files.hasFile == true else {
                throw Problem(reason: "exited with 0, but left no file in FTI_OUTPUT_DIR")
            }
            throw Problem(
                reason: "exited with 0, but left only the folder \(Self.adapterName), and no model",
                remedy: "leave out `adapter` in the configuration, and have the trainer write the "
                    + "adapter itself to FTI_OUTPUT_DIR")
        }
        let reserved = model.entries.contains {
            $0.path.names.first?.folded.utf8.elementsEqual(Self.recordName.utf8) == true
        }
        if reserved {
            throw Problem(
                reason: "exited with 0, but left an entry \(Self.recordName) in FTI_OUTPUT_DIR, "
                    + "where the record of the run goes",
                remedy: "give it another name")
        }
    }

    /// Lists the files of a folder that a trainer wrote.
    static func files(
        in folder: String, excluding patterns: [String] = []
    ) throws(StorageError) -> InputListing {
        var options = InputOptions()
        options.refusesLinks = true
        options.excludes = patterns
        return try InputListing.walking([folder], options)
    }
}

extension InputListing {
    /// Whether there is anything but folders.
    var hasFile: Bool { entries.contains { !$0.isDirectory } }
}
