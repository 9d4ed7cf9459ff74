// Preloaded into a command, it makes the system's calls on files go wrong as the variables say:
//
//     SHIM_MODE   count, kill (before the call; half of a write is done), error, short (half of each write) or
//                 full (a disk with room for SHIM_N bytes)
//     SHIM_N      the number of the call that goes wrong, from 1
//     SHIM_ERRNO  the error of mode error
//     SHIM_PATH   only calls on paths that contain it count
//     SHIM_LOG    a file for the number, name and path of each counted call
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long counter, written;

static int is_mode(const char *mode) {
    const char *wanted = getenv("SHIM_MODE");
    return wanted && !strcmp(wanted, mode);
}

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static int is_meant(const char *path) {
    const char *part = getenv("SHIM_PATH");
    return part && path && strstr(path, part);
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

// Counts a call; true if it is the one that goes wrong.
static int is_hit(const char *name, const char *path) {
    if (!is_meant(path) || is_mode("full") || is_mode("short")) return 0;
    long count = atomic_fetch_add(&counter, 1) + 1;
    const char *log = getenv("SHIM_LOG");
    if (log) {
        char line[600];
        int length = snprintf(line, sizeof line, "%ld %s %s\n", count, name, path);
        int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        syscall(SYS_write, file, line, length);
        syscall(SYS_close, file);
    }
    return count == number("SHIM_N");
}

// What becomes of a call: 0 if it is made.
static int fault(const char *name, const char *path) {
    if (!is_hit(name, path)) return 0;
    if (is_mode("kill")) die();
    if (!is_mode("error")) return 0;
    errno = number("SHIM_ERRNO");
    return -1;
}

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    buffer[length < 0 ? 0 : length] = 0;
    return buffer;
}

ssize_t write(int file, const void *bytes, size_t count) {
    char buffer[600];
    const char *path = file > 2 ? path_of(file, buffer, sizeof buffer) : "";
    size_t half = count > 1 ? count / 2 : count;
    if (is_meant(path) && is_mode("short")) return syscall(SYS_write, file, bytes, half);
    if (is_meant(path) && is_mode("full")) {
        long before = atomic_fetch_add(&written, count);
        if (before + (long)count > number("SHIM_N")) {
            errno = ENOSPC;
            return -1;
        }
    }
    if (is_hit("write", path)) {
        if (is_mode("kill")) {
            syscall(SYS_write, file, bytes, half);
            die();
        }
        if (is_mode("error")) {
            errno = number("SHIM_ERRNO");
            return -1;
        }
    }
    return syscall(SYS_write, file, bytes, count);
}

int fsync(int file) {
    char buffer[600];
    if (fault("fsync", path_of(file, buffer, sizeof buffer))) return -1;
    return 0;  // The test is about kills, not about power cuts.
}

int rename(const char *from, const char *to) {
    return fault("rename", to) ? -1 : syscall(SYS_rename, from, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return fault("exchange", to) ? -1 : syscall(SYS_renameat2, a, from, b, to, flags);
}

int mkdir(const char *path, mode_t mode) {
    return fault("mkdir", path) ? -1 : syscall(SYS_mkdir, path, mode);
}

int unlink(const char *path) { return fault("unlink", path) ? -1 : syscall(SYS_unlink, path); }

int rmdir(const char *path) { return fault("rmdir", path) ? -1 : syscall(SYS_rmdir, path); }

static int open_file(const char *path, int flags, mode_t mode) {
    if ((flags & O_CREAT) && fault("create", path)) return -1;
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_file(path, flags, mode);
}
