internal import CZip
internal import Glibc

/// The files of a ZIP archive that is in memory. This file is the only one that knows libzip's pointers.
final class ZipArchive {
    /// Why a file of an archive cannot be read.
    enum Failure: Error, Equatable {
        /// The archive has no entry with this name.
        case missing
        /// It is encrypted.
        case encrypted
        /// It unpacks to more than the limit.
        case tooLarge
        /// Its bytes are not what the archive says they are.
        case damaged
    }

    private let archive: OpaquePointer
    /// The names of its files, in order.
    let names: [String]

    /// More files than any document has.
    static let entryLimit = 20_000

    /// Opens an archive; nil when the bytes are none, or have more files than ``entryLimit``.
    init?(_ bytes: [UInt8]) {
        guard let copy = malloc(max(bytes.count, 1)) else { return nil }
        bytes.withUnsafeBytes { buffer in
            if let start = buffer.baseAddress { memcpy(copy, start, buffer.count) }
        }
        var error = zip_error_t()
        // The source frees the copy, also when the archive cannot be opened.
        guard let source = zip_source_buffer_create(copy, zip_uint64_t(bytes.count), 1, &error)
        else {
            free(copy)
            return nil
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
            zip_source_free(source)
            return nil
        }
        let count = zip_get_num_entries(archive, 0)
        guard count >= 0, count <= Self.entryLimit else {
            zip_discard(archive)
            return nil
        }
        self.archive = archive
        names = (0..<count).map { index in
            zip_get_name(archive, zip_uint64_t(index), 0).map { String(cString: $0) } ?? ""
        }
    }

    deinit { zip_discard(archive) }

    /// Reads a file, whatever the case of its name.
    ///
    /// - Parameter limit: The most bytes that it may have when it is unpacked.
    func read(_ name: String, limit: Int) throws(Failure) -> [UInt8] {
        let index = zip_name_locate(archive, name, zip_flags_t(ZIP_FL_NOCASE))
        guard index >= 0 else { throw .missing }
        var status = zip_stat_t()
        guard zip_stat_index(archive, zip_uint64_t(index), 0, &status) == 0 else { throw .damaged }
        if status.encryption_method != ZIP_EM_NONE { throw .encrypted }
        guard status.size <= limit else { throw .tooLarge }
        guard let file = zip_fopen_index(archive, zip_uint64_t(index), 0) else { throw .damaged }
        defer { zip_fclose(file) }
        var result: [UInt8] = []
        result.reserveCapacity(Int(status.size))
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = zip_fread(file, &buffer, zip_uint64_t(buffer.count))
            guard count >= 0 else { throw .damaged }
            guard count > 0 else { return result }
            // What an archive says of sizes need not be so.
            guard result.count + Int(count) <= limit else { throw .tooLarge }
            result += buffer.prefix(Int(count))
        }
    }
}
