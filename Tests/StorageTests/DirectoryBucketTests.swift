import Foundation
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("A bucket in a directory")
struct DirectoryBucketTests {
    let directory: TemporaryDirectory
    let path: String
    let bucket: DirectoryBucket
    let name = BlobName(.log, "00000000000000000001.json")

    init() throws {
        directory = try TemporaryDirectory()
        path = directory("repository")
        bucket = try DirectoryBucket.create(at: path)
    }

    @Test("a new repository has its folders and first blobs, and nothing is left beside it")
    func creation() throws {
        let first = BlobName(.log, "00000000000000000000.json")
        let made = try DirectoryBucket.create(at: directory("other/"), containing: [first: [7]])
        #expect(try made.read(first, limit: 1) == [7])
        #expect(try directory.names() == ["other", "repository"])
        #expect(try directory.names(in: "other") == ["log", "packs"])
        #expect(
            try directory.names(in: "other/log") == ["00000000000000000000.json", "checkpoints"])
    }

    @Test("creating over something existing fails and leaves nothing behind")
    func creationOnTop() throws {
        try directory.write("file", "text")
        for taken in ["repository", "file"] {
            let error = #expect(throws: StorageError.self) {
                try DirectoryBucket.create(at: directory(taken))
            }
            #expect(error?.fault == .usage)
        }
        #expect(throws: StorageError.self) {
            try DirectoryBucket.create(at: directory("file/repository"))
        }
        #expect(throws: StorageError.self) { try DirectoryBucket.create(at: directory("..")) }
        #expect(try directory.names() == ["file", "repository"])
        #expect(try directory.text("file") == "text")
    }

    @Test("missing directories above a repository are created")
    func creationBelowNothing() throws {
        _ = try DirectoryBucket.create(at: directory("above/further/made"))
        #expect(try directory.names(in: "above/further") == ["made"])
        _ = try DirectoryBucket(opening: directory("above/further/made"))
    }

    @Test("a file, an empty directory and a missing path are not repositories (B110)")
    func noRepository() throws {
        try directory.write("file", "")
        try directory.makeDirectory("empty")
        for name in ["file", "empty", "missing"] {
            #expect(throws: StorageError.noRepository(path: directory(name))) {
                try DirectoryBucket(opening: directory(name))
            }
        }
    }

    @Test("a repository of another user is refused, except to the superuser (B110)")
    func owner() throws {
        let other = geteuid() + 1
        let error = #expect(throws: StorageError.self) {
            try DirectoryBucket(opening: path, as: other)
        }
        #expect(error?.fault == .refused)
        _ = try DirectoryBucket(opening: path, as: 0)
        _ = try DirectoryBucket(opening: path)
    }

    @Test("a shared repository admits only members of its group")
    func shared() throws {
        let path = directory("shared")
        let bucket = try DirectoryBucket.create(at: path, isShared: true)
        let group = try FileStatus(of: path, followLink: false).group
        let member = geteuid() + 1
        _ = try DirectoryBucket(opening: path, as: member, of: [group])
        _ = try DirectoryBucket(opening: path, as: member, of: [group + 1, group])
        #expect(throws: StorageError.self) {
            try DirectoryBucket(opening: path, as: member, of: [group + 1])
        }
        // Later files keep the group's permissions.
        _ = try bucket.create(BlobName(.leases, "a.json"), [1])
        _ = try bucket.create(BlobName(.checkpoints, "b.json"), [1])
        try bucket.overwrite(BlobName(.log, "tip"), [1])
        for folder in ["", "/packs", "/log", "/log/checkpoints", "/leases"] {
            let permissions = try FileStatus(of: path + folder, followLink: false).permissions
            #expect(permissions & 0o2772 == 0o2770)
        }
        #expect(try FileStatus(of: path + "/log/tip", followLink: false).permissions == 0o664)
        // A world-writable repository is not a shared one.
        chmod(path, 0o2777)
        #expect(throws: StorageError.self) {
            try DirectoryBucket(opening: path, as: member, of: [group])
        }
        // A directory that its owner did not share is not shared either.
        _ = try DirectoryBucket.create(at: directory("own"))
        #expect(throws: StorageError.self) {
            try DirectoryBucket(opening: directory("own"), as: member, of: [group])
        }
    }

    @Test("a repository or folder behind a symbolic link is refused", arguments: ["packs", "log"])
    func links(folder: String) throws {
        try directory.link("link", to: path)
        let whole = #expect(throws: StorageError.self) {
            try DirectoryBucket(opening: directory("link"))
        }
        #expect(whole?.fault == .refused)
        try FileManager.default.moveItem(
            atPath: "\(path)/\(folder)", toPath: directory("elsewhere"))
        try directory.link("repository/\(folder)", to: directory("elsewhere"))
        let error = #expect(throws: StorageError.self) { try DirectoryBucket(opening: path) }
        #expect(error?.fault == .refused)
    }

    @Test("a repository that lost a folder is damaged")
    func lostFolder() throws {
        try FileManager.default.removeItem(atPath: "\(path)/log")
        let error = #expect(throws: StorageError.self) { try DirectoryBucket(opening: path) }
        #expect(error?.fault == .damaged)
        #expect(error?.remedy == "take the folder log from a copy of the repository")
    }

    @Test("anything but a file in place of a blob is damage, without waiting (B140)")
    func notFiles() throws {
        let place = "\(path)/log/\(name.name)"
        func expectDamage(_ comment: Comment) {
            for read in [{ _ = try bucket.read(name, limit: 10) }, { _ = try bucket.open(name) }] {
                let error = #expect(throws: StorageError.self, comment) { try read() }
                #expect(error?.fault == .damaged, comment)
            }
        }
        mkdir(place, 0o755)
        expectDamage("directory")
        rmdir(place)
        mkfifo(place, 0o644)
        expectDamage("pipe")
        unlink(place)
        symlink("/etc/hostname", place)
        expectDamage("link")
        #expect(try bucket.create(name, [1]) == .exists)
    }

    @Test("a blob that shrinks after it was opened is truncated")
    func truncation() throws {
        _ = try bucket.create(name, [1, 2, 3])
        let blob = try #require(try bucket.open(name))
        chmod("\(path)/log/\(name.name)", 0o644)
        truncate("\(path)/log/\(name.name)", 1)
        #expect(blob.size == 3)
        #expect(throws: StorageError.self) { try blob.read(at: 0, count: 3) }
    }

    @Test("blobs cannot be written by accident")
    func permissions() throws {
        _ = try bucket.create(name, [1])
        let staged = try bucket.stage(in: .packs)
        try staged.publish(as: BlobName(.packs, "ab.pack"))
        for file in ["log/\(name.name)", "packs/ab.pack"] {
            var status = stat()
            #expect(stat("\(path)/\(file)", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o444)
            #expect(status.st_nlink == 1)
        }
    }

    @Test("unfinished files are not listed")
    func unfinished() throws {
        try directory.write("repository/log/tmp-0123", "unfinished")
        try directory.write("repository/log/stray~", "stray")
        #expect(try bucket.list(.log) == [BlobEntry(name: "stray~", size: 5)])
    }

    @Test("the checkpoint folder may disappear at any time")
    func lostCheckpoints() throws {
        try FileManager.default.removeItem(atPath: "\(path)/log/checkpoints")
        let opened = try DirectoryBucket(opening: path)
        let name = BlobName(.checkpoints, "64.json")
        #expect(try opened.list(.checkpoints).isEmpty)
        #expect(try opened.read(name, limit: 1) == nil)
        try opened.delete(name)
        #expect(try directory.names(in: "repository/log").isEmpty)
        #expect(try opened.create(name, [1]) == .created)
        #expect(try opened.list(.checkpoints).count == 1)
    }

    @Test("without nameless files, temporary names are used and removed")
    func namedFiles() throws {
        let folder = try Directory(opening: "\(path)/packs", followLink: false)
        do {
            let file = try TemporaryFile(in: folder, mayBeNameless: false)
            try file.descriptor.write([1, 2].span, at: 0)
            #expect(try folder.names().count == 1)
            #expect(try file.publish(as: Array("first".utf8)))
            #expect(try directory.names(in: "repository/packs") == ["first"])
            let second = try TemporaryFile(in: folder, mayBeNameless: false)
            #expect(try !second.publish(as: Array("first".utf8)))
            #expect(try folder.names().count == 2)
        }
        #expect(try directory.names(in: "repository/packs") == ["first"])
    }

    @Test("only unfinished files whose writers are gone are removed")
    func abandoned() throws {
        try directory.write("repository/packs/tmp-0123", "unfinished")
        try directory.write("repository/packs/other", "whole")
        let folder = try Directory(opening: "\(path)/packs", followLink: false)
        let file = try TemporaryFile(in: folder, mayBeNameless: false)
        #expect(try bucket.removeAbandonedFiles() == 1)
        #expect(try folder.names().count == 2)
        #expect(try file.publish(as: Array("published".utf8)))
        #expect(try directory.names(in: "repository/packs") == ["other", "published"])
    }

    @Test("reading changes nothing in the repository")
    func reading() throws {
        _ = try bucket.create(name, [1])
        func times() throws -> [String] {
            try ["", "log", "packs", "log/checkpoints"].map { folder in
                let directory = try Directory(opening: "\(path)/\(folder)", followLink: false)
                return try "\(directory.status()) \(directory.names())"
            }
        }
        let before = try times()
        let opened = try DirectoryBucket(opening: path)
        _ = try opened.read(name, limit: 1)
        for folder in BucketFolder.allCases { _ = try opened.list(folder) }
        try opened.synchronizeLog()
        #expect(try times() == before)
    }
}
