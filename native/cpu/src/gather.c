/* Gathering channels: of all pixels into a tensor, and of rows of pixels into rows of vectors. */
#include "channels.h"
#include "pick.h"
#include "take.h"

/*
 * One vector of channels of each pixel of some rows; `vectors`: of the plan, or -1 where channels are neighbours. For small groups of `planes`
 * inputs it is spread over as many planes, of which each has one input of a group wherever that group's channels are. Both are constants.
 */
UP_INLINE void pack_rows(const up_pack_rows *r, const take *t, const int vectors, const int planes) {
    const float *from = r->src;
    float *to = r->to;
    const int64_t stride = r->src_stride, columns = r->columns, channels = r->channels, plane = r->to_plane;
    const take taken = *t;    /* in registers, which what is stored cannot change */
#if UP_ISA == 0
    (void)planes, (void)plane;
#else
    vi lanes[4];
#pragma GCC unroll 4
    for (int k = 0; k < planes; k++)
#pragma GCC unroll 16
        for (int i = 0; i < VW; i++) lanes[k][i] = i / planes * planes + k;
#endif
    for (int64_t y = 0; y < r->rows; y++, from += r->src_row, to += r->to_row) {
        const float *pixel = from;
        float *place = to;
        for (int64_t x = 0; x < columns; x++, pixel += stride, place += VW) {
            const vf v = vectors < 0 ? vload_n(pixel, channels) : take_pixel(&taken, pixel, vectors);
#if UP_ISA > 0
            if (planes > 1) {
#pragma GCC unroll 4
                for (int k = 0; k < planes; k++) vstore(place + k * plane, vpermute(v, lanes[k]));
                continue;
            }
#endif
            vstore(place, v);
        }
    }
}

UP_INLINE void pack_planes(const up_pack_rows *r, const int planes) {
    if (!r->index) {
        pack_rows(r, &(take){0}, -1, planes);
        return;
    }
    const take t = plan_take(r->index, r->channels);
    UP_WITH_VECTORS(&t, pack_rows(r, &t, VECTORS, planes))
}

void UP_NAME(up_pack_rows)(const up_pack_rows *r) {
    switch (r->planes) {
#if UP_ISA > 0
        case 2: pack_planes(r, 2); break;
        case 4: pack_planes(r, 4); break;
#endif
        default: pack_planes(r, 1);
    }
}

void UP_NAME(up_plan_takes)(const int32_t *index, int64_t channels, void *plans) {
    for (int64_t k = 0; k < channels; k += VW, plans = (char *)plans + UP_TAKE_BYTES)
        *(pick *)plans = plan_pick(index + k, channels - k < VW ? channels - k : VW);
}

UP_INLINE void pick_row(const pick *plan, const float *from, int64_t from_stride, float *to, int64_t to_stride, int64_t pixels, const int vectors) {
    const pick t = *plan;    /* in registers, which what is stored cannot change */
    for (int64_t p = 0; p < pixels; p++, from += from_stride, to += to_stride) vstore(to, pick_pixel(&t, from, vectors));
}

/* Each a function of its own: the plan stays in registers. */
#define UP_TAKE(vectors)                                                                                                          \
    static __attribute__((noinline)) void take_##vectors(const pick *t, const float *from, const up_take_pixels *r, float *to) { \
        pick_row(t, from, r->src_stride, to, r->to_stride, r->pixels, vectors);                                               \
    }
UP_TAKE(0) UP_TAKE(1) UP_TAKE(2) UP_TAKE(3) UP_TAKE(4)
#if UP_ISA == 2
UP_TAKE(5) UP_TAKE(6)
#define UP_MORE_TAKES , take_5, take_6
#else
#define UP_MORE_TAKES
#endif
static void (*const takes[])(const pick *, const float *, const up_take_pixels *, float *) = {take_0, take_1, take_2, take_3, take_4 UP_MORE_TAKES};

void UP_NAME(up_take_pixels)(const up_take_pixels *r) {
    const char *plan = r->plans;
    for (int64_t v = 0; v < r->vectors; v++, plan += UP_TAKE_BYTES) {
        const pick *t = (const pick *)plan;
        takes[t->vectors](t, r->src, r, r->to + v * VW);
    }
}

/* Neighbouring channels that are neighbours in the source too. */
typedef struct channel_run {
    int64_t from, to, length;
} channel_run;

/* The runs of an index list, if they are few: their number, else 0. */
static int64_t find_runs(const int32_t *index, int64_t n, channel_run *runs, int64_t most) {
    int64_t count = 0;
    for (int64_t k = 0; k < n; count++) {
        int64_t end = k + 1;
        while (end < n && index[end] == index[end - 1] + 1) end++;
        if (count == most) return 0;
        runs[count] = (channel_run){index[k], k, end - k};
        k = end;
    }
    return count;
}

void UP_NAME(up_gather_task)(const void *argument, int64_t first, int64_t last) {
    enum {
        RUNS = 256,
        WORTHWHILE = 8,     /* channels that a run must have, on average, to be copied as one */
        FEWEST = 2          /* pixels that are worth a plan */
    };
    const up_job *job = argument;
    const up_gather_args *a = job->args;
    const int64_t p0 = up_cut(job->items, job->tasks, first), p1 = up_cut(job->items, job->tasks, last), n = a->channels;
    channel_run runs[RUNS];
    int64_t most = n / WORTHWHILE < RUNS ? n / WORTHWHILE : RUNS, count = 0;
    if (a->src.index && p1 - p0 > 4) count = find_runs(a->src.index, n, runs, most);
    if (!a->src.index && a->src.pixel_stride == n && a->dst.pixel_stride == n) {
        memcpy(a->dst.data + p0 * n, a->src.data + p0 * n, (size_t)((p1 - p0) * n) * 4);
        return;
    }
    if (!a->src.index || count || p1 - p0 < FEWEST) {
        for (int64_t p = p0; p < p1; p++) {
            const float *from = a->src.data + p * a->src.pixel_stride;
            float *to = a->dst.data + p * a->dst.pixel_stride;
            if (count)
                for (int64_t r = 0; r < count; r++) copy_channels(to + runs[r].to, from + runs[r].from, NULL, runs[r].length);
            else
                copy_channels(to, from, a->src.index, n);
        }
        return;
    }
    const int64_t together = take_between(a->src.pixel_stride, a->dst.pixel_stride);
    for (int64_t p = p0; p < p1; p += together) {
        const int64_t pixels = p1 - p < together ? p1 - p : together;
        take_channels(a->src.index, n, a->src.data + p * a->src.pixel_stride, a->src.pixel_stride, a->dst.data + p * a->dst.pixel_stride,
                      a->dst.pixel_stride, pixels);
    }
}
