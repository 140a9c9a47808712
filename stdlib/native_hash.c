// Natives of std.hash: MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4), CRC-32 (ISO 3309).
//
// A digest that is being made is a State, which the guest holds as the bytes of a list. They are
// not trusted: whatever they are, a call reads and writes within them, and only the digest suffers.
#include "stdlib/natives.h"

/// As the cases of Algorithm in hash.sk.
typedef enum { MD5, SHA1, SHA224, SHA256, SHA384, SHA512, ALGORITHM_COUNT } Algorithm;

typedef struct {
  uint64_t words[8];  // of 32 bits in the algorithms of 64-byte blocks
  uint64_t size_bytes;
  uint8_t block[128];
  uint32_t used;  // bytes in block
  uint32_t algorithm;
} State;

typedef struct {
  void (*compress)(uint64_t words[8], const uint8_t *block);
  uint32_t block_bytes, digest_bytes, word_bytes;
  bool is_little_endian;
  uint64_t start[8];
} AlgorithmRow;

static uint32_t read_be32(const uint8_t *from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(word) : word;
}

static uint32_t read_le32(const uint8_t *from) {
  return __builtin_bswap32(read_be32(from));
}

static uint64_t read_be64(const uint8_t *from) {
  return (uint64_t)read_be32(from) << 32 | read_be32(from + 4);
}

static uint32_t left(uint32_t x, int n) {
  return x << n | x >> (32 - n);
}

