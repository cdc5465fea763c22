/* The kernels other than convolutions, as callers see them: checks, and how the work is cut into tasks. */
#include "internal.h"

static int32_t run(const up_task task, const void *args, int64_t items, int64_t cost, up_pool *pool) {
    up_job job = {.args = args, .items = items, .tasks = up_task_count(pool, items, cost)};
    return up_parallel(pool, task, &job, job.tasks);
}

#define REQUIRE(condition, ...) \
    if (!(condition)) return up_fail(UP_INVALID, __VA_ARGS__)
#define TRY(call)                  \
    do {                           \
        int32_t status_ = (call);  \
        if (status_) return status_; \
    } while (0)

/* Checks that name the function they are in. */
#define REQUIRE_ARGS REQUIRE(a, "%s: no arguments", __func__)
#define REQUIRE_PIXELS(n) REQUIRE((n) >= 0 && a->channels >= 0, "%s: %lld pixels, %d channels", __func__, (long long)(n), a->channels)
#define REQUIRE_IMAGES                                                                                              \
    REQUIRE(a->batch >= 0 && a->channels >= 0 && a->in_h >= 0 && a->in_w >= 0 && a->out_h >= 0 && a->out_w >= 0,    \
            "%s: batch %d, %d channels, source %dx%d, destination %dx%d", __func__, a->batch, a->channels, a->in_h, \
            a->in_w, a->out_h, a->out_w)
#define REQUIRE_SOURCE TRY(up_check_source(__func__, "the source", &a->src, a->channels))
#define REQUIRE_TARGET TRY(up_check_target(__func__, &a->dst, a->channels))

int32_t up_pointwise(const up_pointwise_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_PIXELS(a->pixels);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    TRY(up_check_act(__func__, &a->act));
    return run(up_current()->pointwise, a, a->pixels, a->channels * (a->act.function > UP_CLAMP ? 8 : 2), pool);
}

int32_t up_softmax(const up_softmax_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_PIXELS(a->pixels);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    return a->channels ? run(up_current()->softmax, a, a->pixels, a->channels * 10, pool) : UP_OK;
}

int32_t up_gather(const up_gather_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_PIXELS(a->pixels);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    return run(up_current()->gather, a, a->pixels, a->channels, pool);
}

static int32_t check_operand(const char *where, const char *what, const up_operand *o) {
    if (!o->data) return up_fail(UP_INVALID, "%s: %s has no data", where, what);
    if (o->channel_stride != 0 && o->channel_stride != 1)
        return up_fail(UP_INVALID, "%s: %s has a channel stride of %lld", where, what, (long long)o->channel_stride);
    return UP_OK;
}

int32_t up_binary(const up_binary_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE(a->batch >= 0, "%s: batch %d", __func__, a->batch);
    REQUIRE_PIXELS(a->pixels);
    REQUIRE(a->op >= UP_ADD && a->op <= UP_PRELU, "%s: unknown operation %d", __func__, a->op);
    TRY(check_operand(__func__, "operand a", &a->a));
    TRY(check_operand(__func__, "operand b", &a->b));
    REQUIRE_TARGET;
    TRY(up_check_act(__func__, &a->act));
    return run(up_current()->binary, a, a->batch * a->pixels, a->channels * (a->op == UP_POW ? 20 : 2), pool);
}

int64_t up_window_parts(const up_window_args *a) {
    enum {
        PART_BYTES = 512 << 10,    /* that the rows of a part may read */
        SHARED_ROWS = 8            /* rows gathered for two parts are at most one in so many */
    };
    const int64_t window = (int64_t)(a->kernel_h - 1) * a->dilation_h + 1, shared = window > a->stride_h ? window - a->stride_h : 0;
    const int64_t row_bytes = (int64_t)a->in_w * a->src.pixel_stride * 4, fit = row_bytes ? PART_BYTES / row_bytes : a->in_h;
    const int64_t read = fit > SHARED_ROWS * shared ? fit : SHARED_ROWS * shared, rows = read / a->stride_h ? read / a->stride_h : 1;
    return (a->out_h + rows - 1) / rows;
}

