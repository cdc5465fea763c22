/* What the library's files share: errors, the thread pool's inner face, and the table of kernels of one instruction set. */
#ifndef UP_INTERNAL_H
#define UP_INTERNAL_H

#include "upscale_cpu.h"

#define UP_INLINE static inline __attribute__((always_inline))

/* ---------------------------------------------------------------- errors */

/* Notes the text for up_last_error() and returns the status. */
int32_t up_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The checks that every kernel makes; `where` is the function's name. 0 or the failure's status. */
int32_t up_check_source(const char *where, const char *what, const up_source *source, int64_t channels);
int32_t up_check_target(const char *where, const up_target *target, int64_t channels);
int32_t up_check_act(const char *where, const up_act *act);

/* ---------------------------------------------------------------- threads */

/* Runs part of a job: tasks [first, last). */
typedef void (*up_task)(const void *job, int64_t first, int64_t last);

/*
 * Runs tasks 0..tasks-1, one after the other or on the pool's threads; returns when all are done. UP_BUSY if the pool
 * is at work for another caller.
 */
int32_t up_parallel(up_pool *pool, up_task task, const void *job, int64_t tasks);

/* Of the threads that run a job's tasks, which the calling one is: 0 (the run's caller) to up_pool_threads() - 1. */
int32_t up_thread_number(void);

/*
 * Into how many tasks `items` equal pieces of work are to be cut: one where the whole (bytes moved or operations done,
 * `cost` for each item) is too small to wake a thread for.
 */
int64_t up_task_count(const up_pool *pool, int64_t items, int64_t cost);

/* First item of task t when `items` are cut into `tasks`. */
UP_INLINE int64_t up_cut(int64_t items, int64_t tasks, int64_t t) {
    return items / tasks * t + (t < items % tasks ? t : items % tasks);
}

/* What the tasks of a kernel other than convolutions share: `items` pieces of its work, cut into `tasks`. */
typedef struct up_job {
    const void *args;
    int64_t items, tasks;
} up_job;

/* ---------------------------------------------------------------- kernels of one instruction set */

/*
 * One register tile of a convolution: up to `mr` pixels by the outputs of one panel of packed weights, over one block of
 * K (segments x length). Pixel i reads segment s at rows[i * row_step + s * segment_step] + offset.
 */
typedef struct up_tile {
    const float *const *rows;
    int64_t row_step;
    int64_t segment_step;
    int64_t segments;
    const char *cuts;        /* of each segment: whether one pixel lies outside of the image there; or NULL: none does */
    int64_t length;
    int64_t offset;
    const int32_t *index;    /* positions of the block's channels, or NULL: 0, 1, ... from offset */
    const float *weights;    /* [segments][length][width] */
    int64_t panel_floats;    /* from the weights of one panel to the next's, where several are side by side */
    const float *bias;       /* [width] or NULL: what the sum starts from */
    const float *addend;     /* [mr] pixels, or NULL: added to it; the destination itself in later blocks of K */
    int64_t addend_stride;
    float *dst;
    int64_t dst_stride;
    int64_t outputs;         /* how many of the panel's outputs exist: 1..width */
    float low, high;         /* the result is clamped to this range */
    const char *ahead;       /* memory that will be needed next, fetched on the side: two lines with each channel, */
    int64_t ahead_step;      /*   `ahead_step` bytes from one channel to the next; 0: none */
    int64_t more;            /* tiles behind this one, of as many pixels, whose rows, addend and destination follow: without cuts, fetching nothing */
} up_tile;

/* A segment's pixel that lies outside of the image: it may be left out. */
enum { UP_CUT_NONE, UP_CUT_FIRST, UP_CUT_LAST };
#define UP_FEWEST_CUT(vectors) ((vectors) > 2 ? 3 : 4)    /* pixels of a tile that does so */

typedef void (*up_tile_kernel)(const up_tile *tile);

