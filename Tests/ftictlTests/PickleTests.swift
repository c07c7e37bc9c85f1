import Foundation
import TestSupport
import Testing

@Suite("Files that run code when Python loads them")
struct PickleTests {
    /// Lets Python write files: those in `bad` call a function when a program loads them in the usual way, and those
    /// in `good` only look alike.
    private static let script = #"""
        import bz2, gzip, io, lzma, os, pickle, struct, tarfile, zipfile, zlib
        class Call:
            def __reduce__(self): return (os.getpid, ())
        def write(folder, name, data):
            os.makedirs(folder, exist_ok=True)
            open(f"{folder}/{name}", "wb").write(data)
        def packed(method, data, prefix=b""):
            file = io.BytesIO(prefix); file.seek(0, 2)
            with zipfile.ZipFile(file, "a" if prefix else "w", method) as z:
                z.writestr("a.txt", "text"); z.writestr("x", data)
            return file.getvalue()
        def array(kind, data):
            header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (1,), }}\n".encode()
            return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data
        def tar(data):
            file = io.BytesIO()
            with tarfile.open(fileobj=file, mode="w") as t:
                info = tarfile.TarInfo("pickle"); info.size = len(data)
                t.addfile(info, io.BytesIO(data))
            return file.getvalue()
        for p in range(6):
            call, plain = pickle.dumps(Call(), p), pickle.dumps([1, "two", 3.5], p)
            broken = call[:-1] + b"XXXX garbage"
            deep = pickle.dumps([b"x" * 200000, list(range(30000)), Call()], p)
            for name, data in {
                "whole": call, "broken": broken, "binary": broken + b"\xff\0", "cut": call[:-1],
                "second": plain + call, "deep": deep, "npz": packed(8, array("|O", call)),
                "zip": packed(0, call), "deflated": packed(8, broken), "bzip": packed(12, call),
                "zlzma": packed(14, call), "prefixed": packed(8, call, b"\x89PNG\0" * 9),
                "zlib": zlib.compress(call), "gzip": gzip.compress(call),
                "torn": zlib.compress(broken * 2)[:-5] + b"zz", "bz2": bz2.compress(call),
                "members": gzip.compress(b"") + gzip.compress(call), "xz": lzma.compress(call),
                "lzma": lzma.compress(call, lzma.FORMAT_ALONE), "npy": array("|O", call),
                "tar": tar(call), "targz": gzip.compress(tar(call)),
            }.items(): write("bad", f"{name}.{p}", data)
            write("plain", f"{p}", plain)
        write("good/archive", "gzip", gzip.compress(b"hello " * 99))
        write("good/archive", "tar", tar(b"hello"))
        write("good/zip", "zip", packed(8, b"hello"))
        write("good/zip", "npz", packed(8, array("<f8", b"\0" * 8)))
        write("good/npy", "npy", array("<U2", b"\0" * 8))
        """#

    private func formats(_ folder: String, in sandbox: Sandbox) throws -> [String: String] {
        #expect(try sandbox.ftictl("put", "models/x", folder).status == 0)
        var result: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: sandbox.path(folder)) {
            let shown = try sandbox.ftictl("show", "models/x:\(name)", "--json").object()
            result[name] = shown["format"] as? String
        }
        return result
    }

    @Test("no pickle passes as text or binary, however it is wrapped and wherever it breaks")
    func evasions() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("make.py", Self.script)
        let made = try sandbox.shell("python3 make.py")
        try #require(made.status == 0, "\(made.error)")
        let opaque = ["bzip", "zlzma", "bz2", "xz", "lzma", "targz"]
        let bad = try formats("bad", in: sandbox)
        #expect(bad.count == 22 * 6)
        for (name, format) in bad {
            let kind = String(name.split(separator: ".")[0])
            let expected: Set<String> =
                opaque.contains(kind) ? ["archive"] : ["pickle", "zip-pickle"]
            #expect(expected.contains(format), "\(name) is \(format)")
        }
        for (name, format) in try formats("plain", in: sandbox) {
            #expect(format == "pickle", "\(name)")
        }
        for expected in ["archive", "zip", "npy"] {
            for (name, format) in try formats("good/\(expected)", in: sandbox) {
                #expect(format == expected, "\(name)")
            }
        }
    }

    @Test("a gate that allows no pickles stops one that is broken behind its call")
    func gate() throws {
        let sandbox = try Sandbox.withRepository()
        let allowed = #"["text","safetensors","binary"]"#
        try sandbox.write(
            "gate.json",
            #"{"signed":false,"gates":[{"ref":"models/current","type":"formats","allow":\#(allowed)}]}"#
        )
        #expect(try sandbox.ftictl("policy", "set", "gate.json").status == 0)
        try sandbox.write("m.bin", "cposix\nsystem\n(S'true'\ntRXX")
        _ = try sandbox.ftictl("put", "models/a", "m.bin")
        #expect(try sandbox.ftictl("promote", "models/a", "models/current").status == 4)
        try sandbox.write("m.bin", "car\ncat\n")
        _ = try sandbox.ftictl("put", "models/a", "m.bin")
        #expect(try sandbox.ftictl("promote", "models/a", "models/current").status == 0)
    }
}
