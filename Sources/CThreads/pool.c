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

// The indices that are left of a worker's share, [begin, end), in one word: the end in the upper half. The
// worker takes the first, so that it walks through memory; others that are done with theirs take the last.
typedef struct {
    _Alignas(64) _Atomic uint64_t left;
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
    event generation, busy;
    _Atomic bool ending;
    size_t threads; // the caller included, which is worker 0
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

static uint64_t range(uint64_t begin, uint64_t end) { return end << 32 | begin; }

// Takes an index of a share, the first or the last; returns whether there was one.
static bool take(worker *worker, bool first, size_t *index) {
    uint64_t left = atomic_load_explicit(&worker->left, memory_order_relaxed);
    for (;;) {
        const uint64_t begin = (uint32_t)left, end = left >> 32;
        if (begin >= end) return false;
        const uint64_t rest = first ? range(begin + 1, end) : range(begin, end - 1);
        if (atomic_compare_exchange_weak_explicit(&worker->left, &left, rest, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            *index = first ? begin : end - 1;
            return true;
        }
    }
}

static void work(mtl_pool *pool, size_t number) {
    size_t index;
    for (size_t other = 0; other < pool->threads; other++) {
        worker *from = &pool->list[(number + other) % pool->threads];
        while (take(from, other == 0, &index)) pool->job(pool->context, index, number);
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
    pool->list = aligned_alloc(64, threads * sizeof(worker));
    if (pool->list == NULL) {
        free(pool);
        return NULL;
    }
    for (size_t number = 0; number < threads; number++) {
        worker *next = &pool->list[number];
        *next = (worker){.pool = pool, .number = number};
        if (number > 0 && pthread_create(&next->thread, NULL, worker_main, next) != 0) {
            mtl_pool_destroy(pool);
            return NULL;
        }
        pool->threads++;
    }
    return pool;
}

void mtl_pool_destroy(mtl_pool *pool) {
    atomic_store_explicit(&pool->ending, true, memory_order_relaxed);
    atomic_fetch_add(&pool->generation.value, 1);
    wake_sleepers(&pool->generation);
    for (size_t number = 1; number < pool->threads; number++) pthread_join(pool->list[number].thread, NULL);
    free(pool->list);
    free(pool);
}

void mtl_pool_run(mtl_pool *pool, mtl_job job, void *context, size_t count) {
    const size_t threads = pool->threads;
    if (threads == 1 || count <= 1) {
        for (size_t index = 0; index < count; index++) job(context, index, 0);
        return;
    }
    pool->job = job;
    pool->context = context;
    for (size_t number = 0; number < threads; number++) {
        atomic_store_explicit(&pool->list[number].left,
                              range(number * count / threads, (number + 1) * count / threads),
                              memory_order_relaxed);
    }
    atomic_store_explicit(&pool->busy.value, (uint32_t)(threads - 1), memory_order_relaxed);
    atomic_fetch_add(&pool->generation.value, 1);
    wake_sleepers(&pool->generation);
    work(pool, 0);
    for (uint32_t left; (left = atomic_load_explicit(&pool->busy.value, memory_order_acquire)) != 0;) {
        wait_for_change(&pool->busy, left);
    }
}
