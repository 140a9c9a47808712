// The order of the passes.
#include "jit/opt.h"

// clang-format off
#define FOLD {"fold", sk_opt_fold}
#define GVN {"gvn", sk_opt_gvn}
#define DCE {"dce", sk_opt_dce}
#define LICM {"licm", sk_opt_licm}
#define THREAD {"thread", sk_opt_thread}
#define STRENGTHEN {"strengthen", sk_opt_strengthen}
#define RANGES {"ranges", sk_opt_ranges}
#define FLOATS {"floats", sk_opt_floats}
#define SINK {"sink", sk_opt_sink}

const SkIrPass sk_ir_passes[] = {
    FOLD,
    GVN,
    DCE,
    LICM,
    RANGES,
    THREAD,
    STRENGTHEN,
    FLOATS,
    SINK,
    {NULL, NULL},
};

static const SkIrPass order[] = {
    GVN, FLOATS, FOLD, DCE, THREAD,
    FOLD, LICM, GVN, RANGES,
    LICM, GVN, FLOATS, FOLD, STRENGTHEN, DCE, SINK,
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