static uint32_t right(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

static uint64_t right64(uint64_t x, int n) {
  return x >> n | x << (64 - n);
}

// ---- MD5 ----------------------------------------------------------------------------------------

static void compress_md5(uint64_t words[8], const uint8_t *block) {
  static const uint32_t k[64] = {
      0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
      0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
      0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
      0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
      0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
      0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
      0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
      0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
      0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
      0xeb86d391};
  static const uint8_t turns[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t a = (uint32_t)words[0], b = (uint32_t)words[1], c = (uint32_t)words[2],
           d = (uint32_t)words[3];
  for (int i = 0; i < 64; i++) {
    uint32_t f;
    int at;
    if (i < 16) {
      f = (b & c) | (~b & d), at = i;
    } else if (i < 32) {
      f = (d & b) | (~d & c), at = (5 * i + 1) & 15;
    } else if (i < 48) {
      f = b ^ c ^ d, at = (3 * i + 5) & 15;
    } else {
      f = c ^ (b | ~d), at = (7 * i) & 15;
    }
    f += a + k[i] + read_le32(block + 4 * at);
    a = d, d = c, c = b;
    b += left(f, turns[i / 16][i & 3]);
  }
  words[0] += a, words[1] += b, words[2] += c, words[3] += d;
}

// ---- SHA-1 --------------------------------------------------------------------------------------

static void compress_sha1(uint64_t words[8], const uint8_t *block) {
  uint32_t w[80];
  for (int i = 0; i < 16; i++) w[i] = read_be32(block + 4 * i);
  for (int i = 16; i < 80; i++) w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  uint32_t a = (uint32_t)words[0], b = (uint32_t)words[1], c = (uint32_t)words[2],
           d = (uint32_t)words[3], e = (uint32_t)words[4];
  for (int i = 0; i < 80; i++) {
    uint32_t f, k;
    if (i < 20) {
      f = d ^ (b & (c ^ d)), k = 0x5A827999;
    } else if (i < 40) {
      f = b ^ c ^ d, k = 0x6ED9EBA1;
    } else if (i < 60) {
      f = (b & c) | (d & (b | c)), k = 0x8F1BBCDC;
    } else {
      f = b ^ c ^ d, k = 0xCA62C1D6;
    }
    uint32_t next = left(a, 5) + f + e + k + w[i];
    e = d, d = c, c = left(b, 30), b = a, a = next;
  }
  words[0] += a, words[1] += b, words[2] += c, words[3] += d, words[4] += e;
}

// ---- SHA-2 --------------------------------------------------------------------------------------

/// The first 64 bits of the fractional parts of the cube roots of the first 80 primes. SHA-256
/// takes the upper halves of the first 64.
static const uint64_t roots[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

// Instead of moving the eight words on, each round takes them in turned places.
#define ROUND(rotate, e1, e2, e3, a1, a2, a3, a, b, c, d, e, f, g, h, add)            \
  h += (rotate(e, e1) ^ rotate(e, e2) ^ rotate(e, e3)) + (g ^ (e & (f ^ g))) + (add); \
  d += h;                                                                             \
  h += (rotate(a, a1) ^ rotate(a, a2) ^ rotate(a, a3)) + ((a & b) | (c & (a | b)));
#define EIGHT(round, i)                                                             \
  round(a, b, c, d, e, f, g, h, i) round(h, a, b, c, d, e, f, g, i + 1)             \
      round(g, h, a, b, c, d, e, f, i + 2) round(f, g, h, a, b, c, d, e, i + 3)     \
          round(e, f, g, h, a, b, c, d, i + 4) round(d, e, f, g, h, a, b, c, i + 5) \
              round(c, d, e, f, g, h, a, b, i + 6) round(b, c, d, e, f, g, h, a, i + 7)
#define ROUND256(a, b, c, d, e, f, g, h, i) \
  ROUND(right, 6, 11, 25, 2, 13, 22, a, b, c, d, e, f, g, h, (uint32_t)(roots[i] >> 32) + w[i])
#define ROUND512(a, b, c, d, e, f, g, h, i) \
  ROUND(right64, 14, 18, 41, 28, 34, 39, a, b, c, d, e, f, g, h, roots[i] + w[i])

static void compress_sha256(uint64_t words[8], const uint8_t *block) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++) w[i] = read_be32(block + 4 * i);
  for (int i = 16; i < 64; i++) {
    uint32_t x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (right(x, 7) ^ right(x, 18) ^ x >> 3) + w[i - 7] +
           (right(y, 17) ^ right(y, 19) ^ y >> 10);
  }
  uint32_t a = (uint32_t)words[0], b = (uint32_t)words[1], c = (uint32_t)words[2],
           d = (uint32_t)words[3], e = (uint32_t)words[4], f = (uint32_t)words[5],
           g = (uint32_t)words[6], h = (uint32_t)words[7];
  for (int i = 0; i < 64; i += 8) {
    EIGHT(ROUND256, i)
  }
  const uint32_t more[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; i++) words[i] = (uint32_t)words[i] + more[i];
}

static void compress_sha512(uint64_t words[8], const uint8_t *block) {
  uint64_t w[80];
  for (int i = 0; i < 16; i++) w[i] = read_be64(block + 8 * i);
  for (int i = 16; i < 80; i++) {
    uint64_t x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (right64(x, 1) ^ right64(x, 8) ^ x >> 7) + w[i - 7] +
           (right64(y, 19) ^ right64(y, 61) ^ y >> 6);
  }
  uint64_t a = words[0], b = words[1], c = words[2], d = words[3], e = words[4], f = words[5],
           g = words[6], h = words[7];
  for (int i = 0; i < 80; i += 8) {
    EIGHT(ROUND512, i)
  }
  const uint64_t more[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; i++) words[i] += more[i];
}

#undef ROUND512
#undef ROUND256
#undef EIGHT
#undef ROUND

// ---- what they share ----------------------------------------------------------------------------

static const AlgorithmRow algorithms[ALGORITHM_COUNT] = {
    [MD5] = {compress_md5, 64, 16, 4, true, {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}},
    [SHA1] = {compress_sha1,
              64,
              20,
              4,
              false,
              {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}},
    [SHA224] = {compress_sha256,
                64,
                28,
                4,
                false,
                {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7,
                 0xbefa4fa4}},
    [SHA256] = {compress_sha256,
                64,
                32,
                4,
                false,
                {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                 0x5be0cd19}},
    [SHA384] = {compress_sha512,
                128,
                48,
                8,
                false,
                {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
                 0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4}},
    [SHA512] = {compress_sha512,
                128,
                64,
                8,
                false,
                {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                 0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179}},
};

static void add(State *state, const AlgorithmRow *row, const uint8_t *data, size_t size) {
  state->size_bytes += size;
  if (state->used) {
    size_t fits = row->block_bytes - state->used;
    if (fits > size) fits = size;
    memcpy(state->block + state->used, data, fits);
    state->used += (uint32_t)fits;
    data += fits;
    size -= fits;
    if (state->used < row->block_bytes) return;
    row->compress(state->words, state->block);
    state->used = 0;
  }
  for (; size >= row->block_bytes; size -= row->block_bytes, data += row->block_bytes)
    row->compress(state->words, data);
  memcpy(state->block, data, size);
  state->used = (uint32_t)size;
}

/// Pads, and writes the digest.
static void finish(State *state, const AlgorithmRow *row, uint8_t *digest) {
  uint64_t bits = state->size_bytes * 8;
  uint32_t length_bytes = 2 * row->word_bytes;
  uint8_t tail[256] = {0x80};
  uint32_t used = state->used + 1, pad = 1;
  while ((used + length_bytes) % row->block_bytes != 0) used++, pad++;
  uint8_t *length = tail + pad;
  memset(length, 0, length_bytes);
  for (uint32_t i = 0; i < 8; i++) {
    uint32_t at = row->is_little_endian ? i : length_bytes - 1 - i;
    length[at] = (uint8_t)(bits >> (8 * i));
  }
  add(state, row, tail, pad + length_bytes);
  for (uint32_t i = 0; i < row->digest_bytes; i++) {
    uint32_t byte = i % row->word_bytes;
    uint32_t shift = 8 * (row->is_little_endian ? byte : row->word_bytes - 1 - byte);
    digest[i] = (uint8_t)(state->words[i / row->word_bytes] >> shift);
  }
}

/// Reads the state; NULL with a fault pending if it is none.
static const AlgorithmRow *read_state(SkThread *thread, const SkList *list, State *state) {
  if (list->length == sizeof *state) {
    memcpy(state, sk_list_data(thread->heap, list), sizeof *state);
    if (state->algorithm < ALGORITHM_COUNT &&
        state->used < algorithms[state->algorithm].block_bytes)
      return &algorithms[state->algorithm];
  }
  sk_fault_text(thread, "this is not the state of a digest");
  return NULL;
}

static bool give_bytes(SkThread *thread, SkSlot *result, const void *data, uint32_t size) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, size);
  if (!list) return false;
  memcpy(sk_list_data(thread->heap, list), data, size);
  list->length = size;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

