// Modules: which kernels an image holds is read from it, so that a plan whose code lacks one fails as it would on a device. What runs is
// the host's version of the kernel. And a compiler, NVRTC, that takes our kernels' source and nothing else.
#include "sim.h"

#include <cstring>
#include <elf.h>
#include <sstream>

using namespace sim;

namespace {

const char SIMULATED[] = "\x7f" "ELF simulated\n";      // then the names of the kernels, one a line

struct Program {
    std::string source;
    std::string names;
    bool compiled = false;
};

typedef std::set<std::string> Names;

Names lines(const std::string &text) {
    Names names;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        names.insert(line);
    }
    return names;
}

// The kernels of PTX: ".visible .entry NAME(".
Names entries(const std::string &text) {
    const std::string mark = ".entry ";
    Names names;
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        size_t begin = at + mark.size();
        names.insert(text.substr(begin, text.find_first_of("( \n", begin) - begin));
    }
    return names;
}

// The architecture is in the second byte of the flags since CUDA 13 (version 8 of the format), in the first before.
bool runs_here(const Elf64_Ehdr *header) {
    const Elf64_Half CUDA = 190;
    unsigned architecture = header->e_flags >> (header->e_ident[EI_ABIVERSION] >= 8 ? 8 : 0) & 0xff;
    return header->e_machine == CUDA && architecture / 10 == MAJOR && architecture % 10 <= MINOR;
}

// The global functions of a cubin.
Names functions(const char *image) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(image + header->e_shoff);
    Names names;
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) {
            continue;
        }
        const Elf64_Sym *symbols = (const Elf64_Sym *)(image + sections[i].sh_offset);
        const char *strings = image + sections[sections[i].sh_link].sh_offset;
        for (size_t k = 0; k < sections[i].sh_size / sizeof(Elf64_Sym); k++) {
            if (ELF64_ST_TYPE(symbols[k].st_info) == STT_FUNC && ELF64_ST_BIND(symbols[k].st_info) == STB_GLOBAL) {
                names.insert(strings + symbols[k].st_name);
            }
        }
    }
    return names;
}

int load(void **module, const char *image) {
    Names names;
    if (std::strncmp(image, SIMULATED, sizeof SIMULATED - 1) == 0) {
        names = lines(image + sizeof SIMULATED - 1);
    } else if (std::memcmp(image, "\x7f" "ELF", 4) == 0) {
        if (!runs_here((const Elf64_Ehdr *)image)) {
            return NO_BINARY_FOR_GPU;
        }
        names = functions(image);
    } else if (std::memcmp(image, "//", 2) == 0) {
        names = entries(image);
    }
    if (names.empty()) {
        return INVALID_IMAGE;
    }
    *module = new int(0);
    state().modules[*module] = names;
    return SUCCESS;
}

// What follows "UP_MAP(f16, f32)" is an instance of a kernel: up_map_f16_f32.
std::string instances(const std::string &source) {
    std::string names;
    std::istringstream in(source);
    for (std::string line; std::getline(in, line);) {
        size_t open = line.find('('), comma = line.find(", "), close = line.find(')');
        if (line.compare(0, 3, "UP_") == 0 && open < comma && comma < close && close != std::string::npos) {
            std::string name = line.substr(0, open) + "_" + line.substr(open + 1, comma - open - 1) + "_" + line.substr(comma + 2, close - comma - 2);
            for (char &c : name) {
                c = (char)std::tolower(c);
            }
            names += name + "\n";
        }
    }
    return names;
}

}      // namespace

SIM_API int cuModuleLoadData(void **module, const void *image) {
    return enter("cuModuleLoadData", false, [&] { return due("module") ? (int)INVALID_IMAGE : load(module, (const char *)image); });
}

SIM_API int cuModuleLoadDataEx(void **module, const void *image, unsigned, int *, void **) { return cuModuleLoadData(module, image); }

SIM_API int cuModuleUnload(void *module) {
    return cleanup("cuModuleUnload", [&] {
        if (state().modules.erase(module) == 0) {
            violation("cuModuleUnload of what is no module");
            return (int)INVALID_VALUE;
        }
        delete (int *)module;
        return (int)SUCCESS;
    });
}

SIM_API int cuModuleGetFunction(void **function, void *module, const char *name) {
    return enter("cuModuleGetFunction", false, [&] {
        auto loaded = state().modules.find(module);
        if (loaded == state().modules.end()) {
            violation("a function of a module that does not exist");
            return (int)INVALID_HANDLE;
        }
        void *code = loaded->second.count(name) ? code_of(name) : nullptr;
        if (!code) {
            return (int)NOT_FOUND;
        }
        *function = code;
        return (int)SUCCESS;
    });
}

SIM_API int nvrtcVersion(int *major, int *minor) {
    *major = 13;
    *minor = 0;
    return 0;
}

SIM_API const char *nvrtcGetErrorString(int status) { return status == 0 ? "NVRTC_SUCCESS" : "NVRTC_ERROR_COMPILATION"; }

SIM_API int nvrtcCreateProgram(void **program, const char *source, const char *, int count, const char *const *headers, const char *const *names) {
    Program *made = new Program{source, instances(source)};
    bool has_kernels = false;
    for (int i = 0; i < count; i++) {
        has_kernels = has_kernels || (std::strcmp(names[i], "map.cu") == 0 && std::strstr(headers[i], "UP_MAP"));
    }
    made->source = has_kernels ? source : "";
    *program = track(made);
    return 0;
}

SIM_API int nvrtcDestroyProgram(void **program) {
    if (!untrack(*program)) {
        return 4;
    }
    delete (Program *)*program;
    *program = nullptr;
    return 0;
}

SIM_API int nvrtcCompileProgram(void *program, int count, const char *const *options) {
    Program *compiled = (Program *)program;
    bool has_architecture = false;
    for (int i = 0; i < count; i++) {
        has_architecture = has_architecture || std::strstr(options[i], "arch") != nullptr;
    }
    compiled->compiled = has_architecture && compiled->source.find("kernels.cu") != std::string::npos;
    return compiled->compiled ? 0 : 6;
}

SIM_API int nvrtcGetProgramLogSize(void *, size_t *bytes) {
    *bytes = 1;
    return 0;
}

SIM_API int nvrtcGetProgramLog(void *, char *text) {
    *text = 0;
    return 0;
}

SIM_API int nvrtcGetCUBINSize(void *program, size_t *bytes) {
    *bytes = sizeof SIMULATED + ((Program *)program)->names.size();
    return 0;
}

SIM_API int nvrtcGetCUBIN(void *program, char *image) {
    std::string text = SIMULATED + ((Program *)program)->names;
    std::memcpy(image, text.c_str(), text.size() + 1);
    return 0;
}

SIM_API int nvrtcGetPTXSize(void *program, size_t *bytes) { return nvrtcGetCUBINSize(program, bytes); }

SIM_API int nvrtcGetPTX(void *program, char *image) { return nvrtcGetCUBIN(program, image); }

SIM_API int nvrtcGetNumSupportedArchs(int *count) {
    *count = 3;
    return 0;
}

SIM_API int nvrtcGetSupportedArchs(int *architectures) {
    const int known[] = {80, 89, 10 * MAJOR + MINOR};
    std::memcpy(architectures, known, sizeof known);
    return 0;
}
