/*
 * Runs a command and counts its write-like system calls, over all its threads and in the order in which
 * the kernel sees them; optionally does something at one of them.
 *
 *   tracer [-a ACTION] [-n NUMBER] [-f] [-t] [-l] [-d] [-o FILE] -- COMMAND ARGUMENT...
 *
 *   -n NUMBER  the call, from 1, at which ACTION is done; -f: and at every later call of the same sort
 *   -a kill           kills the process before the call
 *      killafter      kills it when the call is done
 *      error=ERRNO    the call fails with this number and is not done
 *      lost=ERRNO     the call is done and reports this number: a network file system lost the answer
 *      short          the call writes half of its bytes: the kernel does it, nothing is pretended
 *      hold=COMMAND   a shell runs COMMAND while the call waits
 *   -t         the file system has no files without names: O_TMPFILE fails with EOPNOTSUPP
 *   -l         the file system has no hard links: link fails with EPERM
 *   -d         records the bytes that are written
 *   -o FILE    one JSON object for each call, and a last one with the count
 *
 * Why not strace: it counts for each thread by itself, cannot shorten a write truthfully and cannot run
 * something in between. Exits as the command does, or with 128 and the number of its signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the tracer knows x86_64 and aarch64"
#endif

/* What the letters mean: which arguments are d = a directory and p = a path in it, P = a path, f = a file,
   b = bytes, c = their count, o = an offset, n = a number, - = nothing of interest. */
static const struct { int number; const char *name, *shape; } calls[] = {
    {SYS_write, "write", "fbc"}, {SYS_pwrite64, "pwrite", "fbco"},
    {SYS_writev, "writev", "f--"}, {SYS_pwritev, "pwritev", "f--"}, {SYS_pwritev2, "pwritev2", "f--"},
    {SYS_openat, "openat", "dpnn"}, {SYS_mkdirat, "mkdirat", "dpn"},
    {SYS_unlinkat, "unlinkat", "dpn"}, {SYS_linkat, "linkat", "dpdp-"},
    {SYS_renameat2, "renameat2", "dpdpn"}, {SYS_symlinkat, "symlinkat", "-dp"},
    {SYS_ftruncate, "ftruncate", "fn"}, {SYS_truncate, "truncate", "Pn"},
    {SYS_fallocate, "fallocate", "fnnn"}, {SYS_fsync, "fsync", "f"}, {SYS_fdatasync, "fdatasync", "f"},
    {SYS_syncfs, "syncfs", "f"}, {SYS_sync_file_range, "sync_file_range", "f--"},
    {SYS_msync, "msync", "-"}, {SYS_fchmod, "fchmod", "fn"}, {SYS_fchmodat, "fchmodat", "dpn"},
    {SYS_copy_file_range, "copy_file_range", "f-f-n"}, {SYS_sendfile, "sendfile", "ff-n"},
    {SYS_splice, "splice", "f-f-n"}, {SYS_utimensat, "utimensat", "dp"},
    {SYS_fsetxattr, "fsetxattr", "f"}, {SYS_fchownat, "fchownat", "dp"}, {SYS_fchown, "fchown", "f"},
#ifdef SYS_open
    {SYS_open, "open", "Pnn"}, {SYS_creat, "creat", "P"}, {SYS_mkdir, "mkdir", "Pn"},
    {SYS_rmdir, "rmdir", "P"}, {SYS_unlink, "unlink", "P"}, {SYS_link, "link", "PP"},
    {SYS_rename, "rename", "PP"}, {SYS_symlink, "symlink", "-P"}, {SYS_chmod, "chmod", "P"},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "renameat", "dpdp"},
#endif
};
enum { CALLS = sizeof calls / sizeof *calls };

static int is_number(int call, const char *name) { return !strcmp(calls[call].name, name); }

static void fail(const char *what) {
    fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* Stops at the calls above; at openat and open only when they can change something. */
static void install_filter(void) {
    struct sock_filter program[4 * CALLS + 8];
    int n = 0;
    const uint32_t nr = offsetof(struct seccomp_data, nr);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr);
    for (int i = 0; i < CALLS; i++) {
        int flags = calls[i].number == SYS_openat ? 2 : 0;
#ifdef SYS_open
        if (calls[i].number == SYS_open) flags = 1;
#endif
        if (!flags) {
            program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
            program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
            continue;
        }
        program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 4);
        program[n++] = (struct sock_filter)BPF_STMT(
            BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * flags);
        program[n++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), 0, 1);
        program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog whole = {.len = n, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole))
        fail("seccomp");
}

