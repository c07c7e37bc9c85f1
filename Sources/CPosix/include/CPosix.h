/// System calls and flags that glibc hides from Swift's Glibc module.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// `openat(2)` with a mode: a descriptor, or -1 with `errno` set.
int fti_open_at(int dir, const char *path, int flags, mode_t mode);

/// `renameat2(2)` with `RENAME_NOREPLACE`: 0, or -1 with `errno` set.
int fti_rename_no_replace(int from_dir, const char *from, int to_dir, const char *to);

/// `open(2)` flag for a file without a name, or 0 where the platform has none.
int fti_o_tmpfile(void);

/// Gives the nameless file behind `fd` (opened with `O_TMPFILE`) a name; fails with `EEXIST` when
/// the name is taken.
int fti_link_descriptor(int fd, int to_dir, const char *to);

/// `fallocate(2)` in its default mode: 0, or -1 with `errno` set.
int fti_allocate(int fd, off_t size);

/// Fills `bytes` with `count` random bytes from the kernel: 0, or -1 with `errno` set.
int fti_random(void *bytes, size_t count);

/// Begins to write a range of a file to the disk without waiting, where the platform can; a hint.
void fti_begin_synchronizing(int fd, off_t offset, off_t count);

/// Has the allocator keep up to `count` freed bytes for what is allocated next; a hint.
void fti_keep_freed_memory(int count);

/// `getdents64(2)`: the number of bytes read, 0 at the end, or -1 with `errno` set.
ssize_t fti_read_directory(int fd, void *bytes, size_t count);

/// `openat2(2)` that follows no symbolic link on the way: a descriptor, or -1 with `errno` set.
int fti_open_below(int dir, const char *path, int flags);

/// Whether a file is on a file system whose files may go away while they are mapped, as those of a network may: 0 or 1.
int fti_is_remote(int fd);

/// Starts a shell command that reads what this process writes to standard output from here on, which becomes a pipe to
/// it; the command itself writes where standard output went before. Its process id, or -1 with nothing changed.
pid_t fti_start_pager(const char *command);

/// A pipe whose ends no other program inherits: 0, or -1 with `errno` set.
int fti_pipe(int ends[2]);

/// An empty file in memory that has no name and that no other program inherits: a descriptor, or -1 with `errno` set.
int fti_memory_file(void);

/// Starts the program at a path with three descriptors as its standard streams and no others, and with all signals as
/// they are by default: 0, or the number of the error.
int fti_spawn(pid_t *child, const char *path, char *const arguments[], char *const variables[], const int streams[3]);
