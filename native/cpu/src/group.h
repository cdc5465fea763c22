/* Channels as groups of a few vectors, which passes over windows keep in registers. */
#ifndef UP_GROUP_H
#define UP_GROUP_H

#include "take.h"

enum { MOST_VECTORS = 4 };

/*
 * Some vectors of channels. All are whole if there are channels for one: the last one of a group begins so that it ends with the last
 * channel, and shares some with the one before.
 */
typedef struct channel_group {
    int64_t first;      /* channel */
    int64_t vectors;    /* 0: a part of one, which is all channels */
    int64_t tail;       /* where the last vector begins, from `first` */
} channel_group;

/* The group at `first`, of at most so many vectors. */
static inline __attribute__((unused)) channel_group group_at(int64_t first, int64_t channels, int64_t most) {
    if (channels < VW) return (channel_group){0, 0, 0};
    const int64_t left = channels - first, wanted = (left + VW - 1) / VW, vectors = wanted < most ? wanted : most;
    const int64_t end = vectors * VW < left ? vectors * VW : left;
    if (end < VW) return (channel_group){channels - VW, 1, 0};    /* one vector alone shares with the group before */
    return (channel_group){first, vectors, end - VW};
}

/* Where vector v of a group begins; the numbers are constants. */
UP_INLINE int64_t vector_at(int v, const int vectors, int64_t tail) { return vectors > 1 && v == vectors - 1 ? tail : v * VW; }

/* The plans for the vectors of a group. */
static inline __attribute__((unused)) void plan_group(const int32_t *index, int64_t channels, const channel_group *g, take *takes) {
    takes[0] = plan_take(index + g->first, channels < VW ? channels : VW);
    for (int64_t v = 1; v < g->vectors; v++) takes[v] = plan_take(index + g->first + (v == g->vectors - 1 ? g->tail : v * VW), VW);
}

/* Floats of a pixel where the group's channels were gathered. */
UP_INLINE int64_t group_floats(const channel_group *g) { return (g->vectors ? g->vectors : 1) * VW; }

/* The group's channels of neighbouring pixels side by side: whole vectors, pixel after pixel. */
static inline __attribute__((unused)) void take_group(const take *takes, const channel_group *g, const float *from, int64_t from_stride,
                                                      float *to, int64_t pixels) {
    const int64_t floats = group_floats(g);
    for (int64_t v = 0; v * VW < floats; v++) take_pixels(&takes[v], from, from_stride, to + v * VW, floats, pixels, VW);
}

#endif