#define UP_MAX_MR 14
#define UP_SIDE_BY_SIDE 4
#define UP_MAX_WIDTHS 5

/* Panels of one width, and their register tiles: kernels[indexed][pixels - 1]. */
typedef struct up_panel_kind {
    int32_t width;
    int32_t mr;              /* the most pixels of a tile */
    up_tile_kernel kernels[2][UP_MAX_MR];
    up_tile_kernel several[2][UP_MAX_MR];    /* such tiles one behind the other */
    up_tile_kernel single[2];    /* [indexed]: one pixel alone, with several sums per output, for latency */
    up_tile_kernel beside[2];    /* or NULL: UP_SIDE_BY_SIDE panels for it at once */
} up_panel_kind;

/*
 * Neighbouring pixels of one output row of a depthwise convolution that have the same taps inside of the image: tap
 * (i, j) of pixel p lies at src + p * pixel_step + i * row_step + j * column_step, its weights at
 * weights + i * weights_row + j * weights_tap. Small groups have as many such planes as a group has input channels, each with the
 * channel that each output reads.
 */
typedef struct up_depthwise_run {
    const float *src;
    int64_t planes;
    int64_t plane_step, pixel_step, row_step, column_step;
    int64_t rows, columns;      /* of taps; may be 0 */
    int64_t before, after;      /* of the columns that are read, those outside of the image: only where up_depthwise_cuts() */
    int64_t later_rows;         /* of planes but the first, which are the rest of its rows where a ring of rows begins again */
    int64_t pixels, channels;
    const int32_t *index;       /* or NULL */
    const float *weights;
    int64_t weights_plane, weights_row, weights_tap;
    const float *bias;
    const float *addend;        /* or NULL */
    int64_t addend_stride;
    float *dst;
    int64_t dst_stride;
    float low, high;
} up_depthwise_run;

/* Whether runs of so many taps side by side may begin and end outside of the image, by fewer inputs than that. */
UP_INLINE int up_depthwise_cuts(int64_t columns, int64_t stride) {
    return ((columns == 3 || columns == 5) && (stride == 1 || stride == 2)) || (columns == 7 && stride == 1);
}

/*
 * A strip of columns of outputs, from the top down, and what it reads where channels come by index: rows of the source. The run is a whole row, with
 * the weights of all rows of taps.
 */
typedef struct up_down_rows {
    const void *plans;          /* made by plan_down, one of UP_DOWN_BYTES for each vector */
    const float *src;           /* the first row of the image, at the column of the run's first input */
    int64_t src_step, src_row;  /* from pixel to pixel, from row to row */
    int64_t stride;             /* of the convolution, both ways */
    int64_t outputs;            /* rows of outputs */
    int64_t cut, rows;          /* rows of inputs above the image, and of the image */
    int64_t column, end;        /* of outputs */
} up_down_rows;

enum { UP_DOWN_BYTES = 128 };

/* Into how many strips so many columns of outputs are cut, and whether there are kernels for their widths, of square windows that may be cut off. */
UP_INLINE int64_t up_down_strips(int64_t kernel, int64_t columns) {
    const int64_t most = kernel == 3 ? 7 : 4;
    return (columns + most - 1) / most;
}
UP_INLINE int up_depthwise_goes_down(int64_t kernel, int64_t stride, int64_t before, int64_t after, int64_t columns) {
    return (kernel == 3 || kernel == 5) && (stride == 1 || stride == 2) && before <= 2 && after <= 2 &&
           columns / up_down_strips(kernel, columns) >= (kernel == 3 ? 4 : 3);
}

/*
 * A band of rows of outputs of a depthwise convolution of 3x3, of one image. At most one row and one column of what is read lie outside of the
 * image on each side.
 */