/* At the end of a call: it returns -code instead of what it returned. */
static void answer(pid_t thread, int code) {
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, thread, offsetof(struct user_regs_struct, rax), (long)-code);
#else
    struct user_regs_struct registers;
    struct iovec part = {&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &part);
    registers.regs[0] = (unsigned long)(long)-code;
    ptrace(PTRACE_SETREGSET, thread, (void *)NT_PRSTATUS, &part);
#endif
}

/* Has the call not be done and return -code. */
static void refuse(pid_t thread, int code) {
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, thread, offsetof(struct user_regs_struct, orig_rax), -1L);
#else
    int number = -1;
    struct iovec part = {&number, sizeof number};
    ptrace(PTRACE_SETREGSET, thread, (void *)NT_ARM_SYSTEM_CALL, &part);
#endif
    answer(thread, code);
}

static void set_third_argument(pid_t thread, uint64_t value) {
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, thread, offsetof(struct user_regs_struct, rdx), value);
#else
    struct user_regs_struct registers;
    struct iovec part = {&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &part);
    registers.regs[2] = value;
    ptrace(PTRACE_SETREGSET, thread, (void *)NT_PRSTATUS, &part);
#endif
}

static FILE *out;
static int with_data;

static void put_text(const char *text) {
    putc('"', out);
    for (; *text; text++) {
        unsigned char byte = *text;
        if (byte == '"' || byte == '\\') putc('\\', out);
        if (byte < 32 || byte > 126) fprintf(out, "\\u%04x", byte);
        else putc(byte, out);
    }
    putc('"', out);
}

/* Whether a descriptor is no file at all, such as an event counter that threads wake each other with. */
static int is_anonymous(pid_t pid, int number) {
    char link[64], path[16] = "";
    snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, number);
    return readlink(link, path, sizeof path - 1) > 0 && !strncmp(path, "anon_inode:", 11);
}

static void read_string(pid_t pid, uint64_t address, char *text, size_t size) {
    size_t i = 0;
    for (; i + 1 < size; i++) {
        struct iovec local = {text + i, 1}, remote = {(void *)(address + i), 1};
        if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != 1 || !text[i]) break;
    }
    text[i] = 0;
}

/* The file behind a descriptor: its path, device and inode. */
static void put_file(pid_t pid, const char *field, int number) {
    char link[64], path[4096] = "";
    struct stat status = {0};
    snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, number);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length >= 0) path[length] = 0;
    stat(link, &status);
    fprintf(out, ",\"%s\":{\"fd\":%d,\"path\":", field, number);
    put_text(path);
    fprintf(out, ",\"inode\":%lu,\"links\":%lu,\"directory\":%s}", (unsigned long)status.st_ino,
        (unsigned long)status.st_nlink, S_ISDIR(status.st_mode) ? "true" : "false");
}

static void put_path(pid_t pid, const char *field, int directory, uint64_t address) {
    char link[64], base[4096] = "", name[4096];
    read_string(pid, address, name, sizeof name);
    int number;
    if (sscanf(name, "/proc/self/fd/%d", &number) == 1) {
        put_file(pid, field, number);
        return;
    }
    if (name[0] != '/') {
        if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", pid);
        else snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, directory);
        ssize_t length = readlink(link, base, sizeof base - 2);
        if (length < 0) length = 0;
        base[length] = '/';
        base[length + 1] = 0;
    }
    strncat(base, name, sizeof base - strlen(base) - 1);
    struct stat status = {0};
    lstat(base, &status);
    fprintf(out, ",\"%s\":{\"path\":", field);
    put_text(base);
    fprintf(out, ",\"inode\":%lu,\"directory\":%s}", (unsigned long)status.st_ino,
        S_ISDIR(status.st_mode) ? "true" : "false");
}

