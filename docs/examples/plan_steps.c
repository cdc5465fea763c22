/* Prints the steps of a plan: kernel, what it writes, and the nodes of the model that it computes; and where code for a GPU lies in the file.
 *
 *     cc -std=c11 -o plan_steps docs/examples/plan_steps.c && ./plan_steps model.plan
 *
 * A plan is a safetensors file whose header holds it as canonical JSON, without white space: see docs/plan-format.md. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *file, const char *why) {
    fprintf(stderr, "plan_steps: %s %s\n", file, why);
    exit(2);
}

/* The character after the string that begins at p. */
static const char *after_string(const char *p) {
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1]) p++;
    return *p ? p + 1 : p;
}

/* The character after the value that begins at p. */
static const char *after_value(const char *p) {
    int depth = 0;
    if (*p != '"' && *p != '{' && *p != '[') return p + strcspn(p, ",]}");
    do {
        if (*p == '"') {
            p = after_string(p);
        } else {
            depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
            p++;
        }
    } while (depth > 0 && *p);
    return p;
}

/* The value of a key of the object at p, or NULL. */
static const char *field(const char *p, const char *key) {
    if (!p || *p++ != '{') return NULL;
    while (*p == '"') {
        const char *end = after_string(p);
        int found = (size_t)(end - p) == strlen(key) + 2 && !memcmp(p + 1, key, strlen(key));
        if (*end != ':') return NULL;
        if (found) return end + 1;
        p = after_value(end + 1);
        if (*p == ',') p++;
    }
    return NULL;
}

/* The string at p without its quotes and escapes; control characters become question marks. */
static char *text(const char *p) {
    if (!p || *p != '"') return NULL;
    char *start = malloc((size_t)(after_string(p) - p)), *out = start;
    for (p++; start && *p && *p != '"'; p++) {
        int escaped = *p == '\\' && p[1];
        p += escaped;
        *out++ = !escaped || *p == '"' || *p == '\\' || *p == '/' ? *p : '?';
        for (int digit = 0; escaped && *p == 'u' && digit < 4 && p[1]; digit++) p++;
    }
    if (start) *out = 0;
    return start;
}

int main(int count, char **arguments) {
    const char *name = count == 2 ? arguments[1] : "PLAN: give one file";
    FILE *file = fopen(name, "rb");
    unsigned char size[8];
    uint64_t length = 0;
    if (!file || fread(size, 1, 8, file) != 8) fail(name, "cannot be read");
    for (int i = 7; i >= 0; i--) length = length << 8 | size[i];
    if (length > 64 << 20) fail(name, "is no safetensors file");
    char *header = calloc(length + 1, 1);
    if (!header || fread(header, 1, length, file) != length) fail(name, "is cut off");
    const char *metadata = field(header, "__metadata__");
    char *format = text(field(metadata, "format")), *version = text(field(metadata, "version"));
    if (!format || strcmp(format, "upscale.plan") || !version || strcmp(version, "2")) fail(name, "is no plan of version 2");
    const char *plan = text(field(metadata, "plan")), *step = field(plan, "steps");
    if (!step || *step != '[') fail(name, "has no steps");
    for (int i = 0; *++step == '{'; i++) {
        const char *dims = field(field(step, "destination"), "dims");
        char *kernel = text(field(step, "kernel")), *nodes = text(field(step, "name"));
        if (!dims || !kernel || !nodes) fail(name, "has a step that is not understood");
        printf("%3d %-18s %.*s %s\n", i, kernel, (int)(after_value(dims) - dims), dims, nodes);
        free(kernel), free(nodes);
        step = after_value(step);
        if (*step != ',') break;
    }
    const char *kernels = field(field(plan, "accelerator"), "kernels");
    if (kernels) {
        char *tensor = text(field(kernels, "code")), *architecture = text(field(kernels, "architecture")), *compiler = text(field(kernels, "compiler"));
        const char *offsets = field(tensor ? field(header, tensor) : NULL, "data_offsets");
        unsigned long long begin, end;
        if (!architecture || !compiler || !offsets || sscanf(offsets, "[%llu,%llu]", &begin, &end) != 2) fail(name, "has kernels that are not understood");
        printf("code %s by %s: %llu bytes at %llu\n", architecture, compiler, end - begin, 8 + length + begin);
    }
    return 0;
}