typedef struct up_depthwise_band {
    const float *src;           /* the image's first pixel in the first row that is read, which may lie above the image */
    int64_t src_step, src_row;  /* from pixel to pixel, from row to row */
    int64_t in_w, out_w, pad_left;
    int32_t stride;             /* 1 or 2 */
    int32_t rows;               /* of outputs: UP_FEWEST_BAND_ROWS to UP_BAND_ROWS */
    int32_t above, below;       /* whether the first, the last row that is read lies outside of the image */
    int64_t channels;
    const float *weights;
    int64_t weights_tap;
    const float *bias;
    const float *addend;        /* or NULL */
    int64_t addend_stride, addend_row;
    float *dst;
    int64_t dst_stride, dst_row;
    float low, high;
} up_depthwise_band;

enum { UP_FEWEST_BAND_ROWS = 4, UP_BAND_ROWS = 7 };

/* Channels by index of some pixels, as vectors side by side; what fills the last one says nothing. */
typedef struct up_take_pixels {
    const void *plans;          /* made by plan_takes, one of UP_TAKE_BYTES for each vector */
    int64_t vectors;
    const float *src;
    int64_t src_stride, pixels;
    float *to;
    int64_t to_stride;
} up_take_pixels;

enum { UP_TAKE_BYTES = 448 };

/*
 * Rows of pixels of which a vector of channels (or fewer: the rest is 0) is packed, pixel after pixel. With 2 or 4 planes (where `spreads`)
 * the first of each so many neighbours is repeated in their places; the second in those of the next plane, and so on.
 */
typedef struct up_pack_rows {
    const float *src;
    int64_t src_stride, src_row;    /* from pixel to pixel, from row to row */
    const int32_t *index;           /* or NULL */
    int64_t channels;
    int64_t rows, columns;
    float *to;
    int64_t to_row;
    int64_t planes, to_plane;
} up_pack_rows;

/*
 * Pixels of an output row by some outputs of a convolution, with vectors across pixels: sum k of pixel p reads src[places[k] + p]. Whole vectors
 * are read.
 */
typedef struct up_across {
    const float *src;
    const int32_t *places;   /* [sums] */
    int64_t sums;            /* of taps and channels */
    const float *weights;    /* [sums][weights_step], the first `outputs` of each */
    int64_t weights_step;
    const float *bias;       /* [outputs] */
    int64_t outputs, pixels;
    float *dst;
    int64_t dst_stride;
    float low, high;
} up_across;

/*
 * Winograd's F(m x m, 3x3), m = 2 or 4: each m x m outputs (a tile) come from (m + 2) x (m + 2) inputs, by as many products of
 * transformed inputs with transformed weights. Points of interpolation: 0, 1, -1, infinity, and 0, A, -A, B, -B, infinity. With these A and
 * B rounding errors are half of what the usual 1 and 2 give (the best of short fractions on random data), and the inputs' and outputs'
 * factors are exact.
 */
#define UP_WINOGRAD_A 0.625f
#define UP_WINOGRAD_B 1.5f
enum { UP_WINOGRAD_SIZES = 2, UP_MOST_PRODUCTS = 36 };
UP_INLINE int64_t up_winograd_products(int64_t m) { return (m + 2) * (m + 2); }

/* Neighbouring tiles of one row of tiles, whose inputs are transformed: product i of tile t to `to + i * product_step + t * tile_step`. */
typedef struct up_winograd_input {
    const float *image;         /* its first pixel */
    int64_t pixel_stride;
    const int32_t *index;
    int64_t in_h, in_w;
    int64_t top, left;          /* of the first tile's inputs; what lies outside of the image is 0 */
    int64_t tiles, channels;
    float *to;                  /* room for whole vectors of channels */
    int64_t tile_step, product_step;
} up_winograd_input;

/* Neighbouring tiles of one row of tiles, whose products, summed over the channels, are transformed to outputs. */
typedef struct up_winograd_output {
    const float *from;          /* may be read to the end of a vector */
    int64_t tile_step, product_step;
    int64_t rows, columns;      /* of outputs: rows <= m */
    int64_t outputs;
    const float *bias;          /* may be read to the end of a vector */
    const float *addend;        /* or NULL; the destination itself is allowed */
    int64_t addend_stride, addend_row;
    float *dst;
    int64_t dst_stride, dst_row;
    float low, high;
} up_winograd_output;

