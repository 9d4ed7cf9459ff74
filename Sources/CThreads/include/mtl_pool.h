#pragma once
#include <stddef.h>

// A pool of threads that divides indexed jobs.
//
// Which thread runs which index is not fixed, so a job's result must not depend on it. One job runs
// at a time; the calling thread works too. Idle workers spin for a short while, then sleep.
typedef struct mtl_pool mtl_pool;

// Runs one index of a job on the worker of the given number, 0 ..< threads.
typedef void (*mtl_job)(void *context, size_t index, size_t worker);

// Creates a pool of `threads` (at least 1) workers, the caller being one; NULL if the system refuses.
mtl_pool *mtl_pool_create(size_t threads);

// Ends the workers and frees the pool; no job may be running.
void mtl_pool_destroy(mtl_pool *pool);

// Runs `job` for every index in 0 ..< count and returns when all are done.
void mtl_pool_run(mtl_pool *pool, mtl_job job, void *context, size_t count);
