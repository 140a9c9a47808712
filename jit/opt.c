// The order of the passes.
#include "jit/opt.h"

const SkIrPass sk_ir_passes[] = {
    {"fold", sk_opt_fold}, {"gvn", sk_opt_gvn}, {"fold", sk_opt_fold},
    {"dce", sk_opt_dce},   {NULL, NULL},
};

void sk_ir_optimise(SkIr *ir, const SkIrOptOptions *options) {
  sk_ir_analyse(ir);
  for (const SkIrPass *pass = sk_ir_passes; pass->name && !ir->arena->failed; pass++) {
    pass->run(ir, options);
    if (options->dump && !ir->arena->failed) options->dump(options->dump_context, ir, pass->name);
  }
}
