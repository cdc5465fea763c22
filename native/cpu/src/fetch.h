/* Memory that a run fetches on the side, for the layers behind it: see up_conv_args. */
#ifndef UP_FETCH_H
#define UP_FETCH_H

#include "internal.h"

enum { UP_LINE_BYTES = 64 };

/* What is left of a task's share: `left` bytes, from `at` on, which lies in `*range`; at most `step` bytes with each fetch. */
typedef struct up_fetcher {
    const up_range *range;
    const char *at;
    int64_t left, step;
} up_fetcher;

/* The share of one of `tasks` tasks, which has room for so many fetches: it is spread over all of them, so that it disturbs little. */
UP_INLINE up_fetcher up_fetcher_of(const up_conv_args *a, int64_t task, int64_t tasks, int64_t slots) {
    if (!a->fetches || a->fetch_count <= 0) return (up_fetcher){0};
    int64_t all = 0;
    for (int32_t i = 0; i < a->fetch_count; i++) all += a->fetches[i].bytes;
    int64_t from = up_cut(all, tasks, task);
    up_fetcher f = {.range = a->fetches, .left = up_cut(all, tasks, task + 1) - from};
    if (f.left <= 0 || slots <= 0) return (up_fetcher){0};
    f.step = f.left / slots + 1;
    if (f.step > UP_LINE_BYTES) f.step = UP_LINE_BYTES;
    for (; from >= f.range->bytes; f.range++) from -= f.range->bytes;
    f.at = (const char *)f.range->data + from;
    return f;
}

/*
 * What a tile fetches that has room for `slots` fetches: from `*ahead` on, at distances that are the result. 0: nothing. Never beyond the range,
 * since fetching what is not mapped is slow.
 */
UP_INLINE int64_t up_fetch_next(up_fetcher *f, int64_t slots, const char **ahead) {
    if (f->left <= 0) return 0;
    int64_t here = (const char *)f->range->data + f->range->bytes - f->at;
    if (here > f->left) here = f->left;
    int64_t step = here / slots;
    if (step > f->step) step = f->step;
    *ahead = f->at;
    const int64_t done = step > 0 ? step * slots : here;
    f->at += done;
    f->left -= done;
    const int64_t rest = (const char *)f->range->data + f->range->bytes - f->at;
    if (rest < UP_LINE_BYTES) {
        f->left -= rest;
        if (f->left > 0) f->at = (++f->range)->data;
    }
    return step;
}

#endif
