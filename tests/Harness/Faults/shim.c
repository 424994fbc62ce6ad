/* Preloaded into a node: faults of its disk and of its clock, as the orders in a shared file say. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* NodeFaults.cs writes this. */
struct orders {
    volatile int32_t sync_error;
    volatile int32_t write_error;
    volatile int32_t write_delay_ms;
    volatile int32_t clock_seconds;
    volatile int32_t sync_skipped;
    char below[236];
};

static struct orders *orders;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("HEXCAST_FAULTS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof(struct orders), PROT_READ, MAP_SHARED, file, 0);
    if (shared != MAP_FAILED)
        orders = shared;
    close(file);
}

static int is_below(int file) {
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strncmp(path, orders->below, strlen(orders->below)) == 0;
}

static int fails(int file, int error, int delay_ms) {
    if ((!error && !delay_ms) || !is_below(file))
        return 0;
    if (delay_ms) {
        struct timespec wait = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
        nanosleep(&wait, NULL);
    }
    errno = error;
    return error;
}

int fsync(int);

/* What a program looks up by name in a library of its choice would pass by what is preloaded. */
void *dlsym(void *library, const char *name) {
    static void *(*real)(void *, const char *);
    if (!real)
        real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (library != RTLD_NEXT && strcmp(name, "fsync") == 0)
        return (void *)fsync;
    return real(library, name);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRITES(name, result, parameters, arguments)                                            \
    result name parameters {                                                                   \
        static result(*real) parameters;                                                       \
        if (!real)                                                                             \
            real = REAL(name);                                                                 \
        if (orders && fails(file, orders->write_error, orders->write_delay_ms))                \
            return -1;                                                                         \
        return real arguments;                                                                 \
    }

struct iovec;
ssize_t pwritev64(int, const struct iovec *, int, off_t);

/* What .NET's runtime imports for writing. */
WRITES(write, ssize_t, (int file, const void *bytes, size_t count), (file, bytes, count))
WRITES(pwrite64, ssize_t, (int file, const void *bytes, size_t count, off_t at), (file, bytes, count, at))
WRITES(pwritev64, ssize_t, (int file, const struct iovec *bytes, int count, off_t at), (file, bytes, count, at))

int fsync(int file) {
    static int (*real)(int);
    if (!real)
        real = REAL(fsync);
    if (orders && orders->sync_skipped && is_below(file))
        return 0;
    return orders && fails(file, orders->sync_error, 0) ? -1 : real(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = REAL(clock_gettime);
    int result = real(clock, now);
    if (!result && orders && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += orders->clock_seconds;
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
