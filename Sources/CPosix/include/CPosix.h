/// System calls and flags that Swift's Glibc module lacks, and functions that need several of them.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// `openat(2)` with a mode: returns a descriptor, or -1 with `errno` set.
int fti_open_at(int dir, const char *path, int flags, mode_t mode);

/// `renameat2(2)` with `RENAME_NOREPLACE`: 0, or -1 with `errno` set.
int fti_rename_no_replace(int from_dir, const char *from, int to_dir, const char *to);

/// `open(2)` flag for a file without a name, or 0 where the platform has none.
int fti_o_tmpfile(void);

/// Gives a name to the nameless file behind `fd` (opened with `O_TMPFILE`): 0, or -1 with `errno` set, which is
/// `EEXIST` when the name is taken.
int fti_link_descriptor(int fd, int to_dir, const char *to);

/// Fills `bytes` with `count` random bytes from the kernel: 0, or -1 with `errno` set.
int fti_random(void *bytes, size_t count);

/// Begins to write a range of a file to the disk without waiting, where the platform can; only a hint.
void fti_begin_synchronizing(int fd, off_t offset, off_t count);

/// Asks the allocator to keep up to `count` freed bytes for later allocations; only a hint.
void fti_keep_freed_memory(int count);

/// `getdents64(2)`: the number of bytes read, 0 at the end, or -1 with `errno` set.
ssize_t fti_read_directory(int fd, void *bytes, size_t count);

/// `openat2(2)` without following any symbolic link: a descriptor, or -1 with `errno` set.
int fti_open_below(int dir, const char *path, int flags);

/// 1 when a file is on a network or FUSE file system, where it may vanish while it is mapped, or when that is unknown;
/// otherwise 0.
int fti_is_remote(int fd);

/// Starts a shell command as a pager: from now on, the standard output of this process is a pipe to the command, and
/// the command writes to the previous standard output. Returns the process id, or -1 with nothing changed.
pid_t fti_start_pager(const char *command);

/// The variables of this process, each as `NAME=VALUE`, and a null pointer.
char **fti_environment(void);

/// Creates a pipe whose ends no other program inherits: 0, or -1 with `errno` set.
int fti_pipe(int ends[2]);

/// Creates an empty, anonymous file in memory that no other program inherits: a descriptor, or -1 with `errno` set.
int fti_memory_file(void);

/// Starts the program at a path with three descriptors as its standard streams. It inherits no other descriptors, and
/// handles all signals in the default way. Returns 0 or an error number.
int fti_spawn(pid_t *child, const char *path, char *const arguments[], char *const variables[], const int streams[3]);

/// A program for ``fti_supervise``.
struct fti_program {
    /// The path of the program.
    const char *path;
    /// Its arguments, with its name, and its environment; both end with a null pointer.
    char *const *arguments, *const *variables;
    /// The directory that it runs in.
    const char *directory;
    /// The descriptor that it gets as its standard output and standard error.
    int output;
    /// How many processes stand between the one that is started and the one that signals are meant for.
    int wrappers;
};

/// How a supervised program ended: what happened, and the exit code, the signal or the error number.
struct fti_program_end {
    enum { FTI_EXITED, FTI_SIGNALLED, FTI_NOT_STARTED } kind;
    int value;
};

/// Starts a program and a supervisor that ends the program with all its descendants: after the program itself has
/// ended, on ``fti_tell`` with SIGKILL, and when `channel` closes, as it does when this process dies in any way. The
/// program has no terminal, inherits no other descriptors and handles all signals in the default way. When everything
/// has ended, the channel delivers a `struct fti_program_end`. Returns the process id of the supervisor, which the
/// caller must reap, or -1 with `errno` set.
pid_t fti_supervise(const struct fti_program *program, int *channel);

/// Sends a signal to the process group of a supervised program: 0, or -1 when it has ended.
int fti_tell(int channel, unsigned char signal);

/// From now on, SIGINT, SIGTERM and SIGHUP do not end this process, unless they were ignored before: each writes its
/// number to a pipe, as one byte. Returns the end for reading, or -1 when they are caught already or with `errno` set.
int fti_catch_interrupts(void);

/// Gives SIGINT, SIGTERM and SIGHUP the effect that they had before ``fti_catch_interrupts``, and closes the pipe.
void fti_release_interrupts(void);

/// From now on, a fault in a registered mapping does not end the process: the handler of SIGBUS marks the mapping as
/// damaged and replaces all of it by zeros. Any other SIGBUS has the effect that it had before. Returns 0, or -1 with
/// `errno` set.
int fti_survive_faults(void);

/// Registers a mapping of whole pages that begins at `start`. Returns its number, or -1 when too many are registered.
int fti_register_mapping(const void *start, size_t count);

/// Forgets a mapping, before it is unmapped.
void fti_forget_mapping(int number);

/// 1 when a registered mapping was replaced by zeros, otherwise 0.
int fti_mapping_is_damaged(int number);

/// The number of mappings of this process that were ever replaced by zeros.
long fti_damaged_mappings(void);