static void put_bytes(pid_t pid, uint64_t address, uint64_t count) {
    unsigned char *bytes = malloc(count + 1);
    struct iovec local = {bytes, count}, remote = {(void *)address, count};
    if (!bytes || process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)count) fail("read bytes");
    fputs(",\"data\":\"", out);
    for (uint64_t i = 0; i < count; i++) fprintf(out, "%02x", bytes[i]);
    putc('"', out);
    free(bytes);
}

/* What is known before the call: paths may be gone afterwards. */
static void put_arguments(pid_t pid, int call, const uint64_t *arguments) {
    const char *shape = calls[call].shape;
    int paths = 0, files = 0;
    for (int i = 0; shape[i]; i++) switch (shape[i]) {
        case 'f': put_file(pid, files++ ? "file2" : "file", (int)arguments[i]); break;
        case 'P': put_path(pid, paths++ ? "path2" : "path", AT_FDCWD, arguments[i]); break;
        case 'p':
            if (arguments[i]) put_path(pid, paths++ ? "path2" : "path", (int)arguments[i - 1], arguments[i]);
            break;
        case 'c': fprintf(out, ",\"count\":%lu", (unsigned long)arguments[i]); break;
        case 'o': fprintf(out, ",\"offset\":%ld", (long)arguments[i]); break;
        case 'n': fprintf(out, ",\"number%d\":%ld", i, (long)arguments[i]); break;
        case 'b': if (with_data) put_bytes(pid, arguments[i], arguments[i + 1]); break;
        default: break;
    }
}

enum action { COUNT, KILL, KILL_AFTER, FAIL, LOSE, SHORT, HOLD };

