/*
 * The thread pool. A job is open while its `state` says so; a worker enters an open job by counting itself in, takes
 * tasks until none is left, and counts itself out. The caller takes tasks too, closes the job, and waits only for
 * workers that entered: one that is still asleep is not waited for.
 *
 * Tasks lie in order, mostly pixels from first to last. Each thread begins with a range of its own, in every job at the same place: what
 * it reads is mostly what it wrote in the job before, and still in its cache. Who is done takes from the ends of others' ranges.
 */
#define _GNU_SOURCE
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

#if defined(__GLIBC__)
typedef cpu_set_t processors;
#else
typedef int processors;
#endif

struct up_pool {
    _Alignas(64) _Atomic uint64_t state;
    up_task task;
    const void *job;
    _Alignas(64) _Atomic int busy;
    _Atomic int sleepers;
    _Atomic int32_t numbered;
    _Atomic int stop;
    _Atomic int caller;    /* the processor that the caller of the last job ran on, or -1 */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int32_t threads;
    int spreads;           /* over the processors of who made the pool: there is one for each thread */
    processors all;
    range *ranges;
    pthread_t *sleeping;   /* the `sleepers`, in any order: the mutex guards them */
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

static _Thread_local int32_t number;

int32_t up_thread_number(void) { return number; }

/*
 * A worker often begins, or wakes, on the caller's processor: the caller is who starts and wakes it, or another thread was at work on the one that is idle
 * by now. There it takes turns with the caller until the system moves it, some milliseconds later: jobs take as long as on one thread, or longer
 * by the time for which an idle worker spins. So it is kept off that processor as it begins and wakes, and leaves it if they meet there later.
 * Where it may run at other times is not changed.
 */
#if defined(__GLIBC__)
static int this_processor(void) { return sched_getcpu(); }
static int get_processors(pthread_t thread, processors *some) { return pthread_getaffinity_np(thread, sizeof *some, some) == 0; }
static int set_processors(pthread_t thread, const processors *some) { return pthread_setaffinity_np(thread, sizeof *some, some) == 0; }
static int count_processors(const processors *some) { return CPU_COUNT(some); }
static processors without(processors some, int processor) {
    CPU_CLR(processor, &some);
    return some;
}
static int set_first_processors(pthread_attr_t *attributes, const processors *some) {
    return pthread_attr_setaffinity_np(attributes, sizeof *some, some) == 0;
}
#else
static int this_processor(void) { return -1; }
static int get_processors(pthread_t thread, processors *some) { (void)thread, (void)some; return 0; }
static int set_processors(pthread_t thread, const processors *some) { (void)thread, (void)some; return 0; }
static int count_processors(const processors *some) { (void)some; return 0; }
static processors without(processors some, int processor) { (void)processor; return some; }
static int set_first_processors(pthread_attr_t *attributes, const processors *some) { (void)attributes, (void)some; return 0; }
#endif

static int keep_off(pthread_t thread, int processor) {
    processors all;
    if (!get_processors(thread, &all)) return 0;
    const processors others = without(all, processor);
    return set_processors(thread, &others);
}

static void leave_caller(const up_pool *pool) {
    const int caller = atomic_load_explicit(&pool->caller, memory_order_relaxed);
    processors all;
    if (caller >= 0 && caller == this_processor() && get_processors(pthread_self(), &all) && keep_off(pthread_self(), caller))
        set_processors(pthread_self(), &all);
}

static void sleep_until_news(up_pool *pool, uint64_t seen) {
    processors all;
    const int known = pool->spreads && get_processors(pthread_self(), &all);
    pthread_mutex_lock(&pool->mutex);
    pool->sleeping[atomic_fetch_add(&pool->sleepers, 1)] = pthread_self();
    while (atomic_load(&pool->state) / GENERATION == seen && !atomic_load(&pool->stop))
        pthread_cond_wait(&pool->wake, &pool->mutex);
    const int last = atomic_fetch_sub(&pool->sleepers, 1) - 1;
    for (int i = 0; i < last; i++)
        if (pthread_equal(pool->sleeping[i], pthread_self())) pool->sleeping[i] = pool->sleeping[last];
    pthread_mutex_unlock(&pool->mutex);
    if (known) set_processors(pthread_self(), &all);
}

static void *work(void *argument) {
    up_pool *pool = argument;
    number = 1 + atomic_fetch_add(&pool->numbered, 1);
    if (pool->spreads) set_processors(pthread_self(), &pool->all);
    uint64_t seen = 0;
    int64_t idle = 0, since = 0;
    while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        uint64_t state = atomic_load_explicit(&pool->state, memory_order_acquire);
        if (state / GENERATION == seen) {
            relax();
            if (idle++ % LOOKS) continue;
            int64_t now = nanoseconds();
            if (idle == 1) since = now;
            leave_caller(pool);
            if (now - since < SPIN) continue;
            sleep_until_news(pool, seen);
            idle = 0;
        } else if (!(state & OPEN)) {
            seen = state / GENERATION;
        } else if (atomic_compare_exchange_weak_explicit(&pool->state, &state, state + 1, memory_order_acquire, memory_order_relaxed)) {
            leave_caller(pool);
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
    for (int i = 0; pool->spreads && i < atomic_load(&pool->sleepers); i++)
        keep_off(pool->sleeping[i], atomic_load_explicit(&pool->caller, memory_order_relaxed));
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

static int start_worker(up_pool *pool, int32_t i) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return -1;
    const processors others = without(pool->all, this_processor());
    if (pool->spreads && pool->threads > 1) set_first_processors(&attributes, &others);
    const int status = pthread_create(&pool->workers[i], &attributes, work, pool);
    pthread_attr_destroy(&attributes);
    return status;
}

int32_t up_pool_create(int32_t threads, up_pool **result) {
    if (!result) return up_fail(UP_INVALID, "up_pool_create: no place for the result");
    if (threads < 1 || threads > 256) return up_fail(UP_INVALID, "up_pool_create: %d threads, not 1 to 256", threads);
    const size_t head = (sizeof(up_pool) + 2 * (size_t)threads * sizeof(pthread_t) + 63) / 64 * 64;
    up_pool *pool = aligned_alloc(64, head + (size_t)threads * sizeof(range));
    if (!pool) return up_fail(UP_NO_MEMORY, "up_pool_create: out of memory");
    pool->ranges = (range *)((char *)pool + head);
    pool->sleeping = pool->workers + threads;
    atomic_init(&pool->state, 0);
    atomic_init(&pool->busy, 0);
    atomic_init(&pool->sleepers, 0);
    atomic_init(&pool->numbered, 0);
    atomic_init(&pool->stop, 0);
    atomic_init(&pool->caller, -1);
    pool->spreads = get_processors(pthread_self(), &pool->all) && count_processors(&pool->all) >= threads;
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (int32_t i = 0; i < threads - 1; i++) {
        if (start_worker(pool, i)) {
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
    if (pool->spreads) atomic_store_explicit(&pool->caller, this_processor(), memory_order_relaxed);
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
