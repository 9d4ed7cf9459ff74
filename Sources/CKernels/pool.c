#include "mtl_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// About 50 microseconds of pause instructions: longer than the gap between two kernels of a layer.
enum { SPINS = 2000 };

typedef struct {
    mtl_pool *pool;
    pthread_t thread;
    size_t number;
} worker;

// A number that others wait for to change.
typedef struct {
    _Alignas(64) _Atomic uint32_t value;
    _Atomic uint32_t sleepers;
} event;

struct mtl_pool {
    // Written by the caller before `generation` announces the job.
    mtl_job job;
    void *context;
    size_t count;
    event generation, busy;
    _Alignas(64) _Atomic size_t next;
    _Atomic bool ending;
    size_t workers;
    worker *list;
};

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Waits until the value differs from the one given: spins first, then sleeps.
static void wait_for_change(event *event, uint32_t value) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&event->value, memory_order_acquire) != value) return;
        pause_briefly();
    }
    atomic_fetch_add(&event->sleepers, 1);
    while (atomic_load(&event->value) == value) {
        syscall(SYS_futex, &event->value, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    }
    atomic_fetch_sub(&event->sleepers, 1);
}

// Wakes those who sleep, after the value has changed. Each of them says so before it looks at the value for
// the last time, and all of that is in one order: who is not seen here has seen the change.
static void wake_sleepers(event *event) {
    if (atomic_load(&event->sleepers) == 0) return;
    syscall(SYS_futex, &event->value, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void work(mtl_pool *pool, size_t number) {
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) return;
        pool->job(pool->context, index, number);
    }
}

static void *worker_main(void *argument) {
    worker *self = argument;
    mtl_pool *pool = self->pool;
    uint32_t seen = 0;
    for (;;) {
        wait_for_change(&pool->generation, seen);
        seen = atomic_load_explicit(&pool->generation.value, memory_order_acquire);
        if (atomic_load_explicit(&pool->ending, memory_order_relaxed)) return NULL;
        work(pool, self->number);
        if (atomic_fetch_sub(&pool->busy.value, 1) == 1) wake_sleepers(&pool->busy);
    }
}

mtl_pool *mtl_pool_create(size_t threads) {
    mtl_pool *pool = aligned_alloc(64, (sizeof(mtl_pool) + 63) / 64 * 64);
    if (pool == NULL) return NULL;
    *pool = (mtl_pool){0};
    size_t wanted = threads > 1 ? threads - 1 : 0;
    pool->list = calloc(wanted + 1, sizeof(worker));
    if (pool->list == NULL) {
        free(pool);
        return NULL;
    }
    for (size_t index = 0; index < wanted; index++) {
        worker *next = &pool->list[index];
        next->pool = pool;
        next->number = index + 1;
        if (pthread_create(&next->thread, NULL, worker_main, next) != 0) {
            mtl_pool_destroy(pool);
            return NULL;
        }
        pool->workers++;
    }
    return pool;
}

void mtl_pool_destroy(mtl_pool *pool) {
    atomic_store_explicit(&pool->ending, true, memory_order_relaxed);
    atomic_fetch_add(&pool->generation.value, 1);
    wake_sleepers(&pool->generation);
    for (size_t index = 0; index < pool->workers; index++) {
        pthread_join(pool->list[index].thread, NULL);
    }
    free(pool->list);
    free(pool);
}

void mtl_pool_run(mtl_pool *pool, mtl_job job, void *context, size_t count) {
    if (pool->workers == 0 || count <= 1) {
        for (size_t index = 0; index < count; index++) job(context, index, 0);
        return;
    }
    pool->job = job;
    pool->context = context;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->busy.value, (uint32_t)pool->workers, memory_order_relaxed);
    atomic_fetch_add(&pool->generation.value, 1);
    wake_sleepers(&pool->generation);
    work(pool, 0);
    for (uint32_t left; (left = atomic_load_explicit(&pool->busy.value, memory_order_acquire)) != 0;) {
        wait_for_change(&pool->busy, left);
    }
}
