#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

int failures;
long checks;

static uint64_t state = 1;
void seed(uint64_t s) { state = s * 0x9e3779b97f4a7c15u + 1; }
uint32_t random_bits(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}
int random_int(int low, int high) { return low + (int)(random_bits() % (uint32_t)(high - low + 1)); }
float random_float(void) { return (float)((int32_t)random_bits()) * (1.0f / 2147483648.0f); }
int one_in(int n) { return random_int(1, n) == 1; }

/* ---------------------------------------------------------------- buffers */

enum { MAPPINGS = 4096 };
static struct { void *start; size_t bytes; } mappings[MAPPINGS];
static int mapped;

float *guarded(int64_t n) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inside = ((size_t)n * 4 + page - 1) / page * page, bytes = inside + 2 * page;
    char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mapped == MAPPINGS) {
        printf("no memory\n");
        exit(1);
    }
    mappings[mapped].start = start;
    mappings[mapped++].bytes = bytes;
    mprotect(start, page, PROT_NONE);
    mprotect(start + page + inside, page, PROT_NONE);
    float *data = (float *)(one_in(4) ? start + page : start + page + inside - n * 4);
    for (int64_t i = 0; i < n; i++) data[i] = NAN;
    return data;
}

void release_all(void) {
    while (mapped) {
        mapped--;
        munmap(mappings[mapped].start, mappings[mapped].bytes);
    }
}

static view make_view(int64_t pixels, int channels, enum shape shape) {
    if (shape == ANY) shape = (enum shape)random_int(DENSE, INDEXED);
    view v = {.pixels = pixels, .channels = channels, .stride = channels};
    int64_t offset = 0, last = channels;   /* one past the last position that is used */
    if (shape == SLICE) {
        offset = one_in(3) ? 0 : random_int(1, 9);
        v.stride = channels + offset + random_int(0, 19);
    } else if (shape == INDEXED) {
        v.stride = channels + random_int(0, 2 * channels + 3);
        if (one_in(6)) v.stride = (v.stride + 1023) / 1024 * 1024;
        v.index = malloc((size_t)channels * 4);
        for (int k = 0; k < channels; k++) v.index[k] = random_int(0, (int)v.stride - 1);
        if (one_in(2) && v.stride >= 2 * channels) {    /* ascending, as a pruned convolution has them */
            const int apart = random_int(1, (int)(v.stride / channels));
            for (int k = 0; k < channels; k++) v.index[k] = apart * k + random_int(0, apart - 1);
        }
        last = 0;
        for (int k = 0; k < channels; k++)
            if (v.index[k] >= last) last = v.index[k] + 1;
    }
    if (shape == PLANES) {
        v.stride = 1;
        v.index = malloc((size_t)channels * 4);
        for (int k = 0; k < channels; k++) v.index[k] = (int32_t)(k * pixels);
        last = (int64_t)(channels - 1) * pixels + 1;
    }
    v.floats = pixels ? offset + (pixels - 1) * v.stride + last : 1;
    v.memory = guarded(v.floats);
    v.data = v.memory + offset;
    return v;
}

view source_view(int64_t pixels, int channels, enum shape shape) {
    view v = make_view(pixels, channels, shape);
    for (int64_t p = 0; p < pixels; p++)
        for (int k = 0; k < channels; k++) v.data[p * v.stride + (v.index ? v.index[k] : k)] = random_float();
    return v;
}

view target_view(int64_t pixels, int channels) { return make_view(pixels, channels, one_in(2) ? DENSE : SLICE); }

view copy_of(view v) {
    view c = v;
    c.memory = guarded(v.floats);
    c.data = c.memory + (v.data - v.memory);
    memcpy(c.memory, v.memory, (size_t)v.floats * 4);
    return c;
}

int untouched_around(view v) {
    for (int64_t i = 0; i < v.floats; i++) {
        int64_t at = i - (v.data - v.memory);
        if ((at < 0 || at % v.stride >= v.channels) && !isnan(v.memory[i])) return 0;
    }
    return 1;
}

/* ---------------------------------------------------------------- functions */

double function_of(const up_act *act, double x) {
    double a = act->a, b = act->b;
    switch (act->function) {
        case UP_RELU: return x > 0 ? x : isnan(x) ? x : 0;
        case UP_CLAMP: return x < a ? a : x > b ? b : x;
        case UP_SIGMOID: return 1 / (1 + exp(-x));
        case UP_SILU: return x / (1 + exp(-x));
        case UP_HARD_SIGMOID: return fmin(fmax(a * x + b, 0), 1);
        case UP_HARD_SWISH: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
        case UP_LEAKY_RELU: return x < 0 ? a * x : x;
        case UP_TANH: return tanh(x);
        case UP_GELU: return 0.5 * x * erfc(-x / sqrt(2));
        case UP_GELU_TANH: return x / (1 + exp(-2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
        case UP_ELU: return x < 0 ? a * expm1(x) : x;
        case UP_SELU: return b * (x < 0 ? a * expm1(x) : x);
        case UP_MISH: return x * tanh(x > 30 ? x : log1p(exp(x)));
        case UP_SOFTPLUS: return x > 30 ? x + exp(-x) : log1p(exp(x));
        case UP_ERF: return erf(x);
        case UP_EXP: return exp(x);
        case UP_LOG: return log(x);
        case UP_SQRT: return sqrt(x);
        case UP_ABS: return fabs(x);
        case UP_NEG: return -x;
        case UP_RECIPROCAL: return 1 / x;
        case UP_SQUARE: return x * x;
        case UP_FLOOR: return floor(x);
        case UP_CEIL: return ceil(x);
        case UP_ROUND: return rint(x);
        case UP_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
        default: return x;
    }
}

up_act random_act(void) {
    static const up_act some[] = {{UP_NONE, 0, 0}, {UP_RELU, 0, 0}, {UP_CLAMP, -0.25f, 0.5f}, {UP_SILU, 0, 0},
                                  {UP_HARD_SWISH, 0, 0}, {UP_SIGMOID, 0, 0}, {UP_HARD_SIGMOID, 0.2f, 0.5f},
                                  {UP_LEAKY_RELU, 0.1f, 0}, {UP_GELU, 0, 0}, {UP_TANH, 0, 0}, {UP_ELU, 1, 0}};
    return some[one_in(2) ? random_int(0, 2) : random_int(0, (int)(sizeof some / sizeof *some) - 1)];
}

int near(float got, double want, double tolerance) {
    if (isnan(want)) return isnan(got);
    if (isinf(want)) return got == want;
    return fabs(got - want) <= tolerance;
}
