// Made by tools/make_math_table.py.
#pragma once

#include <stdint.h>

typedef struct {
  double high, low;
} SkDouble2;

#define LN2_FIRST 0x1.62e42fefa3800p-1  // 42 bits: times any exponent it is exact
#define LN2_REST 0x1.ef35793c76730p-45  // 
#define HALF_PI_1 0x1.921fb54400000p+0  // 33 bits
#define HALF_PI_2 0x1.0b4611a600000p-34  // 33 bits
#define HALF_PI_3 0x1.3198a2e037073p-69  // 
#define TWO_OVER_PI 0x1.45f306dc9c883p-1  // 
static const SkDouble2 half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
static const SkDouble2 full_pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
static const SkDouble2 ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
static const SkDouble2 one_over_ln2 = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
static const SkDouble2 one_over_ln10 = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
static const SkDouble2 log10_of_2 = {0x1.34413509f79ffp-2, -0x1.9dc1da994fd21p-59};

/// log(1 + i/64)
static const SkDouble2 log_table[] = {
    {0, 0},
    {0x1.fc0a8b0fc03e4p-7, -0x1.83092c59642a1p-62},
    {0x1.f829b0e783300p-6, 0x1.33e3f04f1ef23p-60},
    {0x1.77458f632dcfcp-5, 0x1.18d3ca87b9296p-59},
    {0x1.f0a30c01162a6p-5, 0x1.85f325c5bbacdp-59},
    {0x1.341d7961bd1d1p-4, -0x1.b599f227becbbp-58},
    {0x1.6f0d28ae56b4cp-4, -0x1.906d99184b992p-58},
    {0x1.a926d3a4ad563p-4, 0x1.942f48aa70ea9p-58},
    {0x1.e27076e2af2e6p-4, -0x1.61578001e0162p-60},
    {0x1.0d77e7cd08e59p-3, 0x1.9a5dc5e9030acp-57},
    {0x1.29552f81ff523p-3, 0x1.301771c407dbfp-57},
    {0x1.44d2b6ccb7d1ep-3, 0x1.9f4f6543e1f88p-57},
    {0x1.5ff3070a793d4p-3, -0x1.bc60efafc6f6ep-58},
    {0x1.7ab890210d909p-3, 0x1.be36b2d6a0608p-59},
    {0x1.9525a9cf456b4p-3, 0x1.d904c1d4e2e26p-57},
    {0x1.af3c94e80bff3p-3, -0x1.398cff3641985p-58},
    {0x1.c8ff7c79a9a22p-3, -0x1.4f689f8434012p-57},
    {0x1.e27076e2af2e6p-3, -0x1.61578001e0162p-59},
    {0x1.fb9186d5e3e2bp-3, -0x1.caaae64f21acbp-57},
    {0x1.0a324e27390e3p-2, 0x1.7dcfde8061c03p-56},
    {0x1.1675cababa60ep-2, 0x1.ce63eab883717p-61},
    {0x1.22941fbcf7966p-2, -0x1.76f5eb09628afp-56},
    {0x1.2e8e2bae11d31p-2, -0x1.8f4cdb95ebdf9p-56},
    {0x1.3a64c556945eap-2, -0x1.c68651945f97cp-57},
    {0x1.4618bc21c5ec2p-2, 0x1.f42decdeccf1dp-56},
    {0x1.51aad872df82dp-2, 0x1.3927ac19f55e3p-59},
    {0x1.5d1bdbf5809cap-2, 0x1.4236383dc7fe1p-56},
    {0x1.686c81e9b14afp-2, -0x1.ddea0f7f58e3dp-57},
    {0x1.739d7f6bbd007p-2, -0x1.8c76ceb014b04p-56},
    {0x1.7eaf83b82afc3p-2, 0x1.92ce979ed2950p-56},
    {0x1.89a3386c1425bp-2, -0x1.29639dfbbf0fbp-56},
    {0x1.947941c2116fbp-2, -0x1.16cc8bae0bbe4p-56},
    {0x1.9f323ecbf984cp-2, -0x1.a92e513217f5cp-59},
    {0x1.a9cec9a9a084ap-2, -0x1.cadec02b436afp-56},
    {0x1.b44f77bcc8f63p-2, -0x1.cd04495459c78p-56},
    {0x1.beb4d9da71b7cp-2, -0x1.0f3c590a887cap-59},
    {0x1.c8ff7c79a9a22p-2, -0x1.4f689f8434012p-56},
    {0x1.d32fe7e00ebd5p-2, 0x1.877b232fafa37p-56},
    {0x1.dd46a04c1c4a1p-2, -0x1.0467656d8b892p-56},
    {0x1.e744261d68788p-2, -0x1.c825c90c344b9p-58},
    {0x1.f128f5faf06edp-2, -0x1.328df13bb38c3p-56},
    {0x1.faf588f78f31fp-2, -0x1.328260d8abca0p-57},
    {0x1.02552a5a5d0ffp-1, -0x1.cb1cb51408c00p-56},
    {0x1.0723e5c1cdf40p-1, 0x1.395e58e2445bbp-55},
    {0x1.0be72e4252a83p-1, -0x1.259da11330801p-55},
    {0x1.109f39e2d4c97p-1, -0x1.0e09b27a4373ap-60},
    {0x1.154c3d2f4d5eap-1, -0x1.59c33171a6876p-55},
    {0x1.19ee6b467c96fp-1, -0x1.9d1a11443f10cp-56},
    {0x1.1e85f5e7040d0p-1, 0x1.ef62cd2f9f1e3p-56},
    {0x1.23130d7bebf43p-1, -0x1.f48725e374d6ep-55},
    {0x1.2795e1289b11bp-1, -0x1.487c0c246978ep-57},
    {0x1.2c0e9ed448e8cp-1, -0x1.1a158f3917586p-55},
    {0x1.307d7334f10bep-1, 0x1.fb590a1f566dap-57},
    {0x1.34e289d9ce1d3p-1, 0x1.6eb92d885ce4fp-57},
    {0x1.393e0d3562a1ap-1, -0x1.58eef67f2483ap-55},
    {0x1.3d9026a7156fbp-1, -0x1.6fef670bd4b62p-55},
    {0x1.41d8fe84672aep-1, 0x1.9192f30bd1806p-55},
    {0x1.4618bc21c5ec2p-1, 0x1.f42decdeccf1dp-55},
    {0x1.4a4f85db03ebbp-1, 0x1.13dfa3d3761b6p-60},
    {0x1.4e7d811b75bb1p-1, -0x1.8d3d9ea6e9ea9p-55},
    {0x1.52a2d265bc5abp-1, -0x1.1883750ea4d0ap-57},
    {0x1.56bf9d5b3f399p-1, 0x1.0471885cd8ff3p-55},
    {0x1.5ad404c359f2dp-1, -0x1.35955683f7196p-59},
    {0x1.5ee02a9241675p-1, 0x1.c358257f49082p-55},
    {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56},
};

/// atan(i/16)
static const SkDouble2 atan_table[] = {
    {0, 0},
    {0x1.ff55bb72cfdeap-5, -0x1.c934d86d23f1dp-60},
    {0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59},
    {0x1.7b97b4bce5b02p-3, 0x1.347b0b4f881cap-58},
    {0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
    {0x1.362773707ebccp-2, -0x1.963a544b672d8p-57},
    {0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56},
    {0x1.a64eec3cc23fdp-2, -0x1.24dec1b50b7ffp-56},
    {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
    {0x1.0657e94db30d0p-1, -0x1.d5b495f6349e6p-56},
    {0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58},
    {0x1.345f01cce37bbp-1, 0x1.1021137c71102p-55},
    {0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
    {0x1.5d58987169b18p-1, 0x1.0028e4bc5e7cap-57},
    {0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56},
    {0x1.819d0b7158a4dp-1, -0x1.bf76229d3b917p-56},
    {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55},
};

/// The bits of 2/pi after the point.
static const uint64_t two_over_pi[] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c,
    0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab, 0xf0cfbc209af4361d, 0xa9e391615ee61b08,
    0x6599855f14a06840,
};
