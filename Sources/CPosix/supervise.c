#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The supervisor is a process between this one and the program. It adopts every descendant of the program that loses
// its parent, even one that left the process group, and ends all of them when the program ends, when it is told to, or
// when its socket closes because this process died. After fork() it calls only functions that are safe in the child of
// a process with threads.

enum { CHANNEL = 3, OUTPUT = 4 };

static void fail_to_start(void) {
    struct fti_program_end end = {FTI_NOT_STARTED, errno};
    (void)!write(CHANNEL, &end, sizeof end);
    _exit(127);
}

static void execute(const struct fti_program *program, pid_t supervisor) {
    setpgid(0, 0);
    // If the supervisor is killed, nobody is left to end the descendants; at least the program itself ends.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(127);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(OUTPUT, STDOUT_FILENO);
    dup2(OUTPUT, STDERR_FILENO);
    close(OUTPUT);
    if (chdir(program->directory)) fail_to_start();
    sigset_t signals;
    sigemptyset(&signals);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    execve(program->path, program->arguments, program->variables);
    fail_to_start();
}

// Appends a number and a text to a text that has room for them; snprintf() is not safe after fork().
static char *append(char *end, pid_t number, const char *text) {
    char digits[16];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0) *end++ = digits[--count];
    while ((*end = *text++)) end++;
    return end;
}

// Reads the processes that a process has started and that still exist, as far as the system tells; returns their number.
static int children_of(pid_t parent, pid_t *found, int limit) {
    char path[64] = "/proc/", text[4096];
    append(append(path + 6, parent, "/task/"), parent, "/children");
    int file = open(path, O_RDONLY | O_CLOEXEC), count = 0;
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text);
    close(file);
    pid_t number = 0;
    for (ssize_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            number = number * 10 + (text[i] - '0');
        } else if (number > 0) {
            if (count < limit) found[count++] = number;
            number = 0;
        }
    }
    return count;
}

// Sends a signal to the program, past the processes that only wrap it, and to its process group.
static void deliver(pid_t child, int signal, int wrappers) {
    pid_t target = child;
    for (int i = 0; i < wrappers; i++) {
        if (children_of(target, &target, 1) == 0) {
            target = child;
            break;
        }
    }
    kill(getpgid(target) == target ? -target : target, signal);
}

// Ends all descendants, and reaps them; notes the status of `child` when it was not reaped before.
static void end_all(pid_t child, int *status) {
    if (child > 0) kill(-child, SIGKILL);
    // A process of another user cannot be killed, so there is a limit to waiting: half a minute.
    for (int rounds = 0; rounds < 6000; rounds++) {
        pid_t found[512], reaped;
        int count = children_of(getpid(), found, 512), state;
        for (int i = 0; i < count; i++) kill(found[i], SIGKILL);
        while ((reaped = waitpid(-1, &state, WNOHANG)) > 0) {
            if (reaped == child) *status = state;
        }
        if (reaped < 0 && errno == ECHILD) return;
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
}

static _Noreturn void supervise(const struct fti_program *program, int channel) {
    setsid();
    prctl(PR_SET_NAME, "fti-supervisor");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // The descriptors that are needed move to fixed numbers, past each other.
    int above = (channel > program->output ? channel : program->output) + 1;
    if (above <= OUTPUT) above = OUTPUT + 1;
    dup2(channel, above);
    dup2(program->output, above + 1);
    dup2(above, CHANNEL);
    dup2(above + 1, OUTPUT);
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i <= STDERR_FILENO; i++) dup2(nothing, i);
    closefrom(OUTPUT + 1);
    fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);

    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    pid_t self = getpid(), child = fork();
    if (child < 0) fail_to_start();
    if (child == 0) execute(program, self);
    setpgid(child, child);
    close(OUTPUT);
    int signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK), status = 0;
    for (pid_t running = child; running > 0;) {
        struct pollfd polled[2] = {{CHANNEL, POLLIN, 0}, {signals, POLLIN, 0}};
        poll(polled, 2, -1);
        struct signalfd_siginfo information;
        while (read(signals, &information, sizeof information) > 0) {}
        pid_t reaped;
        int state;
        while ((reaped = waitpid(-1, &state, WNOHANG)) > 0) {
            if (reaped != child) continue;
            status = state;
            running = 0;
        }
        if (running == 0 || polled[0].revents == 0) continue;
        unsigned char number = SIGKILL;
        ssize_t count = read(CHANNEL, &number, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count == 1 && number != SIGKILL) {
            deliver(child, number, program->wrappers);
        } else {
            end_all(child, &status);
            running = 0;
        }
    }
    end_all(0, &status);
    struct fti_program_end end = {FTI_EXITED, WEXITSTATUS(status)};
    if (WIFSIGNALED(status)) end = (struct fti_program_end){FTI_SIGNALLED, WTERMSIG(status)};
    (void)!send(CHANNEL, &end, sizeof end, MSG_NOSIGNAL);
    _exit(0);
}

pid_t fti_supervise(const struct fti_program *program, int *channel) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return -1;
    sigset_t all, before;
    sigfillset(&all);
    // No handler of this process may run in the new one.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t supervisor = fork();
    if (supervisor == 0) supervise(program, ends[1]);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (supervisor < 0) {
        close(ends[0]);
        errno = error;
        return -1;
    }
    *channel = ends[0];
    return supervisor;
}

int fti_tell(int channel, unsigned char signal) {
    return send(channel, &signal, 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static atomic_int interrupt_pipe = -1;
static int reading_end = -1;
static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction actions_before[sizeof interrupts / sizeof *interrupts];

static void note_interrupt(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    (void)!write(atomic_load(&interrupt_pipe), &byte, 1);
    errno = error;
}

int fti_catch_interrupts(void) {
    int ends[2];
    if (atomic_load(&interrupt_pipe) >= 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return -1;
    reading_end = ends[0];
    atomic_store(&interrupt_pipe, ends[1]);
    sigset_t unblocked;
    sigemptyset(&unblocked);
    for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) {
        sigaddset(&unblocked, interrupts[i]);
        struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = SA_RESTART};
        sigaction(interrupts[i], NULL, &actions_before[i]);
        // A program that was started with nohup, or in the background by a script, goes on.
        if (actions_before[i].sa_handler != SIG_IGN) sigaction(interrupts[i], &action, NULL);
    }
    // A parent with threads may have started this process with blocked signals.
    pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
    return reading_end;
}

void fti_release_interrupts(void) {
    for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) sigaction(interrupts[i], &actions_before[i], NULL);
    close(atomic_exchange(&interrupt_pipe, -1));
    close(reading_end);
}
