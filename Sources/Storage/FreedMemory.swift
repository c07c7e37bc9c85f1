internal import CPosix

/// What the process does with memory that it has freed.
public enum FreedMemory {
    /// Keeps up to 64 MiB of it, for what is allocated next.
    ///
    /// Buffers of a few hundred KiB come and go for every piece. Returned to the system and faulted in again
    /// each time, they cost 0.25 s of the 0.7 s that verifying 265 MB took. For the beginning of a process.
    public static func keep() { fti_keep_freed_memory(64 << 20) }
}
