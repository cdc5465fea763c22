// cuBLASLt, which cuDNN needs and we only ask for its version.
#include "sim.h"

SIM_API size_t cublasLtGetVersion() { return 130000; }
