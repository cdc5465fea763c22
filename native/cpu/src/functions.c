/*
 * The functions of one value, vector by vector. exp is 2^n * e^r with a polynomial in r; what builds on it keeps its
 * relative error near zero too (through e^x - 1, and erfc as e^(-x^2) times a polynomial). The polynomials are minimax
 * fits of our own, their errors below 1e-8.
 */
#include "functions.h"

UP_INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }
UP_INLINE vf with_sign(vf x, vf sign) { return (vf)((vi)x | ((vi)sign & (vi)vsplat(-0.0f))); }
UP_INLINE vf square_root(vf x) {
#if UP_ISA == 2
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif UP_ISA == 1
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (vf)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < VW; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

/* To the nearest integer, halves to even; exact for any x. */
UP_INLINE vf round_even(vf x) {
    const vf magic = with_sign(vsplat(8388608.0f), x);
    vf r = x + magic;
    __asm__("" : "+m"(r));    /* x + magic - magic is not x */
    return vchoose(absolute(x) < 8388608.0f, with_sign(absolute(r - magic), x), x);
}
UP_INLINE vf floor_of(vf x) {
    vf r = round_even(x);
    return with_sign(vchoose(r > x, r - 1.0f, r), x);
}

/* 2^n for integers -126 <= n <= 127. */
UP_INLINE vf power_of_2(vi n) { return (vf)((n + 127) << 23); }

typedef struct exponent {
    vi n;      /* x = n log(2) + r */
    vf tail;   /* e^r - 1 */
} exponent;

UP_INLINE exponent split(vf x) {
    vf n = x * 1.44269504f + 12582912.0f;
    __asm__("" : "+m"(n));
    vi bits = (vi)n - 0x4b400000;
    n -= 12582912.0f;
    vf r = x - n * 0.693145752f;
    r -= n * 1.42860677e-6f;
    vf p = vsplat(0.00139506023f);
    p = p * r + 0.00836895351f;
    p = p * r + 0.0416662041f;
    p = p * r + 0.166665183f;
    p = p * r + 0.50000001f;
    return (exponent){bits, r + r * r * p};
}

/* NaN stays NaN: vmax and vmin give their second argument. */
UP_INLINE vf limit(vf x, float low, float high) { return vmin(vsplat(high), vmax(vsplat(low), x)); }

UP_INLINE vf exp_of(vf x) {
    exponent e = split(limit(x, -105.0f, 89.5f));
    vi half = e.n >> 1;    /* in two steps: 2^n itself may not be a normal number */
    return (e.tail + 1.0f) * power_of_2(half) * power_of_2(e.n - half);
}

/* e^x - 1, for x <= 88 */
UP_INLINE vf expm1_of(vf x) {
    exponent e = split(limit(x, -80.0f, 88.0f));
    vf scale = power_of_2(e.n);
    return e.tail * scale + (scale - 1.0f);
}

/* log(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1 */
UP_INLINE vf log_near_1(vf f) {
    vf p = vsplat(0.067466408f);
    p = p * f - 0.11675652f;
    p = p * f + 0.118881623f;
    p = p * f - 0.124055889f;
    p = p * f + 0.142195524f;
    p = p * f - 0.166679959f;
    p = p * f + 0.200021187f;
    p = p * f - 0.250000096f;
    p = p * f + 0.333333126f;
    return f - f * f * (0.5f - f * p);
}

/* The logarithm of a normal number above 0. */
UP_INLINE vf log_of_normal(vf x) {
    vi bits = (vi)x - 0x3f3504f3;    /* so that the fraction starts at sqrt(1/2) */
    vi n = bits >> 23;
    vf f = (vf)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    vf e = __builtin_convertvector(n, vf);
    return e * 0.693145752f + (e * 1.42860677e-6f + log_near_1(f));
}

UP_INLINE vf log_of(vf x) {
    vi tiny = x < 1.17549435e-38f;
    vf y = log_of_normal(vmax(vsplat(1.17549435e-38f), vchoose(tiny, x * 16777216.0f, x)));
    y = vchoose(tiny, y - 16.6355324f, y);
    const float inf = __builtin_inff();
    y = vchoose(x == 0.0f, vsplat(-inf), y);
    y = vchoose(x == inf, vsplat(inf), y);
    return vchoose(x >= 0.0f, y, vsplat(__builtin_nanf("")));
}

UP_INLINE vf sigmoid_of(vf x) { return 1.0f / (1.0f + exp_of(-x)); }

UP_INLINE vf tanh_of(vf x) {
    vf e = expm1_of(2.0f * limit(x, -20.0f, 20.0f));
    return e / (e + 2.0f);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|); the sum's rounding error is given back, which counts where e^x is small */
UP_INLINE vf softplus_of(vf x) {
    vf u = exp_of(-absolute(x));
    vf w = 1.0f + u;
    __asm__("" : "+m"(w));
    vf lost = u - (w - 1.0f);
    return vmax(vsplat(0), x) + (log_of_normal(w) + lost / w);
}

/* x * tanh(log(1 + e^x)) = x * (e^2 + 2e) / (e^2 + 2e + 2) */
UP_INLINE vf mish_of(vf x) {
    vf e = exp_of(vmin(vsplat(20.0f), x));
    vf q = e * (e + 2.0f);
    return x * (q / (q + 2.0f));
}

/* erfc(z), z >= 0 */
UP_INLINE vf erfc_of(vf z) {
    z = vmin(vsplat(10.5f), z);
    vf t = 1.0f / (1.0f + 0.5f * z);
    vf p = vsplat(0.037147718f);
    p = p * t - 0.199197617f;
    p = p * t + 0.402570512f;
    p = p * t - 0.321130947f;
    p = p * t + 0.00794179227f;
    p = p * t + 0.0166210555f;
    p = p * t + 0.0627749399f;
    p = p * t + 0.183407356f;
    p = p * t + 0.24556031f;
    p = p * t + 0.282214768f;
    p = p * t + 0.282090117f;
    return exp_of(-z * z) * (t * p);
}

UP_INLINE vf erf_of(vf x) {
    vf z = absolute(x), y = z * z;
    vf p = vsplat(7.88912298e-05f);
    p = p * y - 0.000802084231f;
    p = p * y + 0.00518953546f;
    p = p * y - 0.0268544447f;
    p = p * y + 0.112836002f;
    p = p * y - 0.376126271f;
    p = p * y + 1.12837917f;
    return vchoose(z < 1.0f, x * p, with_sign(1.0f - erfc_of(z), x));
}

UP_INLINE vf gelu_of(vf x) {
    vf half = 0.5f * x * erfc_of(absolute(x) * 0.707106781f);
    vf y = vchoose(x > 0.0f, x - half, half);
    return vchoose(x < -1e30f, vsplat(0), y);
}

UP_INLINE vf elu_of(vf x, float a) { return vchoose(x < 0.0f, a * expm1_of(vmin(vsplat(0), x)), x); }

#define EACH(expression)                                 \
    do {                                                 \
        int64_t k = 0;                                   \
        for (; k + VW <= n; k += VW) {                   \
            vf x = vload(data + k);                      \
            vstore(data + k, (expression));              \
        }                                                \
        if (k < n) {                                     \
            vf x = vload_part(data + k, n - k);          \
            vstore_part(data + k, (expression), n - k);  \
        }                                                \
        return;                                          \
    } while (0)

void UP_NAME(up_apply)(const up_act *act, float *restrict data, int64_t n) {
    const float a = act->a, b = act->b;
    switch (act->function) {
        case UP_RELU: EACH(vmax(vsplat(0), x));
        case UP_CLAMP: EACH(limit(x, a, b));
        case UP_SIGMOID: EACH(sigmoid_of(x));
        case UP_SILU: EACH(x / (1.0f + exp_of(-x)));
        case UP_HARD_SIGMOID: EACH(limit(a * x + b, 0, 1));
        case UP_HARD_SWISH: EACH(x * limit(x * (1.0f / 6) + 0.5f, 0, 1));
        case UP_LEAKY_RELU: EACH(vchoose(x < 0.0f, a * x, x));
        case UP_TANH: EACH(tanh_of(x));
        case UP_GELU: EACH(gelu_of(x));
        case UP_GELU_TANH: EACH(x / (1.0f + exp_of(x * (-1.59576912f - 0.0713548163f * (x * x)))));
        case UP_ELU: EACH(elu_of(x, a));
        case UP_SELU: EACH(b * elu_of(x, a));
        case UP_MISH: EACH(mish_of(x));
        case UP_SOFTPLUS: EACH(softplus_of(x));
        case UP_ERF: EACH(erf_of(x));
        case UP_EXP: EACH(exp_of(x));
        case UP_LOG: EACH(log_of(x));
        case UP_SQRT: EACH(square_root(x));
        case UP_ABS: EACH(absolute(x));
        case UP_NEG: EACH(-x);
        case UP_RECIPROCAL: EACH(1.0f / x);
        case UP_SQUARE: EACH(x * x);
        case UP_FLOOR: EACH(floor_of(x));
        case UP_CEIL: EACH(-floor_of(-x));
        case UP_ROUND: EACH(round_even(x));
        case UP_SIGN: EACH(vchoose(x > 0.0f, vsplat(1), vchoose(x < 0.0f, vsplat(-1), x)));
        default: return;
    }
}

void UP_NAME(up_act_pixels)(const up_act *act, float *data, int64_t stride, int64_t pixels, int64_t channels) {
    if (act->function == UP_NONE) return;
    if (stride == channels) {
        UP_NAME(up_apply)(act, data, pixels * channels);
        return;
    }
    for (int64_t p = 0; p < pixels; p++) UP_NAME(up_apply)(act, data + p * stride, channels);
}
