#define _GNU_SOURCE
#include "mtl_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int noted[] = {SIGINT, SIGWINCH};
static const int ending[] = {SIGHUP, SIGTERM};
static const int crashing[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};

// Written before the handlers are installed, read by them; `pending` by all.
static int terminal = -1, screen = -1;
static struct termios modes;
static const char *enter_text, *leave_text;
static int wake[2] = {-1, -1};
static _Atomic unsigned pending;
static _Atomic int ending_number;
static struct sigaction before[NSIG];

static void say(const char *text) {
    // A screen that was halted (Ctrl-S) or is gone takes no text, and must not hold up the end.
    struct pollfd file = {.fd = screen, .events = POLLOUT};
    if (poll(&file, 1, 0) != 1 || write(screen, text, strlen(text)) < 0) return;
}

static void restore(void) {
    // In the background, changing the terminal would stop the process.
    struct sigaction ignoring = {.sa_handler = SIG_IGN}, old;
    sigaction(SIGTTOU, &ignoring, &old);
    say(leave_text);
    tcsetattr(terminal, TCSANOW, &modes);
    sigaction(SIGTTOU, &old, NULL);
}

static void note(unsigned bit) {
    atomic_fetch_or(&pending, bit);
    // The pipe does not block; if it is full, its reader will wake anyway.
    if (write(wake[1], "", 1) < 0) return;
}

static void on_noted(int number) {
    int code = errno;
    note(number == SIGINT ? mtl_signal_interrupt : mtl_signal_resize);
    errno = code;
}

static void on_ending(int number) {
    int code = errno, none = 0;
    // The first one leaves time to save; whoever sends another does not want to wait. But when a terminal is closed,
    // both the system and the shell send SIGHUP.
    if (!atomic_compare_exchange_strong(&ending_number, &none, number) && number != SIGHUP) {
        restore();
        _exit(128 + number);
    }
    note(0);
    errno = code;
}

static void on_crashing(int number) {
    restore();
    sigaction(number, &before[number], NULL);
    // Blocked until this handler returns; then the signal takes the course it had before.
    raise(number);
}

static void install(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};
    sigaction(number, &action, &before[number]);
}

static void on_stop(int number) {
    int code = errno;
    struct termios current;
    int known = tcgetattr(terminal, &current);
    restore();
    struct sigaction standard = {.sa_handler = SIG_DFL}, ours;
    sigaction(number, &standard, &ours);
    sigset_t mask, old;
    sigemptyset(&mask);
    sigaddset(&mask, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &mask, &old);
    // Here the process is stopped until it is told to go on.
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    sigaction(number, &ours, NULL);
    if (known == 0) tcsetattr(terminal, TCSANOW, &current);
    say(enter_text);
    note(mtl_signal_resume);
    errno = code;
}

#define EACH(number, numbers) \
    for (const int *number = numbers; number < numbers + sizeof(numbers) / sizeof(int); number++)

int mtl_signals_begin(int input, int output, const char *enter, const char *leave) {
    if (tcgetattr(input, &modes) != 0 || pipe2(wake, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    terminal = input;
    screen = output;
    enter_text = enter;
    leave_text = leave;
    atomic_store(&pending, 0);
    atomic_store(&ending_number, 0);
    EACH(number, noted) install(*number, on_noted, 0);
    EACH(number, ending) {
        install(*number, on_ending, 0);
        // As under nohup.
        if (before[*number].sa_handler == SIG_IGN) sigaction(*number, &before[*number], NULL);
    }
    EACH(number, crashing) install(*number, on_crashing, 0);
    install(SIGTSTP, on_stop, 0);
    install(SIGPIPE, SIG_IGN, 0);
    say(enter_text);
    return wake[0];
}

void mtl_signals_end(void) {
    if (terminal < 0) return;
    EACH(number, noted) sigaction(*number, &before[*number], NULL);
    EACH(number, ending) sigaction(*number, &before[*number], NULL);
    EACH(number, crashing) sigaction(*number, &before[*number], NULL);
    sigaction(SIGTSTP, &before[SIGTSTP], NULL);
    sigaction(SIGPIPE, &before[SIGPIPE], NULL);
    restore();
    close(wake[0]);
    close(wake[1]);
    terminal = screen = wake[0] = wake[1] = -1;
}

int mtl_signals_ending(void) { return atomic_load(&ending_number); }

unsigned mtl_signals_take(unsigned mask) { return atomic_fetch_and(&pending, ~mask) & mask; }
