/*
 * What the tests share: random numbers, buffers that end (or begin) at an unreadable page, views into wider tensors
 * whose neighbours are NaN, and a check that counts failures.
 */
#ifndef CHECK_H
#define CHECK_H

#include "upscale_cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int failures;
extern long checks;

#define CHECK(condition, ...)                                    \
    do {                                                         \
        checks++;                                                \
        if (!(condition)) {                                      \
            if (failures++ < 20) {                               \
                printf("FAILED %s:%d: ", __FILE__, __LINE__);    \
                printf(__VA_ARGS__);                             \
                printf("\n");                                    \
            }                                                    \
        }                                                        \
    } while (0)

#define EXPECT(call, status, text)                                                                                        \
    do {                                                                                                                  \
        int32_t got_ = (call);                                                                                            \
        CHECK(got_ == (status), "%s: status %d (%s), not %d", #call, got_, up_status_text(got_), (status));               \
        CHECK(strstr(up_last_error(), text), "%s: \"%s\" does not say \"%s\"", #call, up_last_error(), text);             \
    } while (0)

void seed(uint64_t s);
uint32_t random_bits(void);
int random_int(int low, int high);   /* both included */
float random_float(void);            /* -1 .. 1 */
int one_in(int n);

/* n floats of a mapping of their own, the last (or, at random, the first) of them next to a page that cannot be read. */
float *guarded(int64_t n);
void release_all(void);              /* everything that guarded() gave out */

/* A view of [pixels, channels] in memory that is NaN wherever the view does not reach. */
typedef struct view {
    float *data;
    int64_t stride;
    int32_t *index;     /* or NULL */
    int64_t pixels;
    int channels;
    float *memory;
    int64_t floats;
} view;

enum shape { DENSE, SLICE, INDEXED, PLANES, ANY };

/* Filled with random values; of the given shape, PLANES: each channel by itself, ANY: one of the three others at random. */
view source_view(int64_t pixels, int channels, enum shape shape);
/* A destination: NaN everywhere. */
view target_view(int64_t pixels, int channels);
view copy_of(view v);                /* the same place in a copy of the memory */

static inline float at(view v, int64_t pixel, int channel) {
    return v.data[pixel * v.stride + (v.index ? v.index[channel] : channel)];
}
static inline up_source as_source(view v) { return (up_source){v.data, v.stride, v.index}; }
static inline up_target as_target(view v) { return (up_target){v.data, v.stride}; }

/* Whether all that is not part of the view is still NaN. */
int untouched_around(view v);

/* A function of one value in double precision, and whether `got` is near enough to it. */
double function_of(const up_act *act, double x);
up_act random_act(void);
int near(float got, double want, double tolerance);

void test_convolutions(up_pool *pool);
void test_winograd(up_pool *pool);
void test_functions(void);
void test_pointwise(up_pool *pool);
void test_binary(up_pool *pool);
void test_windows(up_pool *pool);
void test_places(up_pool *pool);
void test_errors(void);
void test_winograd_errors(void);
void test_threads(void);
void test_processors(void);

#endif