bool sk_native_hash_start(SkThread *thread, int64_t algorithm, SkSlot *result) {
  if (algorithm < 0 || algorithm >= ALGORITHM_COUNT)
    return sk_fault_text(thread, "there is no algorithm %lld", (long long)algorithm);
  State state = {.algorithm = (uint32_t)algorithm};
  memcpy(state.words, algorithms[algorithm].start, sizeof state.words);
  return give_bytes(thread, result, &state, sizeof state);
}

bool sk_native_hash_add(SkThread *thread, SkList *list, SkList *data) {
  State state;
  const AlgorithmRow *row = read_state(thread, list, &state);
  if (!row) return false;
  if (data->length == 0) return true;
  add(&state, row, sk_list_data(thread->heap, data), data->length);
  memcpy(sk_list_data(thread->heap, list), &state, sizeof state);
  return true;
}

bool sk_native_hash_add_string(SkThread *thread, SkList *list, SkString *text) {
  State state;
  const AlgorithmRow *row = read_state(thread, list, &state);
  if (!row) return false;
  add(&state, row, (const uint8_t *)text->data, text->size_bytes);
  memcpy(sk_list_data(thread->heap, list), &state, sizeof state);
  return true;
}

bool sk_native_hash_finish(SkThread *thread, SkList *list, SkSlot *result) {
  State state;
  const AlgorithmRow *row = read_state(thread, list, &state);
  uint8_t digest[64];
  if (!row) return false;
  finish(&state, row, digest);
  return give_bytes(thread, result, digest, row->digest_bytes);
}

bool sk_native_hash_block_bytes(SkThread *thread, int64_t algorithm, SkSlot *result) {
  (void)thread;
  bool is_known = algorithm >= 0 && algorithm < ALGORITHM_COUNT;
  result->i = is_known ? algorithms[algorithm].block_bytes : 0;
  return true;
}

// ---- CRC-32 -------------------------------------------------------------------------------------

#define POLYNOMIAL 0xEDB88320u

/// Eight bytes at a time, by tables that are made for the call.
static uint32_t crc_long(uint32_t crc, const uint8_t *data, size_t size) {
  uint32_t tables[8][256];
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t x = i;
    for (int bit = 0; bit < 8; bit++) x = x >> 1 ^ (POLYNOMIAL & (0 - (x & 1)));
    tables[0][i] = x;
  }
  for (int t = 1; t < 8; t++) {
    for (int i = 0; i < 256; i++) {
      uint32_t x = tables[t - 1][i];
      tables[t][i] = x >> 8 ^ tables[0][x & 255];
    }
  }
  for (; size >= 8; size -= 8, data += 8) {
    uint32_t low = read_le32(data) ^ crc, high = read_le32(data + 4);
    crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^
          tables[4][low >> 24] ^ tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^
          tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
  }
  for (; size > 0; size--) crc = crc >> 8 ^ tables[0][(crc ^ *data++) & 255];
  return crc;
}

bool sk_native_hash_crc32(SkThread *thread, SkList *list, int64_t before, SkSlot *result) {
  const uint8_t *data = list->length ? sk_list_data(thread->heap, list) : NULL;
  size_t size = list->length;
  uint32_t crc = ~(uint32_t)before;
  if (size >= 1024) {
    crc = crc_long(crc, data, size);
  } else {
    for (; size > 0; size--) {
      crc ^= *data++;
      for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (POLYNOMIAL & (0 - (crc & 1)));
    }
  }
  result->i = (uint32_t)~crc;
  return true;
}

/// Takes the same time wherever they differ.
bool sk_native_hash_equal(SkThread *thread, SkList *a, SkList *b, SkSlot *result) {
  if (a->length != b->length) return true;
  const volatile uint8_t *x = a->length ? sk_list_data(thread->heap, a) : NULL;
  const volatile uint8_t *y = b->length ? sk_list_data(thread->heap, b) : NULL;
  uint32_t different = 0;
  for (uint32_t i = 0; i < a->length; i++) different |= (uint32_t)(x[i] ^ y[i]);
  result->u = different == 0;
  return true;
}