enum { UP_REDUCE_CHANNELS = 64, UP_PLANE_PIXELS = 64, UP_WINDOW_CHANNELS = 64 };

/*
 * Pools by index gather rows that neighbouring outputs share. So their pieces of work are not rows: a part of the rows of an image's output
 * by a chunk of the channels, of UP_WINDOW_CHANNELS or more; the rows that are gathered for two parts are few.
 */
UP_INLINE int64_t up_window_chunks(const up_window_args *a) {
    return a->channels < 2 * UP_WINDOW_CHANNELS ? 1 : a->channels / UP_WINDOW_CHANNELS;
}
int64_t up_window_parts(const up_window_args *a);

typedef struct up_kernels {
    int32_t isa;
    int32_t vector_floats;
    int32_t kinds;
    const up_panel_kind *panels;   /* [kinds], of two vectors (AVX2: three, two), one, and narrower ones; after them, but for AVX2, that of three */
    void (*depthwise)(const up_depthwise_run *run);
    void (*depthwise_columns)(const up_depthwise_band *band);    /* or NULL */
    void (*depthwise_down)(const up_depthwise_run *run, const up_down_rows *rows);    /* or NULL */
    /* For it; false: channels lie too far apart, in more than `most` vectors of the source. */
    int (*plan_down)(const up_source *source, int64_t channels, int64_t most, void *plans);
    void (*pack_rows)(const up_pack_rows *rows);
    int spreads;                   /* whether that makes several planes */
    void (*plan_takes)(const int32_t *index, int64_t channels, void *plans);    /* aligned to 64 bytes */
    void (*take_pixels)(const up_take_pixels *pixels);
    void (*across_row)(const up_across *row);    /* or NULL */
    void (*split)(const float *from, int64_t n, float *even, float *odd);    /* every other value, for it */
    void (*winograd_input[UP_WINOGRAD_SIZES])(const up_winograd_input *strip);      /* m = 2, 4 */
    void (*winograd_output[UP_WINOGRAD_SIZES])(const up_winograd_output *strip);
    /* Applies a function in place to [pixels, channels]. */
    void (*act)(const up_act *act, float *data, int64_t stride, int64_t pixels, int64_t channels);
    /* Tasks of an up_job; what its items are: */
    up_task pointwise, softmax, gather;    /* pixels */
    up_task binary;                        /* pixels of all images */
    up_task window;                        /* rows of the output of all images; by index: parts of images by chunks of channels */
    up_task resize, pad;                   /* rows of the output of all images */
    up_task reduce;                        /* blocks of UP_REDUCE_CHANNELS channels, of all images */
    up_task from_planes, to_planes;        /* blocks of UP_PLANE_PIXELS pixels, of all images */
} up_kernels;

/* Whether narrow vectors take less time than wide ones on this CPU: whether it runs AVX-512 by halves, as Zen 4 does. */
int up_narrow_pays(int32_t isa);

/* Whether this build and this CPU have dot products of bf16. */
int up_has_bf16(void);

extern const up_kernels up_kernels_generic;
extern const up_kernels up_kernels_avx2;
extern const up_kernels up_kernels_avx512;

/* The kernels of the instruction set in use, or of another one (NULL if the CPU or the build lacks it). */
const up_kernels *up_current(void);
const up_kernels *up_kernels_of(int32_t isa);

/*
 * What a convolution clamps its sums to, when its activation is no more than that (none, ReLU, clamp): 1, and the range.
 * Otherwise 0 and no limits; the activation is then a pass over each tile block while it lies in the cache.
 */
int up_act_is_clamp(const up_act *act, float *low, float *high);

#endif