int32_t up_window(const up_window_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_IMAGES;
    REQUIRE(a->op == UP_POOL_MAX || a->op == UP_POOL_AVERAGE, "%s: unknown operation %d", __func__, a->op);
    REQUIRE(a->kernel_h >= 1 && a->kernel_w >= 1, "%s: kernel %dx%d", __func__, a->kernel_h, a->kernel_w);
    REQUIRE(a->stride_h >= 1 && a->stride_w >= 1, "%s: stride %dx%d", __func__, a->stride_h, a->stride_w);
    REQUIRE(a->dilation_h >= 1 && a->dilation_w >= 1, "%s: dilation %dx%d", __func__, a->dilation_h, a->dilation_w);
    REQUIRE(a->pad_top >= 0 && a->pad_left >= 0 && a->pad_bottom >= 0 && a->pad_right >= 0, "%s: padding %d, %d, %d, %d", __func__,
            a->pad_top, a->pad_left, a->pad_bottom, a->pad_right);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    const int64_t row_cost = (int64_t)a->out_w * a->channels * ((int64_t)a->kernel_h * a->kernel_w);
    if (!a->src.index) return run(up_current()->window, a, (int64_t)a->batch * a->out_h, row_cost, pool);
    const int64_t pieces = up_window_parts(a) * up_window_chunks(a);    /* of an image */
    return pieces ? run(up_current()->window, a, a->batch * pieces, row_cost * a->out_h / pieces, pool) : UP_OK;
}

int32_t up_reduce(const up_reduce_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE(a->batch >= 0, "%s: batch %d", __func__, a->batch);
    REQUIRE(a->pixels >= 1 && a->channels >= 0, "%s: %lld pixels, %d channels", __func__, (long long)a->pixels, a->channels);
    REQUIRE(a->op >= UP_REDUCE_MEAN && a->op <= UP_REDUCE_MAX, "%s: unknown operation %d", __func__, a->op);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    const int64_t blocks = (a->channels + UP_REDUCE_CHANNELS - 1) / UP_REDUCE_CHANNELS;
    return run(up_current()->reduce, a, a->batch * blocks, a->pixels * UP_REDUCE_CHANNELS, pool);
}

int32_t up_resize(const up_resize_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_IMAGES;
    REQUIRE(a->row0 && a->col0, "%s: no table row0 or col0", __func__);
    REQUIRE(!a->row1 == !a->col1 && !a->row1 == !a->row_weight && !a->row1 == !a->col_weight,
            "%s: row1, col1, row_weight and col_weight go together", __func__);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    return run(up_current()->resize, a, (int64_t)a->batch * a->out_h, (int64_t)a->out_w * a->channels * (a->row1 ? 4 : 1), pool);
}

int32_t up_pad(const up_pad_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    REQUIRE_IMAGES;
    REQUIRE(a->step_h >= 1 && a->step_w >= 1, "%s: step %dx%d", __func__, a->step_h, a->step_w);
    REQUIRE_SOURCE;
    REQUIRE_TARGET;
    return run(up_current()->pad, a, (int64_t)a->batch * a->out_h, (int64_t)a->out_w * a->channels, pool);
}

/* What the two layout conversions require of the planes. */
static int32_t check_planes(const char *where, int32_t batch, int32_t channels, int64_t pixels, const float *planes,
                            int64_t plane_stride, int64_t image_stride) {
    if (batch < 0 || channels < 0 || pixels < 0)
        return up_fail(UP_INVALID, "%s: batch %d, %d channels, %lld pixels", where, batch, channels, (long long)pixels);
    if (!planes) return up_fail(UP_INVALID, "%s: the planes have no data", where);
    if (plane_stride < pixels || (batch > 1 && image_stride < 0))
        return up_fail(UP_INVALID, "%s: planes %lld and images %lld floats apart, of %lld pixels", where, (long long)plane_stride,
                       (long long)image_stride, (long long)pixels);
    return UP_OK;
}

static int64_t plane_blocks(int64_t pixels) { return (pixels + UP_PLANE_PIXELS - 1) / UP_PLANE_PIXELS; }

int32_t up_from_planes(const up_from_planes_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    TRY(check_planes(__func__, a->batch, a->channels, a->pixels, a->src, a->plane_stride, a->image_stride));
    REQUIRE_TARGET;
    return run(up_current()->from_planes, a, a->batch * plane_blocks(a->pixels), (int64_t)a->channels * UP_PLANE_PIXELS, pool);
}

int32_t up_to_planes(const up_to_planes_args *a, up_pool *pool) {
    REQUIRE_ARGS;
    TRY(check_planes(__func__, a->batch, a->channels, a->pixels, a->dst, a->plane_stride, a->image_stride));
    REQUIRE_SOURCE;
    return run(up_current()->to_planes, a, a->batch * plane_blocks(a->pixels), (int64_t)a->channels * UP_PLANE_PIXELS, pool);
}