int main(int count, char **words) {
    enum action action = COUNT;
    long wanted = 0, seen = 0;
    int code = 0, forever = 0, no_nameless = 0, no_links = 0, hit = 0, option, wanted_call = -1;
    const char *command = NULL;
    while ((option = getopt(count, words, "+a:n:ftldo:")) != -1) switch (option) {
        case 'a':
            if (!strcmp(optarg, "kill")) action = KILL;
            else if (!strcmp(optarg, "killafter")) action = KILL_AFTER;
            else if (!strcmp(optarg, "short")) action = SHORT;
            else if (!strncmp(optarg, "error=", 6)) { action = FAIL; code = atoi(optarg + 6); }
            else if (!strncmp(optarg, "lost=", 5)) { action = LOSE; code = atoi(optarg + 5); }
            else if (!strncmp(optarg, "hold=", 5)) { action = HOLD; command = optarg + 5; }
            else { fprintf(stderr, "tracer: no action %s\n", optarg); return 125; }
            break;
        case 'n': wanted = atol(optarg); break;
        case 'f': forever = 1; break;
        case 't': no_nameless = 1; break;
        case 'l': no_links = 1; break;
        case 'd': with_data = 1; break;
        case 'o': if (!(out = fopen(optarg, "we"))) fail(optarg); break;
        default: return 125;
    }
    if (optind >= count) { fprintf(stderr, "tracer: a command is missing\n"); return 125; }

    pid_t child = fork();
    if (child < 0) fail("fork");
    if (!child) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) fail("ptrace");
        raise(SIGSTOP);
        install_filter();
        execvp(words[optind], words + optind);
        fail(words[optind]);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) fail("wait");
    if (ptrace(PTRACE_SETOPTIONS, child, 0,
            PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK
                | PTRACE_O_TRACEVFORK | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC))
        fail("ptrace options");
    ptrace(PTRACE_CONT, child, 0, 0);

    // Calls that a thread is in, by the thread; few threads are in one at once.
    enum { PENDING = 64 };
    struct { pid_t thread; int kill, lose; } pending[PENDING] = {{0}};
    int result = 125;
    pid_t thread;
    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == child) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status);
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
            struct __ptrace_syscall_info info;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) continue;
            int call = 0;
            while (call < CALLS && calls[call].number != (int)info.seccomp.nr) call++;
            if (call == CALLS) { ptrace(PTRACE_CONT, thread, 0, 0); continue; }
            const uint64_t *arguments = (const uint64_t *)info.seccomp.args;
            if ((no_nameless && is_number(call, "openat") && (arguments[2] & O_TMPFILE) == O_TMPFILE)
                || (no_links && (is_number(call, "linkat") || is_number(call, "link")))) {
                refuse(thread, is_number(call, "openat") ? EOPNOTSUPP : EPERM);
                ptrace(PTRACE_CONT, thread, 0, 0);
                continue;
            }
            if (calls[call].shape[0] == 'f' && is_anonymous(thread, (int)arguments[0])) {
                ptrace(PTRACE_CONT, thread, 0, 0);
                continue;
            }
            seen++;
            if (out) {
                fprintf(out, "{\"n\":%ld,\"call\":\"%s\",\"thread\":%d", seen, calls[call].name, thread);
                put_arguments(thread, call, arguments);
            }
            // What is told of an error is not to fail as well.
            int is_told = calls[call].shape[0] == 'f' && arguments[0] == STDERR_FILENO;
            int now = seen == wanted || (forever && hit && seen > wanted && call == wanted_call && !is_told);
            int skip_exit = !out;
            if (now) {
                if (!hit) {
                    wanted_call = call;
                    if (out) fputs(",\"hit\":true", out);
                }
                hit = 1;
                if (action == KILL) {
                    refuse(thread, EINTR);
                    kill(child, SIGKILL);
                    if (out) fputs(",\"killed\":true}\n", out);
                    ptrace(PTRACE_CONT, thread, 0, 0);
                    continue;
                }
                if (action == KILL_AFTER || action == LOSE) {
                    skip_exit = 0;
                } else if (action == FAIL) {
                    refuse(thread, code);
                } else if (action == SHORT) {
                    if ((is_number(call, "write") || is_number(call, "pwrite")) && arguments[2] > 1)
                        set_third_argument(thread, arguments[2] / 2);
                    else
                        hit = 0;
                } else if (action == HOLD) {
                    if (out) fflush(out);
                    if (system(command) == -1) fail("hold");
                }
            }
            if (skip_exit) { ptrace(PTRACE_CONT, thread, 0, 0); continue; }
            int slot = 0;
            while (slot < PENDING && pending[slot].thread && pending[slot].thread != thread) slot++;
            if (slot == PENDING) { errno = ENOMEM; fail("threads"); }
            pending[slot].thread = thread;
            pending[slot].kill = now && action == KILL_AFTER;
            pending[slot].lose = now && action == LOSE;
            ptrace(PTRACE_SYSCALL, thread, 0, 0);
            if (!out) continue;
            // Recording: nobody else goes on until this call is done, so that records are in order.
            if (waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)
                || WSTOPSIG(status) != (SIGTRAP | 0x80)) {
                fputs(",\"unfinished\":true}\n", out);
                if (WIFEXITED(status) || WIFSIGNALED(status))
                    if (thread == child) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                continue;
            }
            signal = SIGTRAP | 0x80;
        }
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            int slot = 0;
            while (slot < PENDING && pending[slot].thread != thread) slot++;
            if (slot < PENDING) {
                if (out && ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0) {
                    fprintf(out, ",\"result\":%ld", (long)info.exit.rval);
                    if (with_data && info.exit.rval >= 0 && info.op == PTRACE_SYSCALL_INFO_EXIT) {
                        // The file that an open made is known only now.
                        char link[64];
                        struct stat made;
                        snprintf(link, sizeof link, "/proc/%d/fd/%ld", thread, (long)info.exit.rval);
                        if (!stat(link, &made)) put_file(thread, "opened", (int)info.exit.rval);
                    }
                    fputs("}\n", out);
                }
                pending[slot].thread = 0;
                if (pending[slot].lose) answer(thread, code);
                if (pending[slot].kill) kill(child, SIGKILL);
            }
            ptrace(PTRACE_CONT, thread, 0, 0);
            continue;
        }
        // New threads begin with a stop; events carry no signal for the process.
        int pass = signal == SIGSTOP || signal == SIGTRAP || status >> 16 ? 0 : signal;
        ptrace(PTRACE_CONT, thread, 0, pass);
    }
    if (out) {
        fprintf(out, "{\"calls\":%ld,\"hit\":%s}\n", seen, hit ? "true" : "false");
        fclose(out);
    }
    return result;
}
