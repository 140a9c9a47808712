// The interpreter that records: interp.c again, showing each word to the JIT before it runs it.
#define SK_RECORDING 1
#include "vm/interp.c"
