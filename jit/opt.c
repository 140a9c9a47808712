// The order of the passes.
#include "jit/opt.h"

#define FOLD \
  { "fold", sk_opt_fold }
#define GVN \
  { "gvn", sk_opt_gvn }
#define DCE \
  { "dce", sk_opt_dce }
#define LICM \
  { "licm", sk_opt_licm }
#define RANGES \
  { "ranges", sk_opt_ranges }

// clang-format off
const SkIrPass sk_ir_passes[] = {
    FOLD,
    GVN,
    DCE,
    LICM,
    RANGES,
    {NULL, NULL},
};

static const SkIrPass order[] = {
    GVN, FOLD, DCE,
    LICM, GVN, RANGES,
    LICM, GVN, FOLD, DCE,
};
// clang-format on

void sk_ir_optimise(SkIr *ir, const SkIrOptOptions *options) {
  sk_ir_analyse(ir);
  for (uint32_t i = 0; i < SK_COUNT_OF(order) && !ir->arena->failed; i++) {
    order[i].run(ir, options);
    if (options->dump && !ir->arena->failed)
      options->dump(options->dump_context, ir, order[i].name);
  }
}
