/*
 * The thread pool. A job is open while its `state` says so; a worker enters an open job by counting itself in, takes
 * tasks until none is left, and counts itself out. The caller takes tasks too, closes the job, and waits only for
 * workers that entered: one that is still asleep is not waited for.
 *
 * Tasks lie in order, mostly pixels from first to last. Each thread begins with a range of its own, in every job at the same place: what
 * it reads is mostly what it wrote in the job before, and still in its cache. Who is done takes from the ends of others' ranges.
 */
#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define OPEN ((uint64_t)1 << 16)
#define GENERATION ((uint64_t)1 << 17)
#define INSIDE(state) ((state) & 0xffff)

/*
 * How long an idle worker looks for a job before it sleeps, in nanoseconds: longer than most serial parts of a run. To wake one
 * that sleeps takes some ten microseconds, on a virtual machine 50 to 100, which is more than most steps take.
 */
enum { SPIN = 300000, LOOKS = 64 };

/* The tasks [first, end) that nobody has taken of a thread's range: first in the upper half, end in the lower. */
typedef struct range {
    _Alignas(64) _Atomic uint64_t left;
} range;

struct up_pool {
    _Alignas(64) _Atomic uint64_t state;
    up_task task;
    const void *job;
    _Alignas(64) _Atomic int busy;
    _Atomic int sleepers;
    _Atomic int32_t numbered;
    _Atomic int stop;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int32_t threads;
    range *ranges;
    pthread_t workers[];
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* A task of a range: its first, or its last; -1 if none is left. */
static int64_t take(range *from, int last) {
    uint64_t left = atomic_load_explicit(&from->left, memory_order_relaxed);
    for (;;) {
        const uint32_t first = (uint32_t)(left >> 32), end = (uint32_t)left;
        if (first >= end) return -1;
        const uint64_t rest = last ? left - 1 : left + ((uint64_t)1 << 32);
        if (atomic_compare_exchange_weak_explicit(&from->left, &left, rest, memory_order_relaxed, memory_order_relaxed))
            return last ? end - 1 : first;
    }
}

static void take_tasks(up_pool *pool, int32_t self) {
    for (int32_t i = 0; i < pool->threads; i++)
        for (int64_t t; (t = take(&pool->ranges[(self + i) % pool->threads], i > 0)) >= 0; ) pool->task(pool->job, t, t + 1);
}

static void sleep_until_news(up_pool *pool, uint64_t seen) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->state) / GENERATION == seen && !atomic_load(&pool->stop))
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static _Thread_local int32_t number;

int32_t up_thread_number(void) { return number; }

static void *work(void *argument) {
    up_pool *pool = argument;
    number = 1 + atomic_fetch_add(&pool->numbered, 1);
    uint64_t seen = 0;
    int64_t idle = 0, since = 0;
    while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        uint64_t state = atomic_load_explicit(&pool->state, memory_order_acquire);
        if (state / GENERATION == seen) {
            relax();
            if (idle++ % LOOKS) continue;
            int64_t now = nanoseconds();
            if (idle == 1) since = now;
            if (now - since < SPIN) continue;
            sleep_until_news(pool, seen);
            idle = 0;
        } else if (!(state & OPEN)) {
            seen = state / GENERATION;
        } else if (atomic_compare_exchange_weak_explicit(&pool->state, &state, state + 1, memory_order_acquire, memory_order_relaxed)) {
            take_tasks(pool, number);
            atomic_fetch_sub_explicit(&pool->state, 1, memory_order_release);
            seen = state / GENERATION;
            idle = 0;
        }
    }
    return NULL;
}

static void wake_sleepers(up_pool *pool) {
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void stop_workers(up_pool *pool, int32_t started) {
    atomic_store(&pool->stop, 1);
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int32_t i = 0; i < started; i++) pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

int32_t up_pool_create(int32_t threads, up_pool **result) {
    if (!result) return up_fail(UP_INVALID, "up_pool_create: no place for the result");
    if (threads < 1 || threads > 256) return up_fail(UP_INVALID, "up_pool_create: %d threads, not 1 to 256", threads);
    const size_t head = (sizeof(up_pool) + (size_t)threads * sizeof(pthread_t) + 63) / 64 * 64;
    up_pool *pool = aligned_alloc(64, head + (size_t)threads * sizeof(range));
    if (!pool) return up_fail(UP_NO_MEMORY, "up_pool_create: out of memory");
    pool->ranges = (range *)((char *)pool + head);
    atomic_init(&pool->state, 0);
    atomic_init(&pool->busy, 0);
    atomic_init(&pool->sleepers, 0);
    atomic_init(&pool->numbered, 0);
    atomic_init(&pool->stop, 0);
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (int32_t i = 0; i < threads - 1; i++) {
        if (pthread_create(&pool->workers[i], NULL, work, pool)) {
            stop_workers(pool, i);
            return up_fail(UP_NO_MEMORY, "up_pool_create: cannot start thread %d of %d", i + 2, threads);
        }
    }
    *result = pool;
    return UP_OK;
}

void up_pool_destroy(up_pool *pool) {
    if (pool) stop_workers(pool, pool->threads - 1);
}

int32_t up_pool_threads(const up_pool *pool) { return pool ? pool->threads : 1; }

int32_t up_parallel(up_pool *pool, up_task task, const void *job, int64_t tasks) {
    if (!pool || pool->threads == 1 || tasks <= 1 || tasks > UINT32_MAX) {
        task(job, 0, tasks);
        return UP_OK;
    }
    if (atomic_exchange_explicit(&pool->busy, 1, memory_order_acquire))
        return up_fail(UP_BUSY, "the thread pool is at work for another caller: give each caller a pool of its own");
    pool->task = task;
    pool->job = job;
    for (int32_t i = 0; i < pool->threads; i++)
        atomic_store_explicit(&pool->ranges[i].left, (uint64_t)up_cut(tasks, pool->threads, i) << 32 | (uint64_t)up_cut(tasks, pool->threads, i + 1),
                              memory_order_relaxed);
    uint64_t generation = atomic_load_explicit(&pool->state, memory_order_relaxed) / GENERATION + 1;
    atomic_store(&pool->state, generation * GENERATION | OPEN);
    wake_sleepers(pool);
    take_tasks(pool, 0);
    uint64_t state = atomic_fetch_and(&pool->state, ~OPEN);
    for (int waits = 0; INSIDE(state); waits++) {
        if (waits < 20000) relax();
        else sched_yield();
        state = atomic_load_explicit(&pool->state, memory_order_acquire);
    }
    atomic_store_explicit(&pool->busy, 0, memory_order_release);
    return UP_OK;
}

int64_t up_task_count(const up_pool *pool, int64_t items, int64_t cost) {
    int64_t threads = up_pool_threads(pool);
    if (threads == 1 || items <= 1) return 1;
    int64_t worth = 1 + items * cost / 65536;
    int64_t tasks = 4 * threads;
    if (tasks > worth) tasks = worth;
    return tasks > items ? items : tasks;
}
