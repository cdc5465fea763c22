// Half precision on the host, by bits.
#ifndef UPSCALE_HALF_H
#define UPSCALE_HALF_H

#include <cmath>
#include <cstring>

/* IEEE 754 binary16, to nearest even, by bits. */
inline float half_to_float(unsigned short h) {
    unsigned sign = (unsigned)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff, bits;
    if (exponent == 0) {
        float magnitude = std::ldexp((float)fraction, -24);
        return sign ? -magnitude : magnitude;
    }
    bits = exponent == 31 ? sign | 0x7f800000 | fraction << 13 : sign | (exponent + 112) << 23 | fraction << 13;
    float f;
    std::memcpy(&f, &bits, sizeof f);
    return f;
}

inline unsigned short float_to_half(float f) {
    unsigned bits;
    std::memcpy(&bits, &f, sizeof bits);
    unsigned sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f800000) {
        return (unsigned short)(magnitude > 0x7f800000 ? 0x7fff : sign | 0x7c00);
    }
    if (magnitude >= 0x477ff000) {
        return (unsigned short)(sign | 0x7c00);
    }
    if (magnitude < 0x38800000) {      // a subnormal: in units of 2^-24
        float whole = std::nearbyint(std::ldexp(std::fabs(f), 24));
        return (unsigned short)(sign | (unsigned)whole);
    }
    unsigned rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return (unsigned short)(sign | (rounded - 0x38000000) >> 13);
}

#endif
