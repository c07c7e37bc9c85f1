#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

int fti_open_at(int dir, const char *path, int flags, mode_t mode) {
    return openat(dir, path, flags, mode);
}

int fti_rename_no_replace(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

int fti_o_tmpfile(void) {
#ifdef O_TMPFILE
    return O_TMPFILE;
#else
    return 0;
#endif
}

int fti_link_descriptor(int fd, int to_dir, const char *to) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, to_dir, to, AT_SYMLINK_FOLLOW);
}

int fti_random(void *bytes, size_t count) {
    char *at = bytes;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        at += got;
        count -= (size_t)got;
    }
    return 0;
}

void fti_begin_synchronizing(int fd, off_t offset, off_t count) {
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(fd, offset, count, SYNC_FILE_RANGE_WRITE);
#else
    (void)fd, (void)offset, (void)count;
#endif
}

void fti_keep_freed_memory(int count) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, count / 8);
    mallopt(M_TRIM_THRESHOLD, count);
#endif
}

ssize_t fti_read_directory(int fd, void *bytes, size_t count) {
    return syscall(SYS_getdents64, fd, bytes, count);
}

int fti_open_below(int dir, const char *path, int flags) {
#ifdef SYS_openat2
    // This is struct open_how, whose header some systems lack although their kernels have the call.
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)(uint32_t)flags, 0, 0x04 /* RESOLVE_NO_SYMLINKS */};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
#else
    (void)dir, (void)path, (void)flags;
    errno = ENOSYS;
    return -1;
#endif
}

int fti_is_remote(int fd) {
    struct statfs system;
    if (fstatfs(fd, &system)) return 1;
    switch ((uint32_t)system.f_type) {
    case 0x6969:      // NFS
    case 0x517B:      // SMB
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB 2
    case 0x65735546:  // FUSE
    case 0x00C36400:  // Ceph
    case 0x01021997:  // 9p
        return 1;
    default:
        return 0;
    }
}

pid_t fti_start_pager(const char *command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        dup2(ends[0], STDIN_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child > 0) dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    return child;
}

char **fti_environment(void) { return environ; }

int fti_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int fti_memory_file(void) { return memfd_create("fti", MFD_CLOEXEC); }

int fti_spawn(pid_t *child, const char *path, char *const arguments[], char *const variables[], const int streams[3]) {
    // The first of three numbers that no stream has.
    int first_free = 3;
    for (int i = 0; i < 3; i++) if (streams[i] >= first_free) first_free = streams[i] + 1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    // First move the streams out of each other's way: one may have the number that another must get.
    for (int i = 0; i < 3 && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, streams[i], first_free + i);
    for (int i = 0; i < 3 && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, first_free + i, i);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t signals;
    sigfillset(&signals);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &signals);
    sigemptyset(&signals);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &signals);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!error) error = posix_spawn(child, path, &actions, &attributes, arguments, variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

// Mappings that SIGBUS must not end the process for. The handler may interrupt any code, so it takes no lock: a slot is
// claimed by changing `start` from 0 to 1, and in use once `start` is an address.
#define MAPPING_LIMIT 4096

static struct {
    _Atomic uintptr_t start, end;
    _Atomic int damaged;
} mappings[MAPPING_LIMIT];

static _Atomic long damaged_mappings;
static struct sigaction action_before;

int fti_register_mapping(const void *start, size_t count) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)start + count;
    for (int i = 0; i < MAPPING_LIMIT; i++) {
        uintptr_t none = 0;
        if (!atomic_compare_exchange_strong(&mappings[i].start, &none, 1)) continue;
        atomic_store(&mappings[i].damaged, 0);
        atomic_store(&mappings[i].end, (end + page - 1) / page * page);
        atomic_store(&mappings[i].start, (uintptr_t)start);
        return i;
    }
    return -1;
}

void fti_forget_mapping(int number) {
    atomic_store(&mappings[number].end, 0);
    atomic_store(&mappings[number].start, 0);
}

int fti_mapping_is_damaged(int number) { return atomic_load(&mappings[number].damaged); }

long fti_damaged_mappings(void) { return atomic_load(&damaged_mappings); }

// Replaces the registered mapping that contains an address: 1, or 0 where there is none or no memory.
static int replace_mapping(uintptr_t address) {
    for (int i = 0; i < MAPPING_LIMIT; i++) {
        uintptr_t start = atomic_load(&mappings[i].start), end = atomic_load(&mappings[i].end);
        // The second look at the start finds a slot that another thread has just reused.
        if (start <= 1 || address < start || address >= end || atomic_load(&mappings[i].start) != start) continue;
        // Marked before the zeros appear: whoever looks at the mark after reading them finds it set.
        if (!atomic_exchange(&mappings[i].damaged, 1)) atomic_fetch_add(&damaged_mappings, 1);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
        return mmap((void *)start, end - start, PROT_READ, flags, -1, 0) != MAP_FAILED;
    }
    return 0;
}

static void handle_bus_error(int signal, siginfo_t *info, void *context) {
    (void)context;
    int error = errno;
    // A signal from another process has a code that is not positive, and no address.
    int is_fault = info->si_code > 0;
    if (!is_fault || !replace_mapping((uintptr_t)info->si_addr)) {
        // A fault recurs when the handler returns, a signal does not.
        sigaction(SIGBUS, &action_before, NULL);
        if (!is_fault) raise(signal);
    }
    errno = error;
}

int fti_survive_faults(void) {
    struct sigaction action = {.sa_sigaction = handle_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &action_before);
}
