package import Storage

/// What the folders of a log hold, by name.
package struct LogListing {
    /// The numbers of the entries with files of their own, and their sizes.
    package private(set) var singles: [Int: Int] = [:]
    /// The segments, and their sizes.
    package private(set) var segments: [SegmentName: Int] = [:]
    package private(set) var checkpoints: [Int: [CheckpointName]] = [:]
    /// Files that do not belong to a log, by path, and the folders that they are in.
    package private(set) var strays: [(folder: BucketFolder, path: String)] = []

    package var isEmpty: Bool {
        singles.isEmpty && segments.isEmpty && checkpoints.isEmpty && strays.isEmpty
    }

    /// What else may be in the folder: a hint, room for an entry when the disk is full.
    private static let known = ["tip", "reserve"]

    package init(_ log: Log) throws(RefError) {
        do throws(StorageError) {
            for entry in try log.bucket.list(.log) {
                if let number = LogFile.number(ofEntry: entry.name) {
                    singles[number] = entry.size
                } else if let name = SegmentName(entry.name) {
                    segments[name] = entry.size
                } else if !Self.known.contains(where: { $0.utf8.elementsEqual(entry.name.utf8) }) {
                    strays.append((.log, "log/" + Quoting.quoted(entry.name)))
                }
            }
        } catch { throw .storage(error) }
        do throws(StorageError) {
            for entry in try log.bucket.list(.checkpoints) {
                if let name = CheckpointName(entry.name) {
                    checkpoints[name.number, default: []].append(name)
                } else {
                    strays.append(
                        (.checkpoints, "log/checkpoints/" + Quoting.quoted(entry.name)))
                }
            }
        } catch {
            guard error.concernsOneFile else { throw .storage(error) }
            strays.append((.log, BucketFolder.checkpoints.rawValue))
        }
        strays.sort { $0.path < $1.path }
    }

    /// The segment that readers take an entry from; nil when it has only a file of its own, or none.
    package func segment(holding number: Int) -> SegmentName? {
        for size in SegmentName.sizes {
            let name = SegmentName(of: size, holding: number)
            if segments[name] != nil { return name }
        }
        return nil
    }

    /// The ranges of numbers for which there is a file, ascending; they may overlap.
    package var ranges: [ClosedRange<Int>] {
        (singles.keys.map { $0...$0 } + segments.keys.map(\.numbers)).sorted {
            $0.lowerBound < $1.lowerBound
        }
    }

    /// The segments that can be made of entries up to a number, in order: large ones where they fit.
    func segmentsToMake(upTo last: Int) -> [SegmentName] {
        var names: [SegmentName] = []
        var number = 0
        while number <= last {
            let large = SegmentName(of: 1024, holding: number)
            if number == large.first, segments[large] != nil {
                number += large.count
                continue
            }
            if number == large.first, large.last <= last, fits(large) {
                names.append(large)
                number += large.count
                continue
            }
            let small = SegmentName(of: SegmentName.smallest, holding: number)
            if small.last <= last, segments[small] == nil { names.append(small) }
            number += small.count
        }
        return names
    }

    private func fits(_ name: SegmentName) -> Bool {
        var size = 0
        var number = name.first
        while number <= name.last {
            let small = SegmentName(of: SegmentName.smallest, holding: number)
            if let bytes = segments[small] {
                size += bytes
                number += small.count
            } else {
                size += (singles[number] ?? 0) + Segment.lineLength
                number += 1
            }
        }
        return size <= Segment.byteLimit
    }

    /// The files that a segment stands for, by segment: the largest one counts.
    var replaced: [SegmentName: [BlobName]] {
        var files: [SegmentName: [BlobName]] = [:]
        for number in singles.keys.sorted() {
            if let name = segment(holding: number) {
                files[name, default: []].append(LogFile.entry(number))
            }
        }
        for name in segments.keys where name.count < 1024 {
            let large = SegmentName(of: 1024, holding: name.first)
            if segments[large] != nil { files[large, default: []].append(name.blob) }
        }
        return files
    }
}
