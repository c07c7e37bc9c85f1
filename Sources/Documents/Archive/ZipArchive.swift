internal import CZip
internal import Glibc

/// Reads the files of an in-memory ZIP archive. Only this file touches libzip's pointers.
final class ZipArchive {
    /// Why a file in an archive cannot be read.
    enum Failure: Error, Equatable {
        /// The archive has no entry with this name.
        case missing
        /// The entry is encrypted.
        case encrypted
        /// The entry unpacks to more than the limit.
        case tooLarge
        /// The entry cannot be unpacked.
        case damaged
    }

    private let archive: OpaquePointer
    /// The names of the entries, in archive order.
    let names: [String]

    /// The maximum number of entries an archive may have: more than any document needs.
    static let entryLimit = 20_000

    /// Opens an archive; nil if the bytes are not an archive or it has more than ``entryLimit`` entries.
    init?(_ bytes: [UInt8]) {
        guard let copy = malloc(max(bytes.count, 1)) else { return nil }
        bytes.withUnsafeBytes { buffer in
            if let start = buffer.baseAddress { memcpy(copy, start, buffer.count) }
        }
        var error = zip_error_t()
        // The source owns the copy and frees it, even when opening the archive fails.
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

    /// Reads an entry, ignoring the case of its name.
    ///
    /// - Parameter limit: The most bytes the entry may unpack to.
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
            // The size in the archive's directory may be wrong.
            guard result.count + Int(count) <= limit else { throw .tooLarge }
            result += buffer.prefix(Int(count))
        }
    }
}
